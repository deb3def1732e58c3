"""One record of a version, by its key."""

from __future__ import annotations

from typing import Any

from sluice.domain.dataset import Manifest, Version
from sluice.domain.merge import RowsMerge
from sluice.domain.schema import duckdb_type
from sluice.errors import NotFound
from sluice.lake.json_values import json_row
from sluice.lake.ordered import object_with
from sluice.lake.parquet import engine, engine_name, placed_rows, quoted, shown_query
from sluice.lake.store import Lake
from sluice.merge.key_matching import typed_key
from sluice.settings import Settings


def found_record(
    lake: Lake, settings: Settings, version: Version, manifest: Manifest, spec: RowsMerge, key: list[str]
) -> tuple[dict[str, Any], int]:
    """The record, and its place among the version's rows.

    Args:
        spec: the merge that made the version; keys are normalized as it says.
        key: the values of the key's columns, in their order, as text.

    Raises:
        NotFound: there is no such record.
        Invalid: the key does not fit the columns.
    """
    by_name = {column.name: column for column in manifest.columns}
    columns = [by_name[name] for name in manifest.key or spec.key or []]
    values = typed_key(spec, columns, key)
    where = " AND ".join(f"{quoted(one.name)} = ?::{duckdb_type(one.type)}" for one in columns)
    with lake.scratch() as scratch, engine(settings, scratch.parent) as connection:
        alone = object_with(connection, manifest, columns, values, engine_name())
        objects = manifest.objects if alone is None else [manifest.objects[alone]]
        before = sum(one.rows for one in manifest.objects[:alone]) if alone is not None else 0
        rows = placed_rows(lake.local_files(objects), manifest.columns, [], before)
        query = shown_query(f"SELECT * FROM {rows} WHERE {where}", manifest.columns, ["__sluice_at"])
        found = connection.execute(query, values).fetchone()
    if found is None:
        raise NotFound(f"Version {version.number} has no record of the key {', '.join(key)}.")
    return json_row(manifest.columns, found[:-1]), int(found[-1])
