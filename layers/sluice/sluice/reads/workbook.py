"""XLSX output: a workbook of one sheet, without loss of digits or characters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import IO, Any

from sluice.domain.schema import is_decimal
from sluice.errors import Invalid
from sluice.reads.csv_text import cell_text, plain_number

# The limits of Excel: rows besides the header, and characters of a cell.
_ROWS, _CHARACTERS = 1_048_575, 32_767
# A cell's number is a double, which holds whole numbers up to 2⁵³ and decimals of up to 15 digits exactly.
_EXACT, _DECIMAL_DIGITS = 2**53, 15
_TIME = r"(19(0[1-9]|[1-9]\d)|[2-8]\d{3}|2\d{3})-\d\d-\d\d(T[\d:.]+Z)?"
# A fixed time of creation: the same rows have the same bytes.
_EPOCH = datetime(2000, 1, 1)


class _ExactDouble(float):
    """A double that is formatted as a plain decimal with all of its digits; xlsxwriter would write 16 digits."""

    def __format__(self, form: str) -> str:
        return plain_number(float(self))


def write_workbook(file: IO[bytes], headers: list[str], column_types: list[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write rows as a workbook of one sheet, with numbers and times as cells of these types; no text is a formula.

    Args:
        file: receives the workbook.
        headers: the headers of the columns.
        column_types: the types of the columns.
        rows: the JSON values of each row, in the order of the columns.

    Raises:
        Invalid: there are more rows than a sheet can have, or a text is longer than a cell can be.
    """
    import xlsxwriter  # imported for this format only

    options = {"constant_memory": True, "in_memory": False, "default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"created": _EPOCH})
        sheet = book.add_worksheet("data")
        sheet.freeze_panes(1, 0)
        formats = {"date": book.add_format({"num_format": "yyyy-mm-dd"}), "head": book.add_format({"bold": True})}
        formats["timestamp"] = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for column, header in enumerate(headers):
            sheet.write_string(0, column, header, formats["head"])
        for number, row in enumerate(rows, start=1):
            if number > _ROWS:
                raise Invalid(f"A sheet has at most {_ROWS} rows; request fewer, or use format=csv.")
            for column, (column_type, value) in enumerate(zip(column_types, row, strict=True)):
                _write_cell(sheet, (number, column), column_type, value, formats)


def _write_cell(sheet: Any, place: tuple[int, int], column_type: str, value: Any, formats: dict[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, bool) and column_type != "json":
        sheet.write_boolean(*place, value)
    elif isinstance(value, float) and column_type == "double":
        sheet.write_number(*place, _ExactDouble(value))
    elif isinstance(value, int) and column_type == "bigint" and abs(value) <= _EXACT:
        sheet.write_number(*place, value)
    elif is_decimal(column_type) and len(value.strip("-0.").replace(".", "")) <= _DECIMAL_DIGITS:
        sheet.write_number(*place, _ExactDouble(value))
    elif column_type in ("date", "timestamp") and re.fullmatch(_TIME, value):
        time = datetime.fromisoformat(value).replace(tzinfo=None)
        sheet.write_datetime(*place, time, formats[column_type])
    else:
        sheet.write_string(*place, _text(column_type, value, place[0]))


def _text(column_type: str, value: Any, row: int) -> str:
    """Return the text of a cell.

    Raises:
        Invalid: it is too long for a cell; Excel counts UTF-16 code units.
    """
    text = cell_text(column_type, value)
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > _CHARACTERS:
        raise Invalid(
            f"Row {row} has a text of {len(text)} characters, and an XLSX cell holds {_CHARACTERS}; "
            "leave its column out with select, or use format=csv."
        )
    return text
