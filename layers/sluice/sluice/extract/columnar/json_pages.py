"""JSON and JSON lines read by the engine: their structure first, then all values as their types."""

from __future__ import annotations

import codecs
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sluice.domain.json_text import keeps_digits
from sluice.domain.run import PageReceipt
from sluice.extract.columnar.expressions import keys_of
from sluice.extract.columnar.json_fields import FieldTable
from sluice.extract.columnar.json_members import MemberTable
from sluice.extract.columnar.json_source import JsonSource, file_name
from sluice.extract.columnar.pages import Otherwise, Pages
from sluice.extract.columnar.structure import Node, null_members, selected, spelled_alike
from sluice.extract.records import Records
from sluice.formats.detect import detect
from sluice.formats.packed import unpacked
from sluice.lake.parquet import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PEEK = 64 << 10
_CHUNK = 8 << 20
# A number stands behind one of these; so may a text that looks like one, which costs time only.
_BEFORE = r"[:,\[\s]-?"
# What the engine and Python read or write in different ways.
_STRANGE = (
    r"\\u00[01]|"  # control characters
    r",\s*[\]}]|"  # a comma behind the last value
    r"[:,\[\s](?:-?(?:[nN][aA][nN]|[iI][nN][fF][a-zA-Z]*)[\s,\]}]|"
    r"-?[0-9]{19}|-0[\s,\]}]|-?[0-9.]+[eE][+-]?[0-9]{3})"
)
# Numbers with so many digits that a double may not hold all of them.
_LONG = _BEFORE + r"([0-9][0-9.]{15,}(?:[eE][+-]?[0-9]+)?)"


