"""JSON and JSON lines read by the engine: their structure first, then all values as their types."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sluice.domain.json_text import keeps_digits
from sluice.domain.run import PageReceipt
from sluice.extract.columnar.expressions import keys_of
from sluice.extract.columnar.json_fields import FieldTable
from sluice.extract.columnar.json_files import JsonFile, JsonFiles
from sluice.extract.columnar.json_members import MemberTable
from sluice.extract.columnar.json_source import JsonSource
from sluice.extract.columnar.pages import Otherwise, Pages
from sluice.extract.columnar.structure import Node, null_members, selected, spelled_alike
from sluice.extract.records import Records
from sluice.formats.detect import detect
from sluice.formats.packed import unpacked
from sluice.lake.parquet import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PEEK = 64 << 10
# So many bytes are looked at together.
_AT_ONCE = 32 << 20
# A number stands behind one of these; so may a text that looks like one, which costs time only.
_BEFORE = r"[:,\[\s]-?"
# What the engine and Python read or write in different ways.
_STRANGE = (
    r"\\u00[01]|"  # control characters
    r",\s*[\]}]|"  # a comma behind the last value
    r"[:,\[\s](?:-?(?:[nN][aA][nN]|[iI][nN][fF][a-zA-Z]*)[\s,\]}]|"
    r"-?[0-9]{20}|-0[\s,\]}]|-?[0-9.]+[eE][+-]?[0-9]{3})"
)
# Numbers with so many digits that a double may not hold all of them.
_LONG = _BEFORE + r"([0-9][0-9.]{15,}(?:[eE][+-]?[0-9]+)?)"


class JsonReader:
    """Reads pages of JSON, or of JSON lines, as lists of objects."""

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, folder: Path) -> None:
        self._pages = pages
        self._connection = connection
        self._way = keys_of(pages.datasource.records)
        self._files = JsonFiles(folder, pages.limits.document_bytes)
        self._waiting: list[JsonFile] = []
        self._said: list[Future[list[tuple[Any, ...]]]] = []
        self._pool = ThreadPoolExecutor(1)

    def take(self, receipt: PageReceipt, content: IO[bytes]) -> None:
        """Keep a page as files; the engine looks at their structure while further ones come."""
        pages = self._pages
        with unpacked(content, receipt.filename, pages.limits) as (plain, name):
            form = detect(pages.datasource.format, receipt.media_type, name, plain.read(_PEEK))
            plain.seek(0)
            if form == "json":
                self._files.document(plain, receipt.number, self._look)
            elif form == "jsonl" and not self._way:
                self._files.lines(plain, receipt.number, self._look)
            else:
                raise Otherwise

    def _look(self, file: JsonFile) -> None:
        """Have the engine look at the files that wait, when they are enough to be worth it."""
        self._waiting.append(file)
        if sum(file.size for file in self._waiting) >= _AT_ONCE:
            self._said.append(self._pool.submit(self._structures, self._waiting))
            self._waiting = []

    def _structures(self, files: list[JsonFile]) -> list[tuple[Any, ...]]:
        """What the engine says of each of some files: name, structure, length, whether it is strange, long numbers."""
        source = JsonSource(files, [])
        query = f"""
            SELECT name, structure, json_array_length(json), regexp_matches(json, {literal(_STRANGE)}),
                   CASE WHEN contains(structure, 'DOUBLE') THEN list_filter(
                       regexp_extract_all(json, {literal(_LONG)}, 1),
                       lambda number: regexp_matches(number, '[.eE]') AND number::DOUBLE::VARCHAR <> number) END
            FROM (SELECT *, json_structure(json) AS structure FROM {source.documents}) ORDER BY place, first
        """
        found = self._connection.cursor().execute(query).fetchall()
        if len(found) != len(files):
            raise Otherwise  # a file holds more than one document, or none
        return found

    def records(self) -> Records:
        """The records of all pages."""
        structure = self._structure()
        source = JsonSource(self._files.all, self._way, structure.single, structure.nulls)
        table = FieldTable if self._pages.selected else MemberTable
        return table(self._pages, self._connection, source, structure.record).records()

    def _structure(self) -> _Structure:
        """The structure of all records.

        Raises:
            Otherwise: the pages have something that the engine reads in its own way, or no records.
        """
        said = [found for future in self._said for found in future.result()]
        said += self._structures(self._waiting) if self._waiting else []
        structure = _Structure(self._way)
        for file, (name, text, length, strange, long) in zip(self._files.all, said, strict=True):
            assert name == file.path.name, "the engine tells of the files in their order"
            if strange or file.records not in (None, length) or not all(map(_is_kept, long or [])):
                raise Otherwise
            structure.add(text, file.nulls)
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
