"""The contents of a workbook's sheets, counted in its XML before anything is built."""

from __future__ import annotations

import posixpath
import re
import zipfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from sluice.errors import DataTooLarge
from sluice.formats.limits import Limits

# Regular expressions instead of an XML parser: a sheet of millions of cells is scanned in seconds.
_TAG = re.compile(rb"<(?:\w+:)?(?:(row)|c)\b([^>]*)>")
_AT = re.compile(rb"""\br\s*=\s*["']([A-Za-z]*)(\d+)["']""")
_SHARED_CELL = re.compile(rb"""<(?:\w+:)?c\b[^>]*\bt\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v[^>]*>\s*(\d+)""")
_SHARED_TEXT = re.compile(rb"<(?:\w+:)?si\b")
_SHARED_STRINGS = "xl/sharedStrings.xml"
_WORKSHEET = re.compile(r"xl/worksheets/.*\.xml", re.DOTALL)
_WORKBOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_ERROR = re.compile(rb"""\bt\s*=\s*["']e["']""")
_TEXT = re.compile(rb"""\bt\s*=\s*["']str["']""")
# A formula and its stored result.
_FORMULA = re.compile(
    rb"""\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\b[^>/]*>([^<]*)</|<(?:\w+:)?v\b[^>]*/>)?"""
)
_CALCULATED_LATER = re.compile(rb"""<(?:\w+:)?calcPr\b[^>]*\bfullCalcOnLoad\s*=\s*["'](?:1|true)["']""")
_COLUMN_BITS = 14


@dataclass
class Cells:
    """Counts and special cells of a sheet. Positions count from 1.

    Args:
        row: the last row with a value.
        column: the last column with a value.
        rows: how many rows have a value.
        errors: the cells that contain an error.
        uncalculated: the formulas without a stored result.
        zeros: the formulas whose stored result is 0.
    """

    row: int = 0
    column: int = 0
    rows: int = 0
    errors: Places = field(default_factory=lambda: Places())
    uncalculated: Places = field(default_factory=lambda: Places())
    zeros: Places = field(default_factory=lambda: Places())


class Places:
    """Positions of cells, packed into eight bytes each."""

    def __init__(self) -> None:
        self._packed = array("Q")

    def add(self, row: int, column: int) -> None:
        """Add a position, counted from 1."""
        self._packed.append(row << _COLUMN_BITS | column - 1)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The rows and columns, from 1."""
        for packed in self._packed:
            yield packed >> _COLUMN_BITS, (packed & (1 << _COLUMN_BITS) - 1) + 1


@dataclass(frozen=True)
class Workbook:
    """What was counted in a workbook.

    Args:
        cells: the cells of the sheet that is read.
        others: how many rows with values the other sheets have, by name.
        calculated_later: whether the workbook asks to be calculated when it is opened. Programs that cannot
            calculate write that, with 0 as the results.
    """

    cells: Cells
    others: dict[str, int]
    calculated_later: bool


def require_buildable(content: IO[bytes], sheet: str | None, limits: Limits) -> Workbook:
    """Refuse a sheet whose cells or texts need more memory than a document may.

    A sheet becomes a grid that reaches to its outermost cells, with a copy of the text in each cell. So two cells or
    one shared string can stand for gigabytes.

    Args:
        content: the workbook; it is left at its beginning.
        sheet: the name of the sheet; None for the first one, in which case the rows of the others are counted too.
        limits: its `cells` and `document_memory` are the caps.

    Raises:
        DataTooLarge: a cap is exceeded.
        zipfile.BadZipFile: the workbook cannot be read.
    """
    with zipfile.ZipFile(content) as archive:
        names = set(archive.namelist())
        shared = _text_sizes(archive.read(_SHARED_STRINGS)) if _SHARED_STRINGS in names else []
        sheets = _sheets(archive)
        sheet_name = sheet or next(iter(sheets), None)
        part_of_sheet = sheets.get(sheet_name or "")
        # If the workbook's list is unusable, every sheet is checked: calamine may choose any.
        chosen = (
            [part_of_sheet]
            if part_of_sheet in names
            else [name for name in sorted(names) if _WORKSHEET.fullmatch(name)]
        )
        cells = Cells()
        for part in chosen:
            body = archive.read(part)
            cells = _scan(body)
            _require_few_cells(cells, limits)
            _require_little_text(body, shared, limits)
        others = {
            name: _scan(archive.read(part)).rows
            for name, part in sheets.items()
            if sheet is None and part in names and part not in chosen
        }
        workbook = archive.read(_WORKBOOK) if _WORKBOOK in names else b""
    content.seek(0)
    rows_by_sheet = {name: rows for name, rows in others.items() if rows}
    return Workbook(cells, rows_by_sheet, _CALCULATED_LATER.search(workbook) is not None)


def _require_few_cells(cells: Cells, limits: Limits) -> None:
    rows, columns = cells.row, cells.column
    if rows * columns > limits.cells:
        raise DataTooLarge(
            f"The sheet reaches to row {rows} and column {columns}, which makes {rows * columns} cells; at most "
            f"{limits.cells} are allowed (MAX_CELLS). Delete the outlying cells, or drop CSV instead."
        )


def _scan(body: bytes) -> Cells:
    """Count the cells in a sheet's XML."""
    cells = Cells()
    row = column = filled = 0
    for tag in _TAG.finditer(body):
        is_row, attributes = tag.groups()
        place = _AT.search(attributes)
        if is_row:
            row, column = int(place[2]) if place else row + 1, 0
            continue
        column = _column(place[1]) if place and place[1] else column + 1
        if attributes.endswith(b"/"):  # an empty cell that only has a style
            continue
        at = int(place[2]) if place else row
        cells.row, cells.column = max(cells.row, at), max(cells.column, column)
        if at != filled:
            cells.rows, filled = cells.rows + 1, at
        _add_special_cell(cells, body, tag, at, column)
    return cells


