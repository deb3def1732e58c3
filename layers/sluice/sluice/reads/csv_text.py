"""CSV as data, endpoints and reports give it: RFC 4180, and no text that a spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from sluice.domain.json_text import dumps
from sluice.domain.schema import is_number

_FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_head(names: Iterable[str]) -> str:
    """The line of column names."""
    return _lines([[_harmless(name) for name in names]])


def csv_rows(kinds: list[str], rows: Iterable[Iterable[Any]]) -> str:
    """Rows of JSON values as lines; null is an empty field.

    A text that begins like a formula gets a quote before it. Numbers are no formulas, though decimals
    are text in JSON and may begin with a minus; nor is JSON, which begins with a minus in numbers only.
    Numbers are plain decimals: see `plain_number`.

    Args:
        kinds: the columns' types.
    """
    cells = [_cell_of(kind) for kind in kinds]
    return _lines([cell(value) for cell, value in zip(cells, row, strict=True)] for row in rows)


def _cell_of(kind: str) -> Callable[[Any], Any]:
    if is_number(kind):
        return lambda value: None if value is None else plain_number(value)
    if kind == "json":
        return lambda value: None if value is None else cell_text(kind, value)
    return lambda value: None if value is None else _harmless(cell_text(kind, value))


def _lines(rows: Iterable[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_BEGINNINGS) else text


def plain_number(value: float | str | Decimal) -> str:
    """A number as a plain decimal, `0.000018` and never `1.8e-05`, which reads back as the same number.

    Spreadsheets and programs in other languages read exponents in different ways, or as text.

    Args:
        value: a number, or the text of a decimal.
    """
    text = value if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value)
    return format(Decimal(text), "f") if "e" in text or "E" in text else text


def cell_text(kind: str, value: Any) -> str:
    """A value as the text of a cell: JSON and truth values as JSON has them, anything else as it is.

    A number in a column of JSON is a plain decimal, too; in lists and objects numbers stay as JSON has them.
    """
    if isinstance(value, float | Decimal):
        return plain_number(value)
    return value if isinstance(value, str) and kind != "json" else dumps(value).decode()
