"""XLSX: rows as a workbook of one sheet, without losing a digit or a character."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import IO, Any

from sluice.domain.schema import is_decimal
from sluice.errors import Invalid
from sluice.reads.csv_text import cell_text, plain_number

_ROWS, _CHARACTERS = 1_048_575, 32_767
# A cell's number is a double: these whole numbers are exact, and decimals of so many digits.
_EXACT, _DECIMAL_DIGITS = 2**53, 15
_TIME = r"(19(0[1-9]|[1-9]\d)|[2-8]\d{3}|2\d{3})-\d\d-\d\d(T[\d:.]+Z)?"
# The same rows are the same bytes.
_EPOCH = datetime(2000, 1, 1)


class _ExactDouble(float):
    """A double that is written with all of its digits, as a plain decimal: xlsxwriter formats numbers with 16."""

    def __format__(self, form: str) -> str:
        return plain_number(float(self))


def write_workbook(file: IO[bytes], heads: list[str], kinds: list[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write rows as a workbook of one sheet: numbers and times as such, and no text as a formula.

    Args:
        kinds: the columns' types.

    Raises:
        Invalid: there are more rows than a sheet has, or a text is longer than a cell can hold.
    """
    import xlsxwriter  # only for this form

    options = {"constant_memory": True, "in_memory": False, "default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"created": _EPOCH})
        sheet = book.add_worksheet("data")
        sheet.freeze_panes(1, 0)
        formats = {"date": book.add_format({"num_format": "yyyy-mm-dd"}), "head": book.add_format({"bold": True})}
        formats["timestamp"] = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, formats["head"])
        for number, row in enumerate(rows, start=1):
            if number > _ROWS:
                raise Invalid(f"A sheet has at most {_ROWS} rows; ask for fewer, or for format=csv.")
            for column, (kind, value) in enumerate(zip(kinds, row, strict=True)):
                _write_cell(sheet, (number, column), kind, value, formats)


def _write_cell(sheet: Any, place: tuple[int, int], kind: str, value: Any, formats: dict[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, bool) and kind != "json":
        sheet.write_boolean(*place, value)
    elif isinstance(value, float) and kind == "double":
        sheet.write_number(*place, _ExactDouble(value))
    elif isinstance(value, int) and kind == "bigint" and abs(value) <= _EXACT:
        sheet.write_number(*place, value)
    elif is_decimal(kind) and len(value.strip("-0.").replace(".", "")) <= _DECIMAL_DIGITS:
        sheet.write_number(*place, _ExactDouble(value))
    elif kind in ("date", "timestamp") and re.fullmatch(_TIME, value):
        moment = datetime.fromisoformat(value).replace(tzinfo=None)
        sheet.write_datetime(*place, moment, formats[kind])
    else:
        sheet.write_string(*place, _text(kind, value, place[0]))


def _text(kind: str, value: Any, row: int) -> str:
    """A text that fits a cell, whose length is counted in UTF-16.

    Raises:
        Invalid: it does not.
    """
    text = cell_text(kind, value)
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > _CHARACTERS:
        raise Invalid(
            f"Row {row} has a text of {len(text)} characters, and a cell of XLSX holds {_CHARACTERS}; "
            "leave its column out with select, or ask for format=csv."
        )
    return text
