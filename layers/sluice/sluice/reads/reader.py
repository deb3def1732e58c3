"""Rows of one version, as JSON values or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from sluice.domain.dataset import Manifest, Version
from sluice.domain.schema import Column, duckdb_type
from sluice.lake.parquet import engine, quoted, read_files
from sluice.lake.store import Lake
from sluice.reads.request import _COMPARISONS, Condition, DataRequest
from sluice.settings import Settings

_BATCH = 10_000


class Reader:
    """Reads versions from the lake."""

    def __init__(self, lake: Lake, settings: Settings) -> None:
        self._lake = lake
        self._settings = settings

    def rows(
        self, version: Version, request: DataRequest, limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """Some rows of a version, in a total order, and whether more follow.

        The rows of a version never change, so that an offset means the same row each time.
        """
        with self._batches(version, request, f"LIMIT {limit + 1} OFFSET {offset}") as batches:
            found = [row for batch in batches for row in batch]
        return found[:limit], len(found) > limit

    def write_csv(self, version: Version, request: DataRequest, path: Path) -> None:
        """Write all rows of a version to a file: RFC 4180, UTF-8; null is an empty field."""
        with path.open("w", encoding="utf-8", newline="") as file, self._batches(version, request, "") as batches:
            file.write(csv_text([[column.name for column in request.select]]))
            for batch in batches:
                file.write(csv_text([list(row.values()) for row in batch]))

    @contextmanager
    def _batches(self, version: Version, request: DataRequest, window: str) -> Iterator[Iterator[list[dict[str, Any]]]]:
        files = self._files(version)
        if not files or not request.select:
            yield iter(())  # a version of nothing has no columns either
            return
        query, values = _query(files, request)
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            answer = connection.execute(f"{query} {window}", values)
            fetched = iter(lambda: answer.fetchmany(_BATCH), [])
            yield ([_row(request.select, found) for found in batch] for batch in fetched)

    def _files(self, version: Version) -> list[Path]:
        manifest = Manifest.model_validate(orjson.loads(self._lake.get(version.manifest_key)))
        return [self._lake.local(part.key, part.sha256) for part in manifest.objects]


def _query(files: list[Path], request: DataRequest) -> tuple[str, list[Any]]:
    where, values = _where(request.where)
    asked = (f"{quoted(column.name)} {'DESC' if down else 'ASC'} NULLS LAST" for column, down in request.order)
    order = ", ".join([*asked, "_file_index, file_row_number"])
    names = ", ".join(quoted(column.name) for column in request.select)
    parts = " UNION ALL ".join(
        f"SELECT *, {index} AS _file_index FROM {_numbered(path)}" for index, path in enumerate(files)
    )
    return f"SELECT {names} FROM ({parts}) {where} ORDER BY {order}", values


def _numbered(path: Path) -> str:
    return read_files([path])[:-1] + ", file_row_number = true)"


def _where(conditions: tuple[Condition, ...]) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for condition in conditions:
        name, kind = quoted(condition.column.name), duckdb_type(condition.column.type)
        if kind == "JSON":  # compared as the text that it is shown as
            name, kind = f"{name}::VARCHAR", "VARCHAR"
        if condition.operator == "null":
            parts.append(f"{name} IS {'' if condition.values[0] else 'NOT '}NULL")
            continue
        values += condition.values
        if condition.operator == "like":
            parts.append(f"{name}::VARCHAR LIKE ?")
        elif condition.operator == "in":
            marks = ", ".join(f"?::{kind}" for _ in condition.values)
            parts.append(f"{name} IN ({marks})")
        else:
            parts.append(f"{name} {_COMPARISONS[condition.operator]} ?::{kind}")
    return ("WHERE " + " AND ".join(parts) if parts else ""), values


def _row(columns: tuple[Column, ...], values: tuple[Any, ...]) -> dict[str, Any]:
    return {column.name: _value(column.type, value) for column, value in zip(columns, values, strict=True)}


def _value(kind: str, value: Any) -> Any:
    match value:
        case None:
            return None
        case datetime():
            whole, _, fraction = value.isoformat().partition(".")
            return whole + (f".{fraction.rstrip('0')}" if fraction else "") + "Z"
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case str() if kind == "json":
            return orjson.Fragment(value)
        case _:
            return value


def csv_text(rows: list[list[Any]]) -> str:
    """Rows of JSON values as lines of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_csv_value(value) for value in row] for row in rows)
    return text.getvalue()


def _csv_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return orjson.dumps(value).decode() if isinstance(value, orjson.Fragment) else value
