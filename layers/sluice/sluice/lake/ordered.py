"""Rows in key order: a key as one value, and ranges of keys that divide the rows.

A range includes its start and ends before the next range's start. Keys are hexadecimal texts, which sort as the keys
do; the empty text precedes all of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sluice.domain.dataset import DataObject, Manifest
from sluice.domain.schema import Column, duckdb_type

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def order_key(cells: list[str]) -> str:
    """The SQL of a key as one value that is equal where the cells are equal, and sorts as they do.

    The engine's own comparison is used, so that keys which a join considers equal are equal here, too.

    Args:
        cells: the SQL of the key's columns.
    """
    # The empty text makes the result a BLOB: for few short cells DuckDB would return an integer.
    terms = ", ".join(f"{cell}, 'ASC NULLS LAST'" for cell in [*cells, "''"])
    return f"create_sort_key({terms})"


def range_starts(weights: Mapping[str, int], ranges: int) -> list[str]:
    """The starts of ranges of about equal weight; fewer ranges if there are few keys.

    Args:
        weights: the number of rows by key.
        ranges: the number of ranges.
    """
    total, passed, next_start = sum(weights.values()), 0, 1
    starts = [""]
    for key, weight in sorted(weights.items()):
        if passed * ranges >= total * next_start:
            starts.append(key)
            next_start = passed * ranges // total + 1
        passed += weight
    return starts


def range_number(key: str, starts: list[str]) -> str:
    """The SQL of the number of the range that a key is in, found by binary search.

    Args:
        key: the SQL of a key, as `order_key` returns it.
        starts: the starts of the ranges.
    """

    def halved(low: int, high: int) -> str:
        if low == high:
            return str(low)
        middle = (low + high + 1) // 2
        below, above = halved(low, middle - 1), halved(middle, high)
        return f"CASE WHEN {key} < from_hex('{starts[middle]}') THEN {below} ELSE {above} END"

    return f"({halved(0, len(starts) - 1)})::USMALLINT"


def object_for_key(
    connection: DuckDBPyConnection, manifest: Manifest, columns: list[Column], values: list[Any], engine: str
) -> int | None:
    """The index of the only object of a version that can contain a key.

    Args:
        connection: any connection of the engine.
        manifest: the manifest of the version.
        columns: the columns of the key, in order.
        values: the values of the key, as the columns store them.
        engine: the name of this engine; another version may encode keys differently.

    Returns:
        The index; None if the manifest does not tell.
    """
    # Sort keys are bytes of the engine's own format, which another version may change.
    if len(manifest.starts) != len(manifest.objects) or manifest.engine != engine:
        return None
    key = order_key([f"?::{duckdb_type(column.type)}" for column in columns])
    row = connection.execute(f"SELECT hex({key})", values).fetchone()
    assert row is not None
    return bisect_right(manifest.starts, row[0]) - 1


def object_at(objects: Sequence[DataObject], place: int) -> tuple[DataObject, int]:
    """The object that contains a row.

    Args:
        objects: the objects of the version, in order.
        place: the number of the row in the version, from 0.

    Returns:
        The object, and the number of its first row in the version.
    """
    before = 0
    for item in objects:
        if place < before + item.rows:
            return item, before
        before += item.rows
    raise AssertionError("the version has no such row")


def objects_between(objects: Sequence[DataObject], first: int, count: int) -> tuple[list[DataObject], int]:
    """The objects that contain some consecutive rows.

    Args:
        objects: the objects of the version, in order.
        first: the number of the first row, from 0.
        count: the number of rows.

    Returns:
        The objects, and the number of the first object's first row in the version.
    """
    selected: list[DataObject] = []
    first_place = before = 0
    for item in objects:
        if before < first + count and first < before + item.rows:
            first_place = first_place if selected else before
            selected.append(item)
        before += item.rows
    return selected, first_place
