"""XLSX pages: the rows of one sheet below a header row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import IO, Any

from sluice.domain.base import json_pointer
from sluice.domain.file_format import XlsxOptions
from sluice.errors import EmptyData, UnreadableData
from sluice.formats.detect import describe_mismatch
from sluice.formats.limits import Limits
from sluice.formats.packed import require_small_workbook
from sluice.formats.workbook_size import Workbook, require_buildable

_LARGEST_EXACT = 2**53
# How many non-empty rows below a possible title are checked.
_TITLE_ROWS = 5


class XlsxPage:
    """One sheet of a workbook.

    Args:
        content: the workbook, at its beginning.
        options: which sheet and header row to read.
        limits: the caps of the readers.

    Raises:
        EmptyData: the sheet has no header row.
        UnreadableData: it is not a workbook, has no such sheet, or its column names are unusable.
        DataTooLarge: the workbook has too many bytes after unpacking, or the sheet too many cells or too much text.
    """

    text = False

    def __init__(self, content: IO[bytes], options: XlsxOptions, limits: Limits) -> None:
        self.notes: list[str] = []
        beginning = content.read(512)
        content.seek(0)
        if not beginning.startswith(b"PK\x03\x04"):
            raise UnreadableData(
                describe_mismatch(beginning, "XLSX") or "The page is not a workbook; save it as .xlsx, not as .xls."
            )
        require_small_workbook(content, limits)
        workbook = require_buildable(content, options.sheet, limits)
        self.sheet, cells = _cells(content, options)
        at = options.header_row - 1 if options.header_row else _first_row(cells)
        header = cells[at] if at is not None and at < len(cells) else []
        self.header_row = (at or 0) + 1
        self._cells = cells[self.header_row :]
        if options.header_row is None:
            _require_no_title(header, self.header_row, self._cells)
        self._unnamed = _unnamed(header, self._cells)
        self._names = _names(header, limits, self._unnamed)
        self._note_sheets(workbook)
        self._note_unnamed()
        self._note_cells(workbook)

    def _note_sheets(self, workbook: Workbook) -> None:
        if workbook.others:
            rows = ", ".join(f"{name!r} has {count} rows" for name, count in workbook.others.items())
            self.notes.append(f"only the sheet {self.sheet!r} was read, but {rows}; set xlsx.sheet to choose one")

    def _note_unnamed(self) -> None:
        for position, rows in self._unnamed.items():
            what = f"column {_letters(position)} has no name in row {self.header_row}, but {len(rows)} values below it"
            if position in self._names:
                self.notes.append(f"{what}: it became {self._names[position]}")
            else:
                place = f"{_letters(position)}{self.header_row + 1 + rows[0]}"
                self.notes.append(f"{what}, the first in {place}, were left out; name it, or set xlsx.header_row")

    def _note_cells(self, workbook: Workbook) -> None:
        cells = workbook.cells
        self._note_places(cells.errors, "hold errors and were read as null")
        advice = "open the workbook in a spreadsheet program and save it"
        self._note_places(cells.uncalculated, f"hold formulas without a stored result and were read as null; {advice}")
        if workbook.calculated_later:
            problem = f"hold formulas whose stored result is 0, perhaps because they were never calculated; {advice}"
            self._note_places(cells.zeros, problem)

    def _note_places(self, places: Iterable[tuple[int, int]], what: str) -> None:
        counts: dict[int, tuple[int, int]] = {}
        for row, column in places:
            if row > self.header_row and column - 1 in self._names:
                count, first = counts.get(column - 1, (0, row))
                counts[column - 1] = (count + 1, first)
        for position, (count, first) in counts.items():
            self.notes.append(f"{self._names[position]}: {count} cells {what} (first {_letters(position)}{first})")

    def columns(self) -> dict[str, str | None]:
        """The column names; `date` and `timestamp` if all cells are of that type, else None."""
        return {name: self._kind(position) for position, name in self._names.items()}

    def _kind(self, position: int) -> str | None:
        kinds = {type(row[position]) for row in self._cells if row[position] != ""}
        if kinds == {date}:
            return "date"
        return "timestamp" if kinds and kinds <= {date, datetime} else None

    def rows(self) -> Iterator[dict[str, Any]]:
        """The non-empty rows; an empty cell and one with an error are null."""
        for _, record in self._numbered():
            yield record

    def _numbered(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The non-empty rows with their numbers in the sheet, from 1."""
        for number, row in enumerate(self._cells, start=self.header_row + 1):
            record = {name: _value(row[position]) for position, name in self._names.items()}
            if any(value is not None for value in record.values()):
                yield number, record

    def pointer(self, path: tuple[str | int, ...]) -> str:
        """The place of a record, or of a value in it, as the sheet shows it.

        Args:
            path: the number of the record, from 0, and optionally a column's name.

        Returns:
            `/Sheet/row` or `/Sheet/row/column`.
        """
        number = next(number for position, (number, _) in enumerate(self._numbered()) if position == path[0])
        parts: list[str | int] = [self.sheet, number]
        parts += [_letters(position) for position, name in self._names.items() if name in path[1:2]]
        return json_pointer(tuple(parts))


