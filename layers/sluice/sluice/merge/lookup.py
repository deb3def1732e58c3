"""Find one record of a version by its key."""

from __future__ import annotations

from typing import Any

from sluice.domain.dataset import Manifest, Version
from sluice.domain.merge import RowsMerge
from sluice.domain.schema import duckdb_type
from sluice.errors import NotFound
from sluice.lake.json_values import json_row
from sluice.lake.ordered import object_for_key
from sluice.lake.parquet import display_query, engine, engine_name, placed_rows, quoted
from sluice.lake.store import Lake
from sluice.merge.key_matching import parse_key
from sluice.settings import Settings


def find_record(
    lake: Lake, settings: Settings, version: Version, manifest: Manifest, spec: RowsMerge, key: list[str]
) -> tuple[dict[str, Any], int]:
    """Find the record of a key.

    Args:
        lake: where the version's objects are read.
        settings: the engine's limits.
        version: the version, for the message.
        manifest: its manifest.
        spec: the merge that made the version, with the normalizers of the key.
        key: the values of the key's columns, in order, as text.

    Returns:
        The record as JSON values, and the number of its row in the version.

    Raises:
        NotFound: there is no such record.
        Invalid: the key does not fit the columns.
    """
    by_name = {column.name: column for column in manifest.columns}
    columns = [by_name[name] for name in manifest.key or spec.key or []]
    values = parse_key(spec, columns, key)
    where = " AND ".join(f"{quoted(column.name)} = ?::{duckdb_type(column.type)}" for column in columns)
    with lake.scratch() as scratch, engine(settings, scratch.parent) as connection:
        index = object_for_key(connection, manifest, columns, values, engine_name())
        # Parts are ranges of keys, so one object has the record; `before` is the number of rows in those before it.
        objects = manifest.objects if index is None else [manifest.objects[index]]
        before = sum(stored.rows for stored in manifest.objects[:index]) if index is not None else 0
        rows = placed_rows(lake.local_files(objects), manifest.columns, [], before)
        query = display_query(f"SELECT * FROM {rows} WHERE {where}", manifest.columns, ["__sluice_at"])
        row = connection.execute(query, values).fetchone()
    if row is None:
        raise NotFound(f"Version {version.number} has no record with the key {', '.join(key)}.")
    return json_row(manifest.columns, row[:-1]), int(row[-1])
