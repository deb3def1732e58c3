"""The readings of a file: CSV, JSON Lines or a JSON array."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader, TextIOWrapper
from typing import NamedTuple

import orjson

from sluice.errors import DataTooLarge, EmptyData, UnreadableData

_BOM = b"\xef\xbb\xbf"
_REQUIRED = ("sensor", "time", "value")
_COLUMNS = (*_REQUIRED, "quality", "revision")
_LONGEST_LINE = 1 << 20
_PEEKED = 4096


class FileRecord(NamedTuple):
    """A reading of a file.

    Args:
        line: the number of the line, or of the row of CSV (the header is 1), or of the array's element; from 1.
        data: the reading as JSON, which may be none.
    """

    line: int
    data: bytes


def file_records(content: BufferedReader, most_bytes: int) -> Iterator[FileRecord]:
    """The readings of a file, one after the other.

    Args:
        content: the file, uncompressed.
        most_bytes: of a JSON array, which is parsed as a whole.

    Raises:
        UnreadableData: the file is none of these, or is damaged.
    """
    beginning = content.peek(_PEEKED)
    if beginning.startswith(_BOM):
        content.read(len(_BOM))
        beginning = beginning.removeprefix(_BOM)
    match beginning.lstrip()[:1]:
        case b"":
            raise EmptyData("The file is empty.")
        case b"[":
            return _of_array(content, most_bytes)
        case b"{":
            return _of_lines(content)
        case _:
            return _of_csv(content)


def _of_array(content: BufferedReader, most_bytes: int) -> Iterator[FileRecord]:
    text = content.read(most_bytes + 1)
    if len(text) > most_bytes:
        raise DataTooLarge(f"The JSON array has more than {most_bytes} bytes; send one reading on each line instead.")
    try:
        readings = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UnreadableData(f"The file is not JSON: {error}.") from None
    for line, reading in enumerate(readings, start=1):
        yield FileRecord(line, _json(reading))


def _json(reading: object) -> bytes:
    """A reading as JSON; one that JSON cannot be written of becomes a text, which is refused."""
    try:
        return orjson.dumps(reading)
    except TypeError as error:  # it is nested too deeply, or has an integer of more than 64 bits
        return orjson.dumps(str(error))


def _of_lines(content: BufferedReader) -> Iterator[FileRecord]:
    line = 0
    while text := content.readline(_LONGEST_LINE + 1):
        line += 1
        if len(text) > _LONGEST_LINE:
            raise DataTooLarge(f"Line {line} has more than {_LONGEST_LINE} bytes; a reading is far smaller.")
        if text.strip():
            yield FileRecord(line, text.strip())


def _of_csv(content: BufferedReader) -> Iterator[FileRecord]:
    header = content.peek(_PEEKED).partition(b"\n")[0]
    delimiter = max(",;\t", key=lambda mark: header.count(mark.encode()))
    # A row that is not UTF-8 is refused for what the replacement characters make of it.
    rows = csv.reader(TextIOWrapper(content, "utf-8", errors="replace", newline=""), delimiter=delimiter)
    try:
        columns = [cell.strip() for cell in next(rows, [])]
        _require_columns(columns)
        for line, row in enumerate(rows, start=2):
            if row:
                yield FileRecord(line, _json(_reading(columns, row)))
    except csv.Error as error:
        raise UnreadableData(f"The file is not CSV: {error}.") from None


def _require_columns(columns: list[str]) -> None:
    wrong = [name for name in columns if name not in _COLUMNS or columns.count(name) > 1]
    missing = [name for name in _REQUIRED if name not in columns]
    if wrong or missing:
        raise UnreadableData(
            f"The first line must name the columns sensor, time, value and if needed quality and revision, each once; "
            f"it is {', '.join(columns)[:200]!r}."
        )


def _reading(columns: list[str], row: list[str]) -> dict[str, object]:
    """A row as a reading; empty cells are left out, and cells without a column have a name that is refused."""
    reading: dict[str, object] = {name: cell for name, cell in zip(columns, row, strict=False) if cell}
    with suppress(KeyError, ValueError):
        reading["value"] = float(str(reading["value"]))
    with suppress(KeyError, ValueError):
        reading["revision"] = int(str(reading["revision"]))
    if len(row) > len(columns):
        reading["cells without a column"] = row[len(columns) :]
    return reading