def _letters(position: int) -> str:
    """The letters of a column, as spreadsheets show them: A to Z, then AA and so on."""
    text = ""
    while position >= 0:
        text = chr(ord("A") + position % 26) + text
        position = position // 26 - 1
    return text


def _cells(content: IO[bytes], options: XlsxOptions) -> tuple[str, list[list[Any]]]:
    """The name of the sheet and its cells."""
    from python_calamine import CalamineError, CalamineWorkbook  # only workbooks need it

    try:
        workbook = CalamineWorkbook.from_filelike(content)
        names = workbook.sheet_names
        name = options.sheet or (names[0] if names else None)
        if name not in names:
            raise UnreadableData(f"The workbook has no sheet {name!r}; it has {', '.join(names) or 'no sheets'}.")
        assert name is not None
        return name, workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise UnreadableData(f"The workbook cannot be read: {str(error)[:300]}.") from None


def _first_row(cells: list[list[Any]]) -> int | None:
    return next((index for index, row in enumerate(cells) if any(value != "" for value in row)), None)


def _require_no_title(header: list[Any], number: int, below: list[list[Any]]) -> None:
    """Refuse a sheet whose first row looks like a title above the header row.

    Args:
        header: the first row.
        number: the number of the first row, from 1.
        below: the rows below it.

    Raises:
        UnreadableData: one of the next rows has only texts and at least twice as many values, as most rows have.
    """
    names = _filled(header)
    filled_counts = [(index, _filled(row)) for index, row in enumerate(below, start=number + 1)]
    rows = [(index, count) for index, count in filled_counts if count]
    for index, count in rows[:_TITLE_ROWS]:
        if count < 2 * names:
            continue
        wide = sum(other >= 2 * names for at, other in rows if at >= index)
        texts = all(isinstance(value, str) for value in below[index - number - 1])
        if texts and 2 * wide > len(rows):
            raise UnreadableData(
                f"Row {number} has {names} values and row {index} has {count}, so row {number} is perhaps a title. Set "
                f"xlsx.header_row to the row with the column names, {index} or {number}."
            )
        return


def _filled(row: list[Any]) -> int:
    return sum(value != "" for value in row)


def _unnamed(header: list[Any], below: list[list[Any]]) -> dict[int, list[int]]:
    """The positions of columns that have values but no name, each with the indexes of its non-empty rows."""
    width = max(map(len, [header, *below]), default=0)
    unnamed = [position for position in range(width) if position >= len(header) or not _name(header[position])]
    filled_rows = {
        position: [index for index, row in enumerate(below) if position < len(row) and row[position] != ""]
        for position in unnamed
    }
    return {position: rows for position, rows in filled_rows.items() if rows}


def _names(header: list[Any], limits: Limits, unnamed: Iterable[int]) -> dict[int, str]:
    """The column names by position: those in the header, and numbered ones for columns between them."""
    header_names = {position: _name(value) for position, value in enumerate(header) if _name(value)}
    if not header_names:
        raise EmptyData("The sheet has no header row; set xlsx.sheet or xlsx.header_row.")
    numbered = {position: f"column_{position + 1}" for position in unnamed if position < max(header_names)}
    names = dict(sorted({**header_names, **numbered}.items()))
    if len(names) > limits.columns:
        raise UnreadableData(f"The sheet has {len(names)} columns, more than {limits.columns} (MAX_COLUMNS).")
    seen: set[str] = set()
    for name in names.values():
        if name in seen:
            raise UnreadableData(f"The header has the column {name!r} twice.")
        seen.add(name)
    return names


def _name(value: Any) -> str:
    return str(_value(value) if value != "" else "").strip()


def _value(value: Any) -> Any:
    match value:
        case "":
            return None
        # A workbook stores all numbers as doubles, so whole ones are integers as far as a double is exact.
        case float() if value.is_integer() and abs(value) < _LARGEST_EXACT:
            return int(value)
        case datetime():
            return value.isoformat(timespec="microseconds") + "Z"
        case date():
            return value.isoformat()
        case bool() | int() | float() | str():
            return value
        case _:
            return str(value)
