"""CSV output of data, endpoints and reports: RFC 4180, without texts that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from sluice.domain.json_text import dumps
from sluice.domain.schema import is_number

_FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_header(names: Iterable[str]) -> str:
    """Return the header line."""
    return _lines([[escape_formula(name) for name in names]])


def csv_rows(column_types: list[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return rows of JSON values as lines; null is an empty field.

    Texts that begin like a formula are prefixed with a quote. Numbers and JSON are not: a decimal, which is a text in
    JSON, may begin with a minus, and JSON begins with a minus only if it is a number. Numbers are written as plain
    decimals: see `plain_number`.

    Args:
        column_types: the types of the columns.
        rows: the values of each row, in the order of the columns.
    """
    cells = [_cell_writer(column_type) for column_type in column_types]
    return _lines([cell(value) for cell, value in zip(cells, row, strict=True)] for row in rows)


def _cell_writer(column_type: str) -> Callable[[Any], Any]:
    if is_number(column_type):
        return lambda value: None if value is None else plain_number(value)
    if column_type == "json":
        return lambda value: None if value is None else cell_text(column_type, value)
    return lambda value: None if value is None else escape_formula(cell_text(column_type, value))


def _lines(rows: Iterable[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def escape_formula(text: str) -> str:
    """Prefix a text that begins like a formula with a quote, so that a spreadsheet shows it."""
    return f"'{text}" if text.startswith(_FORMULA_BEGINNINGS) else text


def plain_number(value: float | str | Decimal) -> str:
    """Return a number as a plain decimal, such as `0.000018` instead of `1.8e-05`, without loss of digits.

    Some spreadsheets and programs read numbers with exponents as text.

    Args:
        value: a number, or the text of a decimal.
    """
    text = value if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value)
    return format(Decimal(text), "f") if "e" in text or "E" in text else text


def cell_text(column_type: str, value: Any) -> str:
    """Return a value as the text of a cell.

    Numbers are plain decimals, also in a JSON column; within lists and objects they are written as JSON does. JSON and
    booleans are JSON text; any other value is a text already.

    Args:
        column_type: the type of the column.
        value: a JSON value, not null.
    """
    if isinstance(value, float | Decimal):
        return plain_number(value)
    return value if isinstance(value, str) and column_type != "json" else dumps(value).decode()
