"""JSON and JSON lines read by the engine: their shapes first, then all values as their types."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, TYPE_CHECKING

import orjson

from sluice.domain.json_text import keeps_digits
from sluice.domain.run import PageReceipt
from sluice.extract.columnar.expressions import keys_of
from sluice.extract.columnar.json_fields import FieldTable
from sluice.extract.columnar.json_files import JsonFile, Layout, keep
from sluice.extract.columnar.json_members import MemberTable
from sluice.extract.columnar.json_shapes import Shapes
from sluice.extract.columnar.json_source import SAME, JsonSource
from sluice.extract.columnar.pages import NotColumnar, Pages
from sluice.extract.columnar.structure import spelled_alike
from sluice.extract.records import Records
from sluice.formats.detect import detect_format
from sluice.formats.extended_json import plain_lines
from sluice.formats.packed import open_unpacked
from sluice.lake.parquet import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PEEK = 64 << 10
_LAYOUTS: dict[str, Layout] = {"json": "document", "jsonl": "lines"}
# The engine takes a comma behind the last value, which is no JSON.
_LAST_COMMA = r"regexp_matches(json, ',\s*[\]}]')"
_MOST_COMMAS = 1_000
# Numbers with so many digits, or so small ones, that a double may not hold them; or texts that look like one.
# The character before comes with each: to ask for a group takes longer.
_LONG = r"[:,\[\s]-?(?:[0-9][0-9.]{15,}(?:[eE][+-]?[0-9]+)?|[0-9.]+[eE]-[0-9]{3,})"
_MAY_BE_LOST = """(contains(found, '.') OR contains(lower(found), 'e'))
    AND TRY_CAST(substr(found, 2) AS DOUBLE)::VARCHAR IS DISTINCT FROM substr(found, 2)"""


class JsonReader:
    """Reads pages of JSON, or of JSON lines, as lists of objects."""

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, folder: Path) -> None:
        self._pages = pages
        self._connection = connection
        self._folder = folder
        self._way = keys_of(pages.datasource.records)
        self._files: list[JsonFile] = []
        self._layout: Layout | None = None

    def take(self, receipt: PageReceipt, content: IO[bytes]) -> None:
        """Keep a page as a file."""
        pages = self._pages
        with (
            open_unpacked(content, receipt.filename, pages.limits) as (packed, name),
            plain_lines(packed, receipt.media_type, pages.limits) as plain,
        ):
            form = detect_format(pages.datasource.format, receipt.media_type, name, plain.read(_PEEK))
            plain.seek(0)
            layout = _LAYOUTS.get(form)
            if layout is None or self._layout not in (None, layout) or (layout == "lines" and self._way):
                raise NotColumnar
            self._layout = layout
            path = self._folder / f"{len(self._files)}.json"
            self._files.append(keep(plain, layout, path, receipt.number, pages.limits.document_bytes))

    def records(self) -> Records:
        """The records of all pages."""
        assert self._layout is not None, "there are pages"
        source = JsonSource(self._files, self._layout, self._way)
        if self._layout == "document":
            source = replace(source, single=self._is_single(replace(source, files=self._files[:1])))
        shapes = Shapes(self._connection, source)
        if self._layout == "document" and not shapes.alike:
            self._is_single(source)
        if spelled_alike(shapes.record):
            raise NotColumnar
        self._require_plain(source, shapes)
        table = FieldTable if self._pages.selected else MemberTable
        return table(self._pages, self._connection, source, shapes).records()

    def _is_single(self, source: JsonSource) -> bool:
        """Whether each of these pages has a single record, and not a list of them.

        Raises:
            NotColumnar: pages differ, have neither, or are no single document.
        """
        found = self._connection.execute(
            f"SELECT json_type(json, {literal(source.records_path)}), count(*), count(DISTINCT place) "
            f"FROM {source.documents} GROUP BY 1"
        ).fetchall()
        if len(found) != 1:
            raise NotColumnar
        kind, documents, pages = found[0]
        if kind not in ("ARRAY", "OBJECT") or not documents == pages == len(source.files):
            raise NotColumnar
        return bool(kind == "OBJECT")

    def _require_plain(self, source: JsonSource, shapes: Shapes) -> None:
        """Refuse what the engine takes for JSON and Python does not, and numbers that a double does not hold.

        Raises:
            NotColumnar: there is something like that.
        """
        kinds = {kind for _, node in shapes.record.nodes() for kind in node.kinds}
        long = "NULL"
        if {"double", "json"} & kinds and not shapes.has_short_numbers:
            long = f"list_filter(regexp_extract_all(json, {literal(_LONG)}), lambda found: {_MAY_BE_LOST})"
        same = SAME if shapes.begin_same else "false"
        odd = f"CASE WHEN NOT ({same}) THEN {{'comma': {_LAST_COMMA}, 'long': {long}}} END"
        if shapes.are_same:
            if self._layout == "lines":
                return
            odd = "{'comma': false, 'long': []::VARCHAR[]}"
        found = self._connection.execute(f"""
            SELECT count(DISTINCT place), count(*), count(*) FILTER (odd.comma),
                   flatten(list(odd.long) FILTER (len(odd.long) > 0))
            FROM (SELECT place, {odd} AS odd FROM {source.documents})
        """).fetchone()
        pages, documents, commas, numbers = found or (0, 0, 0, [])
        if self._layout == "document" and documents != pages:
            raise NotColumnar
        if (
            pages != len(self._files)
            or commas > _MOST_COMMAS
            or not all(_is_kept(number[1:]) for number in numbers or [])
        ):
            raise NotColumnar
        if commas:
            documents = self._connection.execute(f"SELECT json FROM {source.documents} WHERE {_LAST_COMMA}")
            for (text,) in documents.fetchall():
                _require_json(text)


def _require_json(text: str) -> None:
    """Refuse what is no JSON: a text within it may look like a comma behind the last value."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        raise NotColumnar from None


def _is_kept(number: str) -> bool:
    """Whether a double gives back the number; a text that only looks like one says nothing."""
    try:
        return keeps_digits(Decimal(number))
    except InvalidOperation:
        return True
