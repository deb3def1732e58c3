"""Reading workbooks as documents, with the cell of each value, and writing blank ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from sluice.errors import UnreadableData, WorkbookInvalid

if TYPE_CHECKING:
    from pathlib import Path

    from sluice.settings import Settings

_LARGEST_EXACT = 2**53
_EPOCH = datetime(2000, 1, 1)
# What a cell with an error is in a column of numbers: no number, and not empty.
_UNREADABLE = "#ERROR"
# Where a value is in a document: keys and indexes.
Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class SheetTemplate:
    """A sheet of a kind's workbooks.

    Args:
        name: the sheet's name.
        headers: the headers of the columns, all of which are required.
        header_row: the row that has them, from 1.
        groups: the headings of groups of columns in the row above, each with the number of its columns.
        first: whether the first sheet is read, whatever its name is.
    """

    name: str
    headers: tuple[str, ...]
    header_row: int = 1
    groups: tuple[tuple[str, int], ...] = ()
    first: bool = False


@dataclass(frozen=True)
class Place:
    """The place of a value in a workbook.

    Args:
        sheet: the sheet's name.
        row: the row, from 1; None for the whole sheet.
        column: the header of the column; None for the whole row.
        cell: the cell as spreadsheets show it, such as `B7`; None for the whole row.
        state: whether the cell has no value, or none that can be read.
    """

    sheet: str
    row: int | None = None
    column: str | None = None
    cell: str | None = None
    state: Literal["filled", "empty", "unreadable"] = "filled"


@dataclass
class Parsed:
    """What was read from a workbook.

    Args:
        document: the document; values that cannot be right are in it as they are in the cells.
        cells: the place of each value, by its path in the document.
        messages: messages that say more than the check of the document can, by path.
    """

    document: Any
    cells: dict[Keys, Place] = field(default_factory=dict)
    messages: dict[Keys, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One row of a sheet.

    Args:
        sheet: its sheet.
        number: its number, from 1.
        cells: the values of its cells.
    """

    sheet: Sheet
    number: int
    cells: Sequence[Any]

    def _value(self, header: str) -> Any:
        index = self.sheet.columns[header]
        if (self.number, index + 1) in self.sheet.unreadable:
            return _UNREADABLE
        value = self.cells[index] if index < len(self.cells) else ""
        return value.strip() if isinstance(value, str) else value

    def text(self, header: str) -> str | None:
        """A cell as text, without spaces around it; whole numbers without a point. None: it is empty or unreadable."""
        value = self.raw(header)
        return None if value is None else str(value)

    def numeric(self, header: str) -> Any:
        """A cell as a number, whole ones as integers; None if it is empty, and as it is if it is no number."""
        value = self._value(header)
        return None if value == "" else _plain(value)

    def raw(self, header: str) -> Any:
        """A cell as it is; None if it is empty or unreadable."""
        value = self._value(header)
        return None if value in ("", _UNREADABLE) else _plain(value)

    def place(self, header: str) -> Place:
        """The place of a cell."""
        index, value = self.sheet.columns[header], self._value(header)
        state: Any = (
            {"": "empty", _UNREADABLE: "unreadable"}.get(value, "filled") if isinstance(value, str) else "filled"
        )
        return Place(self.sheet.name, self.number, header, f"{_letters(index)}{self.number}", state)


@dataclass(frozen=True)
class Sheet:
    """A sheet whose columns have names.

    Args:
        name: its name.
        columns: the index of each column, from 0, by header.
        header_row: the row with the headers, from 1.
        cells: the values of all rows.
        unreadable: the rows and columns, from 1, of cells with an error, or a formula without a result.
    """

    name: str
    columns: Mapping[str, int]
    header_row: int
    cells: Sequence[Sequence[Any]]
    unreadable: frozenset[tuple[int, int]]

    def rows(self) -> Iterator[Row]:
        """The rows below the headers; those without a value, besides one in `ID`, are left out."""
        for number, cells in enumerate(self.cells[self.header_row :], start=self.header_row + 1):
            row = Row(self, number, cells)
            if any(row.numeric(header) is not None for header in self.columns if header != "ID"):
                yield row

    def place(self) -> Place:
        """The place of the whole sheet."""
        return Place(self.name)


