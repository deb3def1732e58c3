"""Rows of one version: as JSON values, or written to a file in one of the forms of output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sluice.domain.dataset import Manifest, Version
from sluice.domain.schema import Column, duckdb_type
from sluice.lake.parquet import as_type, engine, quoted, rows_of, shown_query
from sluice.lake.rows import json_value
from sluice.lake.store import Lake
from sluice.reads.request import COMPARISONS, Condition, DataRequest
from sluice.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

_BATCH = 10_000
Row = dict[str, Any]


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
        with self.batches(request, f"LIMIT {limit + 1} OFFSET {offset}") as batches:
            found = [row for batch in batches for row in batch]
        return found[:limit], len(found) > limit

    @contextmanager
    def batches(self, request: DataRequest, window: str = "") -> Iterator[Iterator[list[Row]]]:
        """The rows as JSON values, some thousands at a time."""
        with self._opened(request, window) as opened:
            if opened is None:
                yield iter(())
                return
            connection, query, values = opened
            answer = connection.execute(shown_query(query, list(request.select)), values)
            fetched = iter(lambda: answer.fetchmany(_BATCH), [])
            yield ([_row(request, found) for found in batch] for batch in fetched)

    @contextmanager
    def relation(self, request: DataRequest, window: str = "") -> Iterator[DuckDBPyRelation | None]:
        """The rows as DuckDB has them; none for a version of nothing, which has no columns either."""
        with self._opened(request, window) as opened:
            yield opened[0].sql(opened[1], params=opened[2]) if opened is not None else None

    @contextmanager
    def _opened(self, request: DataRequest, window: str) -> Iterator[tuple[DuckDBPyConnection, str, list[Any]] | None]:
        """A connection, the query of the rows, and the values bound to it."""
        files = self._lake.local_files(self._manifest.objects)
        if not files or not request.select:
            yield None
            return
        source = rows_of(files, self._version.schema_, [], numbered=True)
        query, values = _query(source, request)
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            yield connection, f"{query} {window}", values


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
