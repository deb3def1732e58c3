"""One row of a datasource's version, as it was received."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluice.domain.dataset import Manifest, Version
from sluice.lake.json_values import json_row
from sluice.lake.ordered import object_at
from sluice.lake.parquet import display_query, engine, placed_rows
from sluice.lake.store import Lake
from sluice.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class SourceRow:
    """A row, and the open engine that has it.

    Args:
        manifest: the version's manifest.
        values: the row as JSON values, by column.
        position: its `_page` and `_row`, and `_run` if the version has records of several runs.
        lacking: the columns that its record does not have.
        connection: the engine.
        source: the SQL of rows in it; `__sluice_at` is the number of a row in the version.
    """

    manifest: Manifest
    values: dict[str, Any]
    position: dict[str, Any]
    lacking: set[str]
    connection: DuckDBPyConnection
    source: str


@contextmanager
def source_row(lake: Lake, settings: Settings, version: Version, row: int) -> Iterator[SourceRow]:
    """Read a row of a datasource's version.

    Args:
        lake: where the version is.
        settings: the engine's limits.
        version: a version of a datasource.
        row: the number of the row in the version, from 0; the version has it.
    """
    manifest = lake.manifest(version.manifest_key)
    stored, before = object_at(manifest.objects, row)
    files = lake.local_files([stored])
    lacks = any(column.missing for column in version.schema_)
    more = [*manifest.position, *(["_missing"] if lacks else [])]
    with lake.scratch() as scratch, engine(settings, scratch.parent) as connection:
        source = placed_rows(files, version.schema_, more, before)
        query = display_query(f"SELECT * FROM {source} WHERE __sluice_at = ?", version.schema_, more)
        found = connection.execute(query, [row]).fetchone()
        assert found is not None, "the version has the row"
        values = json_row(version.schema_, found[: len(version.schema_)])
        position = dict(zip(more, found[len(version.schema_) :], strict=False))
        lacking = set(position.pop("_missing", None) or [])
        yield SourceRow(manifest, values, position, lacking, connection, source)
