"""Rows of one version, as JSON values or CSV."""

from __future__ import annotations

import csv
import io
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


class Reader:
    """Reads versions from the lake."""

    def __init__(self, lake: Lake, settings: Settings) -> None:
        self._lake = lake
        self._settings = settings

    def rows(
        self, version: Version, request: DataRequest, limit: int | None, offset: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """Some rows of a version, in a total order, and whether more follow.

        The rows of a version never change, so that an offset means the same row each time.
        """
        files = self._files(version)
        if not files or not request.select:
            return [], False  # a version of nothing has no columns either
        where, values = _where(request.where)
        by_position = "_file_index, file_row_number"
        asked = (f"{quoted(column.name)} {'DESC' if down else 'ASC'} NULLS LAST" for column, down in request.order)
        order = ", ".join([*asked, by_position])
        names = ", ".join(quoted(column.name) for column in request.select)
        parts = " UNION ALL ".join(
            f"SELECT *, {index} AS _file_index FROM {_numbered(path)}" for index, path in enumerate(files)
        )
        query = f"SELECT {names} FROM ({parts}) {where} ORDER BY {order}"
        if limit is not None:
            query += f" LIMIT {limit + 1} OFFSET {offset}"
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            found = connection.execute(query, values).fetchall()
        more = limit is not None and len(found) > limit
        kept = found[:limit] if limit is not None else found
        return [_row(request.select, values) for values in kept], more

    def _files(self, version: Version) -> list[Path]:
        manifest = Manifest.model_validate(orjson.loads(self._lake.get(version.manifest_key)))
        return [self._lake.local(part.key, part.sha256) for part in manifest.objects]


def _numbered(path: Path) -> str:
    return read_files([path])[:-1] + ", file_row_number = true)"


def _where(conditions: tuple[Condition, ...]) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for condition in conditions:
        name, kind = quoted(condition.column.name), duckdb_type(condition.column.type)
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
            fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
            return value.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case str() if kind == "json":
            return orjson.Fragment(value)
        case _:
            return value


def to_csv(columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> bytes:
    """The rows as CSV with a header: RFC 4180, UTF-8; null is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow([_csv_value(row[column.name]) for column in columns])
    return text.getvalue().encode()


def _csv_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, orjson.Fragment):
        return bytes(value.contents).decode() if isinstance(value.contents, bytes) else value.contents
    return value
