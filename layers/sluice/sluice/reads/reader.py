"""Read the rows of one version, as JSON values or as a relation of DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sluice.domain.dataset import DataObject, Manifest, Version
from sluice.domain.schema import Column, duckdb_type
from sluice.lake.json_values import json_value
from sluice.lake.ordered import object_for_key, objects_between
from sluice.lake.parquet import as_type, display_query, engine, engine_name, placed_rows, quoted, rows_of
from sluice.lake.store import Lake
from sluice.reads.list_types import element_type, list_cell
from sluice.reads.request import COMPARISONS, Condition, DataRequest
from sluice.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

_BATCH = 10_000
Row = dict[str, Any]
# A connection, a query, and the values that are bound to it.
_Cursor = tuple["DuckDBPyConnection", str, list[Any]]


class Reader:
    """Reads one version from the lake.

    Args:
        lake: where the version is.
        settings: the engine's limits.
        version: the version.
    """

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
        """Return one page of the version's rows, in a total order.

        The rows of a version never change, so an offset always refers to the same row.

        Args:
            request: columns, conditions and order.
            limit: the most rows to return.
            offset: the number of rows to skip.

        Returns:
            The rows as JSON values, and whether more follow. A document is a single row.
        """
        if self.is_document:
            return [self.document()][offset : offset + limit], False
        objects, skipped = self._manifest.objects, 0
        if not request.where and not request.order:
            # The objects have the rows in this order, so only those with the page's rows are downloaded.
            objects, skipped = objects_between(objects, offset, limit + 1)
        window = f"LIMIT {limit + 1} OFFSET {offset - skipped}"
        with self._open(request, window, objects) as cursor:
            rows = [row for batch in _batches(request, cursor) for row in batch]
        return rows[:limit], len(rows) > limit

    def place(self, request: DataRequest, number: int) -> int | None:
        """The number in the version of a row of a request.

        Args:
            request: conditions and order.
            number: the number of the row among those of the request, from 0.

        Returns:
            None: the request has fewer rows.
        """
        if not self._manifest.objects or not self.columns:
            return None
        if not request.where and not request.order:
            return number if number < self._version.rows else None
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            objects = self._relevant_objects(connection, request, self._manifest.objects)
            before = sum(item.rows for item in self._manifest.objects[: self._manifest.objects.index(objects[0])])
            source = placed_rows(self._lake.local_files(objects), self._version.schema_, [], before)
            query, values = _query(source, request, ["__sluice_at"], ["__sluice_at"])
            found = connection.execute(f"{query} LIMIT 1 OFFSET {number}", values).fetchone()
        return int(found[0]) if found else None

    @contextmanager
    def batches(self, request: DataRequest, window: str = "") -> Iterator[Iterator[list[Row]]]:
        """Yield the rows as JSON values, in batches of 10,000.

        Args:
            request: columns, conditions and order.
            window: a LIMIT and OFFSET clause.
        """
        with self._open(request, window, self._manifest.objects) as cursor:
            yield _batches(request, cursor)

    @contextmanager
    def relation(self, request: DataRequest, window: str = "") -> Iterator[DuckDBPyRelation | None]:
        """Yield the rows as a relation of DuckDB; None for a version without columns.

        JSON columns are lists of a type where all rows of the version allow it (`list_types`), else texts.

        Args:
            request: columns, conditions and order.
            window: a LIMIT and OFFSET clause.
        """
        with self._open(request, window, self._manifest.objects) as cursor:
            if cursor is None:
                yield None
                return
            connection, query, values = cursor
            cells = ", ".join(self._cell(connection, column) for column in request.select)
            yield connection.sql(f"SELECT {cells} FROM ({query})", params=values)

    def _cell(self, connection: DuckDBPyConnection, column: Column) -> str:
        """The SQL of a column in a relation."""
        name = quoted(column.name)
        if column.type != "json":
            return name
        source = rows_of(self._lake.local_files(self._manifest.objects), [column], [])
        element = element_type(connection, source, column.name)
        return f"{list_cell(column.name, element) if element else f'{name}::VARCHAR'} AS {name}"

    @contextmanager
    def _open(self, request: DataRequest, window: str, objects: list[DataObject]) -> Iterator[_Cursor | None]:
        """Open an engine; yield it with the query of the rows in these objects, or None if there are no columns."""
        if not objects or not request.select:
            yield None
            return
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            files = self._lake.local_files(self._relevant_objects(connection, request, objects))
            source = rows_of(files, self._version.schema_, [], numbered=True)
            names = [quoted(column.name) for column in request.select]
            query, values = _query(source, request, names, ["_file_index", "file_row_number"])
            yield connection, f"{query} {window}", values

    def _relevant_objects(
        self, connection: DuckDBPyConnection, request: DataRequest, objects: list[DataObject]
    ) -> list[DataObject]:
        """Return the objects that can have the rows: the only one with the key, if the conditions name a key."""
        known = {column.name: column for column in self.columns}
        equals = {item.column.name: item.values[0] for item in request.where if item.operator == "eq"}
        key = [known[name] for name in self._manifest.key or []]
        # Conditions compare JSON as the text that is shown; the order of keys by which objects are found does not.
        if not key or not all(item.name in equals and item.type != "json" for item in key):
            return objects
        values = [equals[item.name] for item in key]
        index = object_for_key(connection, self._manifest, key, values, engine_name())
        return objects if index is None else [objects[index]]


def _batches(request: DataRequest, cursor: _Cursor | None) -> Iterator[list[Row]]:
    if cursor is None:
        return
    connection, query, values = cursor
    result = connection.execute(display_query(query, list(request.select)), values)
    while batch := result.fetchmany(_BATCH):
        yield [_row(request, values) for values in batch]


def _query(source: str, request: DataRequest, cells: list[str], place: list[str]) -> tuple[str, list[Any]]:
    """The query of some cells of a request's rows, and its values; `place` orders rows that it leaves equal."""
    where, values = _where(request.where)
    terms = (
        f"{quoted(column.name)} {'DESC' if descending else 'ASC'} NULLS LAST" for column, descending in request.order
    )
    order = ", ".join([*terms, *place])
    return f"SELECT {', '.join(cells)} FROM {source} {where} ORDER BY {order}", values


def _where(conditions: tuple[Condition, ...]) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for condition in conditions:
        name, engine_type = quoted(condition.column.name), duckdb_type(condition.column.type)
        # LIKE matches the text that readers see.
        text = f"{name}::VARCHAR" if engine_type == "JSON" else as_type(name, condition.column.type, "string")
        if engine_type == "JSON":  # JSON is compared as the text that readers see
            name, engine_type = f"{name}::VARCHAR", "VARCHAR"
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
            placeholders = ", ".join(f"?::{engine_type}" for _ in condition.values)
            parts.append(f"{name} IN ({placeholders})")
        else:
            parts.append(f"{name} {COMPARISONS[condition.operator]} ?::{engine_type}")
    return ("WHERE " + " AND ".join(parts) if parts else ""), values


def _row(request: DataRequest, values: tuple[Any, ...]) -> Row:
    return {column.name: json_value(column.type, value) for column, value in zip(request.select, values, strict=True)}