def _add_special_cell(cells: Cells, body: bytes, tag: re.Match[bytes], row: int, column: int) -> None:
    """Add a cell that has an error, or a formula without a reliable result."""
    if _ERROR.search(tag[2]):
        cells.errors.add(row, column)
        return
    formula = _FORMULA.match(body, tag.end())
    if formula is None or _TEXT.search(tag[2]):
        return
    if not formula[1]:
        cells.uncalculated.add(row, column)
    elif formula[1] == b"0":
        cells.zeros.add(row, column)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _text_sizes(body: bytes) -> list[int]:
    """The approximate size of each shared string in bytes."""
    starts = [match.start() for match in _SHARED_TEXT.finditer(body)]
    return [end - start for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]


def _require_little_text(body: bytes, shared: list[int], limits: Limits) -> None:
    # Fast path: even if every element were the longest shared string, the texts would fit.
    if not shared or body.count(b"<") * max(shared) * 2 <= limits.document_memory:
        return
    places = (int(match[1]) for match in _SHARED_CELL.finditer(body))
    size = 2 * sum(shared[place] for place in places if place < len(shared))
    if size > limits.document_memory:
        raise DataTooLarge(
            f"The texts of the sheet's cells take about {size} bytes of memory; at most {limits.document_memory} are "
            "allowed (MAX_DOCUMENT_MEMORY). Split the sheet, or drop CSV instead."
        )


def _sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """The files of the sheets by name, in the workbook's order; empty if the workbook does not list them."""
    try:
        listed = _elements(archive.read(_WORKBOOK), "sheet")
        targets = {
            attributes["Id"]: attributes["Target"] for attributes in _elements(archive.read(_RELATIONS), "Relationship")
        }
        return {attributes["name"]: _part_name(targets[attributes["id"]]) for attributes in listed}
    except (KeyError, ValueError):
        return {}


def _part_name(target: str) -> str:
    return posixpath.normpath(target.lstrip("/") if target.startswith("/") else f"xl/{target}")


def _elements(body: bytes, name: str) -> list[dict[str, Any]]:
    """The attributes of all elements with a name, ignoring namespace prefixes.

    Raises:
        ValueError: the text is not XML.
    """
    from xml.parsers.expat import ExpatError, ParserCreate

    elements: list[dict[str, Any]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == name:
            elements.append({key.rpartition(":")[2]: value for key, value in attributes.items()})

    parser = ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(body, True)
    except ExpatError as error:
        raise ValueError(str(error)) from None
    return elements
