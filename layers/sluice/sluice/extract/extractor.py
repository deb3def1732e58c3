"""The extract stage: raw pages to one version's Parquet and manifest."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import orjson

from sluice import __version__
from sluice.domain.dataset import Manifest, Origin
from sluice.domain.datasource import Datasource
from sluice.domain.json_text import dumps, loads
from sluice.domain.names import now, rfc3339
from sluice.domain.run import FetchIndex, PageReceipt, Run, capped
from sluice.domain.schema import Column, duckdb_type
from sluice.errors import UnreadableData
from sluice.extract.flatten import Columns, RowMaker
from sluice.extract.typing import ColumnTypes
from sluice.formats.csv_format import column_names
from sluice.formats.limits import Limits
from sluice.formats.page import page_format, records
from sluice.lake import keys
from sluice.lake.parquet import copy_to, data_object, engine, engine_name, literal, quoted
from sluice.lake.store import Lake
from sluice.settings import Settings


def extract(run: Run, datasource: Datasource, index: FetchIndex, lake: Lake, settings: Settings) -> str:
    """Write the version that a run's pages make.

    Returns:
        The key of its manifest, for the commit.

    Raises:
        UnreadableData: a page is not what the datasource says; the detail names it.
    """
    fingerprint = fingerprint_of(run, datasource, index)
    folder = keys.version_folder(run, fingerprint)
    with lake.scratch() as scratch:
        rows = _RowFile(scratch.with_name("rows.jsonl"))
        columns, warnings = rows.fill(run, datasource, index, lake, settings)
        parquet = scratch.with_name("part.parquet")
        _write_parquet(rows, parquet, columns, settings)
        part = data_object(keys.data(folder, 0), parquet, rows.count)
        lake.put_file(part.key, parquet)
    manifest = Manifest(
        dataset=f"datasource/{datasource.slug}",
        run=run.id,
        attempt=run.attempt,
        stage="records",
        created_at=rfc3339(now()),
        data_as_of=index.fetched_at,
        columns=columns,
        objects=[part],
        rows=part.rows,
        bytes=part.bytes,
        completeness=index.completeness,
        completeness_reasons=index.completeness_reasons,
        warnings=capped([*index.completeness_reasons, *warnings]),
        fingerprint=fingerprint,
        engine=engine_name(),
        pages=[page.hash or "" for page in index.pages],
        spec={
            "datasource": datasource.model_dump(mode="json", by_alias=True),
            "index": keys.fetch_index(run, index.attempt),
        },
        origin=Origin(key=run.drop.key, sequencer=run.drop.sequencer) if run.drop else None,
        once=datasource.kind == "file",
    )
    key = keys.manifest(folder)
    lake.put_json(key, manifest.model_dump(mode="json"))
    return key


# What of a datasource's document decides about the records that its pages give.
_DECIDING = {"kind", "format", "records", "allow_missing", "fields", "types", "primary_key", "write_disposition"}


def fingerprint_of(run: Run, datasource: Datasource, index: FetchIndex) -> str:
    """A hash of all that decides about a version's bytes: pages, document, release, engine."""
    expressions = set((datasource.fields or {}).values())
    decides: dict[str, Any] = {
        "release": __version__,
        "engine": engine_name(),
        "datasource": datasource.model_dump(mode="json", include=_DECIDING),
        # Media type and ending decide about the format where the datasource does not.
        "pages": [
            [page.hash, page.media_type, (page.filename or "").rpartition(".")[2].lower()] for page in index.pages
        ],
        "completeness": index.completeness,
    }
    if datasource.kind == "file":
        expressions = set()  # the same bytes twice are one version, whenever they came
    if "$run" in expressions:
        decides["run"] = run.id
    if "$fetched_at" in expressions:
        decides["fetched_at"] = [page.fetched_at for page in index.pages]
    text = orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)
    return "sha256:" + hashlib.sha256(text).hexdigest()


# DuckDB sets aside a multiple of the longest line that it is told to expect.
_LINE = 1 << 20


class _RowFile:
    """The rows of a run, one JSON line each: written as they come, then again with their types."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.longest = 0

    def fill(
        self, run: Run, datasource: Datasource, index: FetchIndex, lake: Lake, settings: Settings
    ) -> tuple[list[Column], list[str]]:
        limits = Limits.of(settings)
        maker = RowMaker(datasource, run, Columns(settings.max_columns))
        types = ColumnTypes(datasource)
        untyped = self.path.with_name("untyped.jsonl")
        with untyped.open("wb") as file:
            for page in index.pages:
                with lake.raw(page.hash or "") as content:
                    self._page(file, page, content, datasource, maker, types, limits)
        columns = types.columns()
        self._convert(untyped, columns, types)
        untyped.unlink()
        left_out = types.unconverted()
        columns = [
            column.model_copy(update={"nullable": column.nullable or column.name in left_out}) for column in columns
        ]
        return columns, types.warnings()

    def _page(
        self,
        file: IO[bytes],
        page: PageReceipt,
        content: IO[bytes],
        datasource: Datasource,
        maker: RowMaker,
        types: ColumnTypes,
        limits: Limits,
    ) -> None:
        try:
            text = page_format(datasource, page, content) == "csv"
            if text and not datasource.selects_columns and datasource.records == "@":
                types.know(column_names(content, limits))
            exact = [name for name, kind in datasource.types.items() if kind.startswith("decimal")]
            for position, record in enumerate(records(datasource, page, content, limits)):
                row = maker.row(record, page)
                types.see(row, text=text)
                if not isinstance(record, dict) and not datasource.selects_columns:
                    types.declare("value", "json")
                self.count += 1
                for name in exact:
                    if isinstance(row.get(name), Decimal):
                        row[name] = str(row[name])
                file.write(dumps([page.number, position, row]) + b"\n")
        except UnreadableData as error:
            raise _naming_page(error, page.number, page.url) from None

    def _convert(self, untyped: Path, columns: list[Column], types: ColumnTypes) -> None:
        with untyped.open("rb") as source, self.path.open("wb") as target:
            for line in source:
                page, position, row = loads(line)
                typed = types.converted(row, columns, page, position)
                text = dumps({"_page": page, "_row": position, **typed}) + b"\n"
                self.longest = max(self.longest, len(text))
                target.write(text)


def _naming_page(error: UnreadableData, number: int, url: str) -> UnreadableData:
    return type(error)(f"Page {number} ({url}): {error.detail}")


def _write_parquet(rows: _RowFile, parquet: Path, columns: list[Column], settings: Settings) -> None:
    # JSON is read as text and declared afterwards: DuckDB would write its numbers anew.
    types = {"_page": "BIGINT", "_row": "BIGINT"}
    types |= {column.name: duckdb_type(column.type).replace("JSON", "VARCHAR") for column in columns}
    declared = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
    selected = [
        f"{quoted(column.name)}::JSON AS {quoted(column.name)}" if column.type == "json" else quoted(column.name)
        for column in columns
    ]
    query = f"""
        SELECT {", ".join([*selected, "_page", "_row"])}
        FROM read_json({literal(str(rows.path))}, format = 'newline_delimited', columns = {{{declared}}},
                       maximum_object_size = {max(rows.longest, _LINE)})
        ORDER BY _page, _row
    """
    with engine(settings, rows.path.parent) as connection:
        connection.execute(f"COPY ({query}) {copy_to(parquet)}")