class JsonReader:
    """Reads pages of JSON, or of JSON lines, as lists of objects."""

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, folder: Path) -> None:
        self._pages = pages
        self._connection = connection
        self._folder = folder
        self._way = keys_of(pages.datasource.records)
        self._files: list[Path] = []
        self._lines: dict[str, int] = {}
        self._largest = 0

    def take(self, receipt: PageReceipt, content: IO[bytes]) -> None:
        """Keep a page as a file, JSON lines in parts that are lists."""
        pages = self._pages
        with unpacked(content, receipt.filename, pages.limits) as (plain, name):
            form = detect(pages.datasource.format, receipt.media_type, name, plain.read(_PEEK))
            plain.seek(0)
            place = len({file.name.partition("-")[0] for file in self._files})
            if form == "json":
                self._take_document(plain, receipt, place)
            elif form == "jsonl" and not self._way:
                self._take_lines(plain, receipt, place)
            else:
                raise Otherwise

    def _write(self, path: Path, body: bytes) -> None:
        path.write_bytes(body)
        self._files.append(path)
        self._largest = max(self._largest, len(body))

    def _take_document(self, content: IO[bytes], receipt: PageReceipt, place: int) -> None:
        body = content.read(self._pages.limits.document_bytes + 1).removeprefix(codecs.BOM_UTF8)
        if len(body) > self._pages.limits.document_bytes or body[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise Otherwise
        self._write(self._folder / file_name(place, receipt.number, 0), body)

    def _take_lines(self, content: IO[bytes], receipt: PageReceipt, place: int) -> None:
        first = 0
        rest = b""
        while chunk := content.read(_CHUNK):
            chunk = chunk if first or rest else chunk.removeprefix(codecs.BOM_UTF8)
            lines, line_break, rest = (rest + chunk).rpartition(b"\n")
            if len(rest) > self._pages.limits.document_bytes:
                raise Otherwise
            if line_break:
                first += self._take_part(lines, receipt, place, first)
        if rest:
            first += self._take_part(rest, receipt, place, first)
        if first == 0:
            raise Otherwise

    def _take_part(self, lines: bytes, receipt: PageReceipt, place: int, first: int) -> int:
        """Write whole lines as a list; how many records it must have."""
        lines = lines.strip()
        if not lines:
            return 0
        if b"\r" in lines:
            lines = lines.replace(b"\r\n", b"\n")
        if b"\n\n" in lines or b"\n " in lines or b"\n\t" in lines:
            lines = b"\n".join(line for line in lines.split(b"\n") if line.strip())
        path = self._folder / file_name(place, receipt.number, first)
        self._write(path, b"[" + lines.replace(b"\n", b",\n") + b"\n]")
        self._lines[path.name] = lines.count(b"\n") + 1
        return self._lines[path.name]

    def records(self) -> Records:
        """The records of all pages."""
        source = JsonSource(self._files, self._largest, self._way)
        structure = self._structure(source)
        source = replace(source, single=structure.single, nulls=structure.nulls)
        table = FieldTable if self._pages.selected else MemberTable
        return table(self._pages, self._connection, source, structure.record).records()

    def _structure(self, source: JsonSource) -> _Structure:
        """The structure of all records.

        Raises:
            Otherwise: the pages have something that the engine reads in its own way, or no records.
        """
        found = self._connection.execute(f"""
            SELECT first, page, place, structure, json_array_length(json), regexp_matches(json, {literal(_STRANGE)}),
                   CASE WHEN contains(structure, 'DOUBLE') THEN list_filter(
                       regexp_extract_all(json, {literal(_LONG)}, 1),
                       lambda number: regexp_matches(number, '[.eE]') AND number::DOUBLE::VARCHAR <> number) END,
                   CASE WHEN NOT contains(json, '\\":null') AND NOT contains(json, '\\": null')
                        THEN len(string_split(json, '":null')) + len(string_split(json, '": null')) - 2 END
            FROM (SELECT *, json_structure(json) AS structure FROM {source.documents}) ORDER BY place, first
        """).fetchall()
        if len(found) != len(self._files):
            raise Otherwise  # a file holds more than one document, or none
        structure = _Structure(self._way)
        for first, page, place, text, length, strange, long, nulls in found:
            lines = self._lines.get(file_name(place, page, first))
            if strange or lines not in (None, length) or not all(map(_is_kept, long or [])):
                raise Otherwise
            structure.add(text, nulls)
        structure.require_records()
        return structure


class _Structure:
    """What the engine says of all pages.

    Args:
        way: the keys that lead to the records.

    Attributes:
        nulls: how many members of the records are null; none where that is not known.
    """

    def __init__(self, way: list[str]) -> None:
        self._way = way
        self.record = Node()
        self.nulls: int | None = 0
        self._shapes: dict[str, str] = {}
        self._others: dict[str, int | None] = {}

    def add(self, structure: str, nulls: int | None) -> None:
        """Take in a page.

        Args:
            nulls: how many members of its objects are null; none where that is not known.
        """
        if structure not in self._shapes:
            self._shapes[structure] = self._added(structure)
            self._others[structure] = null_members(structure, self._way)
        others = self._others[structure]
        unknown = self.nulls is None or nulls is None or others is None
        self.nulls = None if unknown else self.nulls + nulls - others  # type: ignore[operator]

    def _added(self, structure: str) -> str:
        """Whether a page has a list of records, a single one, or an empty list."""
        match selected(structure, self._way):
            case ["NULL"]:
                return "nothing"
            case [dict() as members]:
                self.record.add(members)
                return "list"
            case dict() as members:
                self.record.add(members)
                return "single"
            case _:
                raise Otherwise

    def require_records(self) -> None:
        """Refuse pages that have no records, or some of them a list and others a single one."""
        shapes = set(self._shapes.values()) - {"nothing"}
        if not self.record.members or len(shapes) != 1 or spelled_alike(self.record):
            raise Otherwise

    @property
    def single(self) -> bool:
        """Whether each page has a single record."""
        return "single" in self._shapes.values()


def _is_kept(number: str) -> bool:
    """Whether a double gives back the number; a text that only looks like one says nothing."""
    try:
        return keeps_digits(Decimal(number))
    except InvalidOperation:
        return True
