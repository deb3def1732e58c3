"""Rows of one version: as JSON values, or written to a file in one of the forms of output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sluice.domain.dataset import DataObject, Manifest, Version
from sluice.domain.schema import Column, duckdb_type
from sluice.lake.json_values import json_value
from sluice.lake.ordered import object_for_key, objects_between
from sluice.lake.parquet import as_type, display_query, engine, engine_name, quoted, rows_of
from sluice.lake.store import Lake
from sluice.reads.request import COMPARISONS, Condition, DataRequest
from sluice.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

_BATCH = 10_000
Row = dict[str, Any]
_Opened = tuple["DuckDBPyConnection", str, list[Any]]


class Reader:
    """Reads one version from the lake."""

    def __init__(self, lake: Lake, settings: Settings, version: Version) -> None:
        self._lake = lake
        self._settings = settings
        self._version = version
        self._manifest: Manifest = lake.manifest(version.manifest_key)

    @property
    def columns(self) -> list[Column]:
        """The version's columns."""
        return self._version.schema_

    @property
    def is_document(self) -> bool:
        """Whether the version is one merged document instead of rows."""
        return self._manifest.stage == "merged" and self._manifest.document is not None

    def document(self) -> Any:
        """The merged document."""
        assert self._manifest.document is not None
        return self._lake.document(self._manifest.document)

    def rows(self, request: DataRequest, limit: int, offset: int) -> tuple[list[Row], bool]:
        """Some rows of the version, in a total order, and whether more follow.

        The rows of a version never change, so that an offset means the same row each time.
        """
        if self.is_document:
            return [self.document()][offset : offset + limit], False
        objects, before = self._manifest.objects, 0
        if not request.where and not request.order:
            # The rows lie in this order already: only the files of the page are brought here.
            objects, before = objects_between(objects, offset, limit + 1)
        window = f"LIMIT {limit + 1} OFFSET {offset - before}"
        with self._opened(request, window, objects) as opened:
            found = [row for batch in _batches(request, opened) for row in batch]
        return found[:limit], len(found) > limit

    @contextmanager
    def batches(self, request: DataRequest, window: str = "") -> Iterator[Iterator[list[Row]]]:
        """The rows as JSON values, some thousands at a time."""
        with self._opened(request, window, self._manifest.objects) as opened:
            yield _batches(request, opened)

    @contextmanager
    def relation(self, request: DataRequest, window: str = "") -> Iterator[DuckDBPyRelation | None]:
        """The rows as DuckDB has them; none for a version of nothing, which has no columns either."""
        with self._opened(request, window, self._manifest.objects) as opened:
            yield opened[0].sql(opened[1], params=opened[2]) if opened is not None else None

    @contextmanager
    def _opened(self, request: DataRequest, window: str, objects: list[DataObject]) -> Iterator[_Opened | None]:
        """A connection, the query of the rows in these objects, and the values bound to it."""
        if not objects or not request.select:
            yield None
            return
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            files = self._lake.local_files(self._holding(connection, request, objects))
            source = rows_of(files, self._version.schema_, [], numbered=True)
            query, values = _query(source, request)
            yield connection, f"{query} {window}", values

    def _holding(
        self, connection: DuckDBPyConnection, request: DataRequest, objects: list[DataObject]
    ) -> list[DataObject]:
        """Those of all objects in which the rows can be: of a key that is asked for, one."""
        known = {column.name: column for column in self.columns}
        asked = {one.column.name: one.values[0] for one in request.where if one.operator == "eq"}
        key = [known[name] for name in self._manifest.key or []]
        # JSON is compared as the text that it is shown as, which need not be JSON.
        if not key or not all(one.name in asked and one.type != "json" for one in key):
            return objects
        values = [asked[one.name] for one in key]
        alone = object_for_key(connection, self._manifest, key, values, engine_name())
        return objects if alone is None else [objects[alone]]


def _batches(request: DataRequest, opened: _Opened | None) -> Iterator[list[Row]]:
    if opened is None:
        return
    connection, query, values = opened
    answer = connection.execute(display_query(query, list(request.select)), values)
    while found := answer.fetchmany(_BATCH):
        yield [_row(request, values) for values in found]


def _query(source: str, request: DataRequest) -> tuple[str, list[Any]]:
    where, values = _where(request.where)
    asked = (f"{quoted(column.name)} {'DESC' if down else 'ASC'} NULLS LAST" for column, down in request.order)
    order = ", ".join([*asked, "_file_index, file_row_number"])
    names = ", ".join(quoted(column.name) for column in request.select)
    return f"SELECT {names} FROM {source} {where} ORDER BY {order}", values


def _where(conditions: tuple[Condition, ...]) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for condition in conditions:
        name, kind = quoted(condition.column.name), duckdb_type(condition.column.type)
        # A pattern is of the text that readers see.
        text = f"{name}::VARCHAR" if kind == "JSON" else as_type(name, condition.column.type, "string")
        if kind == "JSON":  # compared as the text that it is shown as
            name, kind = f"{name}::VARCHAR", "VARCHAR"
        if condition.operator == "null":
            parts.append(f"{name} IS {'' if condition.values[0] else 'NOT '}NULL")
            continue
        if not condition.values:
            parts.append("true" if condition.operator == "ne" else "false")
            continue
        values += condition.values
        if condition.operator == "like":
            parts.append(f"{text} LIKE ?")
        elif condition.operator == "in":
            marks = ", ".join(f"?::{kind}" for _ in condition.values)
            parts.append(f"{name} IN ({marks})")
        else:
            parts.append(f"{name} {COMPARISONS[condition.operator]} ?::{kind}")
    return ("WHERE " + " AND ".join(parts) if parts else ""), values


def _row(request: DataRequest, values: tuple[Any, ...]) -> Row:
    return {column.name: json_value(column.type, value) for column, value in zip(request.select, values, strict=True)}
