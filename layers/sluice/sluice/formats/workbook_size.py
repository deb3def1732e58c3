"""What a workbook's sheets hold: counted before anything is built."""

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
    """The cells of a sheet that say something about others than their values; positions count from 1.

    Args:
        row: the last row with a value.
        column: the last column with a value.
        rows: how many rows have a value.
        errors: the cells that hold an error.
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
    """Positions of cells, in little memory."""

    def __init__(self) -> None:
        self._packed = array("Q")

    def add(self, row: int, column: int) -> None:
        """Keep one more position."""
        self._packed.append(row << _COLUMN_BITS | column - 1)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Rows and columns, from 1."""
        for packed in self._packed:
            yield packed >> _COLUMN_BITS, (packed & (1 << _COLUMN_BITS) - 1) + 1


@dataclass(frozen=True)
class Workbook:
    """What was counted in a workbook.

    Args:
        cells: those of the sheet that is read.
        others: how many rows with values the other sheets have, by their names.
        calculated_later: whether the workbook asks to be calculated when it is opened, as programs
            write it that do not calculate.
    """

    cells: Cells
    others: dict[str, int]
    calculated_later: bool


def require_buildable(content: IO[bytes], sheet: str | None, limits: Limits) -> Workbook:
    """Refuse a sheet whose cells, or whose texts, need more memory than a document may.

    A sheet becomes a grid as wide and high as its outermost cells, and each cell a text of its own,
    so that two cells or one shared text can stand for gigabytes.

    Args:
        sheet: the sheet's name; none for the first one, besides which the others are counted.

    Raises:
        DataTooLarge: the sheet exceeds a setting.
        zipfile.BadZipFile: the workbook cannot be read.
    """
    with zipfile.ZipFile(content) as archive:
        names = set(archive.namelist())
        shared = _text_sizes(archive.read(_SHARED_STRINGS)) if _SHARED_STRINGS in names else []
        sheets = _sheets(archive)
        wanted = sheet or next(iter(sheets), None)
        known = sheets.get(wanted or "")
        chosen = [known] if known in names else [name for name in sorted(names) if _WORKSHEET.fullmatch(name)]
        cells = Cells()
        for part in chosen:
            body = archive.read(part)
            cells = _scanned(body)
            _require_few_cells(cells, limits)
            _require_little_text(body, shared, limits)
        others = {
            name: _scanned(archive.read(part)).rows
            for name, part in sheets.items()
            if sheet is None and part in names and part not in chosen
        }
        about = archive.read(_WORKBOOK) if _WORKBOOK in names else b""
    content.seek(0)
    found = {name: rows for name, rows in others.items() if rows}
    return Workbook(cells, found, _CALCULATED_LATER.search(about) is not None)


def _require_few_cells(cells: Cells, limits: Limits) -> None:
    rows, columns = cells.row, cells.column
    if rows * columns > limits.cells:
        raise DataTooLarge(
            f"The sheet reaches to row {rows} and column {columns}, which makes {rows * columns} cells; at most "
            f"{limits.cells} are read (MAX_CELLS). Delete the outlying cells, or drop CSV instead."
        )


def _scanned(body: bytes) -> Cells:
    """The cells of a sheet's XML."""
    cells = Cells()
    row = column = filled = 0
    for tag in _TAG.finditer(body):
        is_row, attributes = tag.groups()
        place = _AT.search(attributes)
        if is_row:
            row, column = int(place[2]) if place else row + 1, 0
            continue
        column = _column(place[1]) if place and place[1] else column + 1
        if attributes.endswith(b"/"):  # a cell with a style only
            continue
        at = int(place[2]) if place else row
        cells.row, cells.column = max(cells.row, at), max(cells.column, column)
        if at != filled:
            cells.rows, filled = cells.rows + 1, at
        _note(cells, body, tag, at, column)
    return cells


def _note(cells: Cells, body: bytes, tag: re.Match[bytes], row: int, column: int) -> None:
    """Keep the place of a cell with an error, or with a formula whose result is doubtful."""
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
    """About how many bytes each shared text has."""
    starts = [match.start() for match in _SHARED_TEXT.finditer(body)]
    return [end - start for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]


def _require_little_text(body: bytes, shared: list[int], limits: Limits) -> None:
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
    """The parts of the sheets by their names, in the workbook's order; none where it does not say."""
    try:
        listed = _elements(archive.read(_WORKBOOK), "sheet")
        targets = {one["Id"]: one["Target"] for one in _elements(archive.read(_RELATIONS), "Relationship")}
        return {one["name"]: _part(targets[one["id"]]) for one in listed}
    except (KeyError, ValueError):
        return {}


def _part(target: str) -> str:
    return posixpath.normpath(target.lstrip("/") if target.startswith("/") else f"xl/{target}")


def _elements(body: bytes, name: str) -> list[dict[str, Any]]:
    """The attributes of all elements of a name, without the prefixes of either.

    Raises:
        ValueError: it is no XML.
    """
    from xml.parsers.expat import ExpatError, ParserCreate

    found: list[dict[str, Any]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == name:
            found.append({key.rpartition(":")[2]: value for key, value in attributes.items()})

    parser = ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(body, True)
    except ExpatError as error:
        raise ValueError(str(error)) from None
    return found
