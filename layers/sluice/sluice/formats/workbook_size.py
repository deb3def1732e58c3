"""How many cells and how much text a workbook's sheet makes: counted before anything is built."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from sluice.errors import DataTooLarge
from sluice.formats.limits import Limits

_TAG = re.compile(rb"<(?:\w+:)?(?:(row)|c)\b([^>]*)>")
_AT = re.compile(rb"""\br\s*=\s*["']([A-Za-z]*)(\d+)["']""")
_SHARED_CELL = re.compile(rb"""<(?:\w+:)?c\b[^>]*\bt\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v[^>]*>\s*(\d+)""")
_SHARED_TEXT = re.compile(rb"<(?:\w+:)?si\b")
_SHARED_STRINGS = "xl/sharedStrings.xml"


def require_buildable(content: IO[bytes], sheet: str | None, limits: Limits) -> None:
    """Refuse a sheet whose cells, or whose texts, need more memory than a document may.

    A sheet becomes a grid as wide and high as its outermost cells, and each cell a text of its own,
    so that two cells or one shared text can stand for gigabytes.

    Args:
        sheet: the sheet's name; none for the first one.

    Raises:
        DataTooLarge: the sheet exceeds a setting.
        zipfile.BadZipFile: the workbook cannot be read.
    """
    with zipfile.ZipFile(content) as archive:
        names = set(archive.namelist())
        shared = _text_sizes(archive.read(_SHARED_STRINGS)) if _SHARED_STRINGS in names else []
        for part in _sheet_parts(archive, sheet, names):
            body = archive.read(part)
            _require_few_cells(body, limits)
            _require_little_text(body, shared, limits)
    content.seek(0)


def _require_few_cells(body: bytes, limits: Limits) -> None:
    rows, columns = _extent(body)
    if rows * columns > limits.cells:
        raise DataTooLarge(
            f"The sheet reaches to row {rows} and column {columns}, which makes {rows * columns} cells; at most "
            f"{limits.cells} are read (MAX_CELLS). Delete the outlying cells, or drop CSV instead."
        )


def _extent(body: bytes) -> tuple[int, int]:
    """The last row and the last column that have a value, from 1."""
    row = column = last_row = last_column = 0
    for tag in _TAG.finditer(body):
        is_row, attributes = tag.groups()
        place = _AT.search(attributes)
        if is_row:
            row, column = int(place[2]) if place else row + 1, 0
            continue
        column = _column(place[1]) if place and place[1] else column + 1
        if attributes.endswith(b"/"):  # a cell with a style only
            continue
        last_row = max(last_row, int(place[2]) if place else row)
        last_column = max(last_column, column)
    return last_row, last_column


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


def _sheet_parts(archive: zipfile.ZipFile, sheet: str | None, names: set[str]) -> Iterator[str]:
    """The part of a sheet; every part with a sheet where the workbook does not say."""
    try:
        sheets = _elements(archive.read("xl/workbook.xml"), "sheet")
        relations = _elements(archive.read("xl/_rels/workbook.xml.rels"), "Relationship")
        chosen = next(one for one in sheets if sheet is None or one["name"] == sheet)
        target = next(one["Target"] for one in relations if one["Id"] == chosen["id"])
    except (KeyError, StopIteration, ValueError):
        yield from (name for name in sorted(names) if name.startswith("xl/worksheets/") and name.endswith(".xml"))
        return
    part = posixpath.normpath(target.lstrip("/") if target.startswith("/") else f"xl/{target}")
    if part in names:
        yield part


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