class SheetReader:
    """Reads the sheets of a workbook.

    Args:
        content: the workbook.
        settings: the caps.

    Raises:
        WorkbookInvalid: it is not a workbook, or too large.
    """

    def __init__(self, content: bytes, settings: Settings) -> None:
        from python_calamine import CalamineError, CalamineWorkbook

        from sluice.formats.limits import Limits
        from sluice.formats.packed import require_small_workbook

        if not content.startswith(b"PK\x03\x04"):
            raise WorkbookInvalid("The body is not a workbook; save it as .xlsx, not as .xls or .csv.")
        self._content = BytesIO(content)
        self._limits = replace(
            Limits.of(settings),
            document_bytes=settings.max_input_bytes,
            document_memory=10 * settings.max_input_bytes,
            cells=settings.max_input_cells,
        )
        self.max_services = settings.max_imported_services
        try:
            require_small_workbook(self._content, self._limits)
            self._workbook = CalamineWorkbook.from_filelike(self._content)
        except UnreadableData as error:
            raise WorkbookInvalid(error.detail) from None
        except CalamineError as error:
            raise WorkbookInvalid(f"The workbook cannot be read: {str(error)[:300]}.") from None

    def sheets(self, *templates: SheetTemplate) -> list[Sheet]:
        """The sheets of these names, or the first one, with all required columns.

        Raises:
            WorkbookInvalid: sheets or columns are missing; `errors` names all of them.
        """
        present = self._workbook.sheet_names
        names = [present[0] if template.first and present else template.name for template in templates]
        errors = [
            _missing(Place(name), f"The workbook has no sheet {name!r}; it has {', '.join(present) or 'none'}.")
            for name in names
            if name not in present
        ]
        read = [self._read(name, template) for name, template in zip(names, templates, strict=True) if name in present]
        for sheet, template in read:
            errors += _header_errors(sheet, template)
        if errors:
            raise WorkbookInvalid(f"{errors[0]['message']} Nothing was stored.", errors)
        return [sheet for sheet, _ in read]

    def _read(self, name: str, template: SheetTemplate) -> tuple[Sheet, SheetTemplate]:
        from python_calamine import CalamineError

        from sluice.formats.workbook_size import require_buildable

        self._content.seek(0)
        try:
            counted = require_buildable(self._content, name, self._limits)
            cells = self._workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        except UnreadableData as error:
            raise WorkbookInvalid(error.detail) from None
        except CalamineError as error:
            raise WorkbookInvalid(f"The sheet {name!r} cannot be read: {str(error)[:300]}.") from None
        unreadable = {*counted.cells.errors, *counted.cells.uncalculated}
        if counted.calculated_later:
            unreadable |= set(counted.cells.zeros)
        at = template.header_row - 1
        header = [str(_plain(value)).strip() for value in cells[at]] if at < len(cells) else []
        columns = {text: header.index(text) for text in template.headers if text in header}
        return Sheet(name, columns, template.header_row, cells, frozenset(unreadable)), template


def _header_errors(sheet: Sheet, template: SheetTemplate) -> list[dict[str, Any]]:
    return [
        _missing(
            Place(sheet.name, template.header_row, header),
            f"The sheet {sheet.name!r} has no column {header!r} in row {template.header_row}.",
        )
        for header in template.headers
        if header not in sheet.columns
    ]


def _missing(place: Place, message: str) -> dict[str, Any]:
    return cell_error("", place, None, message)


def cell_error(pointer: str, place: Place, code: int | None, message: str) -> dict[str, Any]:
    """One error of a workbook, as answers have it.

    Args:
        pointer: the JSON Pointer of the value in the parsed document.
        place: where the value is in the workbook.
        code: the code of the fault; None if it has none.
        message: what is wrong, as a sentence.
    """
    return {
        "pointer": pointer,
        "sheet": place.sheet,
        "row": place.row,
        "column": place.column,
        "cell": place.cell,
        "code": code,
        "message": message,
    }


def _plain(value: Any) -> Any:
    """A cell's value as JSON has it; whole numbers are integers as far as a double is exact."""
    match value:
        case float() if value.is_integer() and abs(value) < _LARGEST_EXACT:
            return int(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case _:
            return value


def _letters(index: int) -> str:
    """The letters of a column, from 0, as spreadsheets show them: A to Z, then AA and so on."""
    text = ""
    while index >= 0:
        text = chr(ord("A") + index % 26) + text
        index = index // 26 - 1
    return text


def write_blank_workbook(path: Path, sheets: Sequence[SheetTemplate]) -> None:
    """Write a workbook that has the headers and no values.

    Args:
        path: the file.
        sheets: the sheets in order.
    """
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"in_memory": False}) as book:
        book.set_properties({"created": _EPOCH})
        bold = book.add_format({"bold": True})
        for template in sheets:
            sheet = book.add_worksheet(template.name)
            sheet.freeze_panes(template.header_row, 0)
            column = 0
            for heading, width in template.groups:
                sheet.merge_range(template.header_row - 2, column, template.header_row - 2, column + width - 1, heading)
                column += width
            for column, header in enumerate(template.headers):
                sheet.write_string(template.header_row - 1, column, header, bold)
                sheet.set_column(column, column, max(10, len(header) + 2))
