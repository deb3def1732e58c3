"""Rows in the order of a key: the key as one value, and the ranges of keys that divide the rows.

A range begins with a key and ends before the next range's. A key is written as hexadecimal text, whose
order is that of the keys; the empty text stands before all of them.
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
    """The SQL of a key as one value: equal where the cells are equal, and ordered as they are.

    The engine's own comparison decides, so that no two keys that a join takes for equal differ here.
    """
    # With a text among them the engine gives bytes; of few short cells it would make a whole number.
    terms = ", ".join(f"{cell}, 'ASC NULLS LAST'" for cell in [*cells, "''"])
    return f"create_sort_key({terms})"


def starts_of(weights: Mapping[str, int], ranges: int) -> list[str]:
    """Where ranges of about the same weight begin; fewer ranges where there are few keys.

    Args:
        weights: how many rows each key stands for.
    """
    total, seen, due = sum(weights.values()), 0, 1
    starts = [""]
    for key, weight in sorted(weights.items()):
        if seen * ranges >= total * due:
            starts.append(key)
            due = seen * ranges // total + 1
        seen += weight
    return starts


def range_of(key: str, starts: list[str]) -> str:
    """The SQL of the number of the range that a key falls into, found by halving.

    Args:
        key: the SQL of a key, as `order_key` gives it.
    """

    def halved(low: int, high: int) -> str:
        if low == high:
            return str(low)
        middle = (low + high + 1) // 2
        below, above = halved(low, middle - 1), halved(middle, high)
        return f"CASE WHEN {key} < from_hex('{starts[middle]}') THEN {below} ELSE {above} END"

    return f"({halved(0, len(starts) - 1)})::USMALLINT"


def object_with(
    connection: DuckDBPyConnection, manifest: Manifest, columns: list[Column], values: list[Any], engine: str
) -> int | None:
    """Which of a version's objects alone can have a record; none where its manifest does not say.

    Args:
        columns: the key's, in order.
        values: of the key, as its columns store them.
        engine: this engine's name; another one may order keys by other bytes.
    """
    if len(manifest.starts) != len(manifest.objects) or manifest.engine != engine:
        return None
    key = order_key([f"?::{duckdb_type(column.type)}" for column in columns])
    found = connection.execute(f"SELECT hex({key})", values).fetchone()
    assert found is not None
    return bisect_right(manifest.starts, found[0]) - 1


def object_at(objects: Sequence[DataObject], place: int) -> tuple[DataObject, int]:
    """The object that has the row of a place in its version, and the place of its own first row."""
    before = 0
    for one in objects:
        if place < before + one.rows:
            return one, before
        before += one.rows
    raise AssertionError("a place is of a row that is there")


def objects_between(objects: Sequence[DataObject], first: int, count: int) -> tuple[list[DataObject], int]:
    """The objects that have some consecutive rows of a version, and the place of the first object's first row."""
    found: list[DataObject] = []
    begins = before = 0
    for one in objects:
        if before < first + count and first < before + one.rows:
            begins = begins if found else before
            found.append(one)
        before += one.rows
    return found, begins
