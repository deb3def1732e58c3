"""JSON and JSON Lines read by the engine: first the shapes of records, then all values in their types."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, TYPE_CHECKING

import orjson

from sluice.domain.json_text import keeps_digits
from sluice.domain.run import PageReceipt
from sluice.extract.columnar.expressions import keys_of, sql_of
from sluice.extract.columnar.json_fields import FieldTable
from sluice.extract.columnar.json_files import JsonFile, Layout, store_page
from sluice.extract.columnar.json_members import MemberTable
from sluice.extract.columnar.json_shapes import Shapes
from sluice.extract.columnar.json_source import VERBATIM, JsonSource
from sluice.extract.columnar.pages import NotColumnar, Pages
from sluice.extract.columnar.structure import has_keys_differing_in_case
from sluice.extract.records import Records
from sluice.formats.detect import detect_format
from sluice.formats.extended_json import plain_lines
from sluice.formats.packed import open_unpacked
from sluice.lake.parquet import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PEEK = 64 << 10
_LAYOUTS: dict[str, Layout] = {"json": "document", "jsonl": "lines"}
# The engine accepts trailing commas, which are not JSON.
_LAST_COMMA = r"regexp_matches(json, ',\s*[\]}]')"
_MOST_COMMAS = 1_000
# Numbers that are so long or so small that a double may not represent them, or strings that look like one.
# The match includes the preceding character, since extracting a group would take longer.
_LONG = r"[:,\[\s]-?(?:[0-9][0-9.]{15,}(?:[eE][+-]?[0-9]+)?|[0-9.]+[eE]-[0-9]{3,})"
# The engine filters first, since millions of numbers may be long; Python decides about the rest.
_MAY_BE_LOST = """(contains(found, '.') OR contains(lower(found), 'e'))
    AND TRY_CAST(substr(found, 2) AS DOUBLE)::VARCHAR IS DISTINCT FROM substr(found, 2)"""


class JsonReader:
    """Reads pages of JSON or JSON Lines as lists of objects."""

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, folder: Path) -> None:
        self._pages = pages
        self._connection = connection
        self._folder = folder
        self._path = keys_of(pages.datasource.records)
        for expression in pages.selected.values():
            sql_of(expression, "record")  # before any page is stored
        self._files: list[JsonFile] = []
        self._layout: Layout | None = None

    def add_page(self, receipt: PageReceipt, content: IO[bytes]) -> None:
        """Store a page as a file."""
        pages = self._pages
        with (
            open_unpacked(content, receipt.filename, pages.limits) as (packed, name),
            plain_lines(packed, receipt.media_type, pages.limits) as plain,
        ):
            form = detect_format(pages.datasource.format, receipt.media_type, name, plain.read(_PEEK))
            plain.seek(0)
            layout = _LAYOUTS.get(form)
            # JSON Lines are documents of their own, so no path leads to their records.
            if layout is None or self._layout not in (None, layout) or (layout == "lines" and self._path):
                raise NotColumnar
            self._layout = layout
            path = self._folder / f"{len(self._files)}.json"
            self._files.append(store_page(plain, layout, path, receipt.number, pages.limits.document_bytes))

    def records(self) -> Records:
        """The records of all pages."""
        assert self._layout is not None, "there are pages"
        source = JsonSource(self._files, self._layout, self._path)
        if self._layout == "document":
            source = replace(source, single=self._is_single(replace(source, files=self._files[:1])))
        shapes = Shapes(self._connection, source, None if self._pages.datasource.FLATTENS else 1)
        if self._layout == "document" and not shapes.uniform:
            self._is_single(source)
        if has_keys_differing_in_case(shapes.record):
            raise NotColumnar
        self._require_plain(source, shapes)
        table = FieldTable if self._pages.selected else MemberTable
        return table(self._pages, self._connection, source, shapes).records()

    def _is_single(self, source: JsonSource) -> bool:
        """Whether each page has a single record, not a list.

        Raises:
            NotColumnar: pages differ, have neither, or are not a single document.
        """
        kinds = self._connection.execute(
            f"SELECT json_type(json, {literal(source.records_path)}), count(*), count(DISTINCT place) "
            f"FROM {source.documents} GROUP BY 1"
        ).fetchall()
        if len(kinds) != 1:
            raise NotColumnar
        kind, documents, pages = kinds[0]
        if kind not in ("ARRAY", "OBJECT") or not documents == pages == len(source.files):
            raise NotColumnar
        return bool(kind == "OBJECT")

    def _require_plain(self, source: JsonSource, shapes: Shapes) -> None:
        """Refuse what the engine accepts as JSON but Python does not, and numbers that a double cannot represent.

        Raises:
            NotColumnar: something of that kind may occur.
        """
        kinds = {kind for _, node in shapes.record.nodes() for kind in node.kinds}
        long = "NULL"
        if {"double", "json"} & kinds and not shapes.has_short_numbers:
            long = f"list_filter(regexp_extract_all(json, {literal(_LONG)}), lambda found: {_MAY_BE_LOST})"
        verbatim = VERBATIM if shapes.first_verbatim else "false"
        odd = f"CASE WHEN NOT ({verbatim}) THEN {{'comma': {_LAST_COMMA}, 'long': {long}}} END"
        if shapes.all_verbatim:
            if self._layout == "lines":
                return
            odd = "{'comma': false, 'long': []::VARCHAR[]}"
        counts = self._connection.execute(f"""
            SELECT count(DISTINCT place), count(*), count(*) FILTER (odd.comma),
                   flatten(list(odd.long) FILTER (len(odd.long) > 0))
            FROM (SELECT place, {odd} AS odd FROM {source.documents})
        """).fetchone()
        pages, documents, commas, numbers = counts or (0, 0, 0, [])
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
    """Refuse text that is not JSON. What looked like a trailing comma may also be in a string."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        raise NotColumnar from None


def _is_kept(number: str) -> bool:
    """Whether a double represents the number. Text that only looks like a number is fine."""
    try:
        return keeps_digits(Decimal(number))
    except InvalidOperation:
        return True
