"""Tombstones: what stands in a page, in the format of the page, in the place of a record that was erased.

The other records keep their bytes, or at least their values and positions, so that what points to them holds.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from functools import reduce
from operator import getitem
from pathlib import Path as FilePath
from typing import Any
from xml.parsers import expat

from sluice.domain.expression import Path
from sluice.domain.json_text import dumps, loads
from sluice.errors import CannotErase
from sluice.formats.csv_format import CsvPage
from sluice.formats.parsed_page import Page
from sluice.formats.xlsx_format import XlsxPage

WORD = "erased"
_TOMBSTONE = {"_erased": True}
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_WORKBOOK = "xl/workbook.xml"


def with_tombstones(content: bytes, page: Page, paths: Collection[Path], texts: Collection[Path] = ()) -> bytes:
    """Replace records of a page by tombstones.

    Args:
        content: the page as received, packed if it was.
        page: the same page, opened.
        paths: the places of the records: keys and indexes from the document, or the number of the row first.
        texts: the places of values outside of records, in JSON and XML, in whose place a word stands.

    Returns:
        The page, packed as it was.

    Raises:
        CannotErase: a place is within a row of a format that has no places within rows.
    """
    return _repacked(content, lambda plain: _WRITERS[page.form](_without_texts(plain, page, texts), page, paths))


def _without_texts(content: bytes, page: Page, texts: Collection[Path]) -> bytes:
    if not texts:
        return content
    if page.form == "xml":
        return _xml(content, page, texts)
    document = _document(content)
    for *parents, last in texts:
        reduce(getitem, parents, document)[last] = WORD
    return dumps(document)


def _document(content: bytes) -> Any:
    return loads(content.removeprefix(b"\xef\xbb\xbf"), exact=True)


def _repacked(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    if content.startswith(_GZIP):
        return gzip.compress(_repacked(gzip.decompress(content), change), mtime=0)
    if content.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if _WORKBOOK not in archive.namelist():
                # The archive's one file with data; `open_unpacked` refuses archives with several.
                return _with_members(archive, lambda _, body: _repacked(body, change))
    return change(content)


def _with_members(archive: zipfile.ZipFile, change: Callable[[zipfile.ZipInfo, bytes], bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as written:
        for member in archive.infolist():
            hidden = member.is_dir() or member.filename.startswith("__MACOSX/")
            body = archive.read(member)
            written.writestr(member, body if hidden else change(member, body), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _json(content: bytes, page: Page, paths: Collection[Path]) -> bytes:
    return dumps(_placed(_document(content), paths))


def _placed(document: Any, paths: Collection[Path]) -> Any:
    if () in paths:
        return _TOMBSTONE
    for *parents, last in paths:
        target = document
        for step in parents:
            target = target[step]
        target[last] = _TOMBSTONE
    return document


def _json_lines(content: bytes, page: Page, paths: Collection[Path]) -> bytes:
    within: dict[int, list[Path]] = {}
    for path in paths:
        within.setdefault(int(path[0]), []).append(path[1:])
    lines, number = [], 0
    for line in content.splitlines(keepends=True):
        if line.strip():
            if number in within:
                plain = line.rstrip(b"\r\n")
                text = plain.removeprefix(b"\xef\xbb\xbf")
                line = dumps(_placed(loads(text, exact=True), within[number])) + line[len(plain) :]
            number += 1
        lines.append(line)
    return b"".join(lines)


def _rows(page: Page, paths: Collection[Path]) -> set[int]:
    if any(len(path) != 1 for path in paths):
        raise CannotErase(f"The record is a part of a row of {page.form.upper()}, which cannot be removed by itself.")
    return {int(path[0]) for path in paths}


def _csv(content: bytes, page: Page, paths: Collection[Path]) -> bytes:
    assert isinstance(page.rows, CsvPage)
    dialect, erased = page.rows.dialect, _rows(page, paths)
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(content.decode(dialect.encoding), newline=""):
            taken.append(line)
            yield line

    written: list[str] = []
    number = -1 if dialect.header else 0
    for row in csv.reader(dialect.lines(lines()), **dialect.reader_options()):  # type: ignore[arg-type]
        if row and number in erased:
            # A blank for a delimiter stands for any number of them, so no field may be empty.
            fields = [WORD] * len(row) if dialect.delimiter == " " else [WORD, *[""] * (len(row) - 1)]
            last = taken[-1]
            written.append(dialect.delimiter.join(fields) + last[len(last.rstrip("\r\n")) :])
        else:
            written += taken
        number += bool(row)
        taken.clear()
    return "".join(written + taken).encode(dialect.encoding)


def _xml(content: bytes, page: Page, paths: Collection[Path]) -> bytes:
    wanted = {_elements(path) for path in paths}
    spans: list[tuple[int, int, str]] = []
    stack: list[tuple[str, int, int]] = []  # the tag, its number among those of its name, and where it begins
    counts: list[dict[str, int]] = [{}]
    parser = expat.ParserCreate()

    def start(tag: str, _: Any) -> None:
        number = counts[-1].get(tag, 0)
        counts[-1][tag] = number + 1
        stack.append((tag, number, parser.CurrentByteIndex))
        counts.append({})

    def end(tag: str) -> None:
        here = tuple((name, number) for name, number, _ in stack)
        _, _, begin = stack.pop()
        counts.pop()
        if here in wanted:
            # Of an empty element `<x/>`, the end is reported at its beginning.
            close = content.index(b">", parser.CurrentByteIndex) + 1
            spans.append((begin, close, tag))

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(content, True)
    if len(spans) != len(wanted):
        raise CannotErase("The record is no element of the XML page of its own.")
    encoding = re.match(rb"<\?xml[^>]*encoding=[\"']([A-Za-z0-9._-]+)", content)
    for begin, close, tag in sorted(spans, reverse=True):
        element = f"<{tag}>{WORD}</{tag}>".encode(encoding[1].decode() if encoding else "utf-8")
        content = content[:begin] + element + content[close:]
    return content


def _elements(path: Path) -> tuple[tuple[str, int], ...]:
    """A path in the parsed document as elements, each with its number among its siblings of the same name."""
    elements: list[tuple[str, int]] = []
    for step in path:
        if isinstance(step, int):
            elements[-1] = (elements[-1][0], step)
        else:
            elements.append((step, 0))
    return tuple(elements)


def _xlsx(content: bytes, page: Page, paths: Collection[Path]) -> bytes:
    assert isinstance(page.rows, XlsxPage)
    from sluice.formats.xlsx_tombstones import without_rows  # only workbooks need it

    numbers = [int(page.rows.pointer((row,)).rpartition("/")[2]) for row in _rows(page, paths)]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        changed = without_rows(archive, page.rows.sheet, set(numbers), WORD)
        return _with_members(archive, lambda member, body: changed.get(member.filename, body))


def _parquet(content: bytes, page: Page, paths: Collection[Path]) -> bytes:
    import duckdb

    rows = ", ".join(map(str, sorted(_rows(page, paths))))
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        source, target = FilePath(folder) / "source.parquet", FilePath(folder) / "target.parquet"
        source.write_bytes(content)
        read = f"read_parquet('{source}', file_row_number = true)"
        names = [name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM read_parquet('{source}')").fetchall()]
        quoted = ['"' + name.replace('"', '""') + '"' for name in names]
        cells = [f"CASE WHEN file_row_number IN ({rows}) THEN NULL ELSE {name} END AS {name}" for name in quoted]
        query = f"SELECT {', '.join(cells)} FROM {read} ORDER BY file_row_number"
        connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        return target.read_bytes()


_WRITERS = {
    "json": _json,
    "jsonl": _json_lines,
    "csv": _csv,
    "xml": _xml,
    "xlsx": _xlsx,
    "parquet": _parquet,
}
