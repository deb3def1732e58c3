"""The sandbox's own process: takes jobs on its standard input, one after the other, and answers each.

It has no environment, few resources, and an engine that reads the files of the job alone and whose
configuration is locked before the user's SQL is seen. A message is its length in eight bytes, then
JSON; an answer with rows is followed by them, as JSON text, in a message of its own.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
from collections.abc import Callable
from datetime import date, datetime
from typing import IO, TYPE_CHECKING, Any, TypeVar

import orjson

from sluice.domain.schema import Column, duckdb_type, whole_number_type
from sluice.domain.sql_query import SqlError
from sluice.lake.engine_types import is_wide, kind_of
from sluice.lake.json_values import json_value
from sluice.lake.parquet import UTC_SESSION, copy_to, finite, literal, quoted, shown_query
from sluice.sandbox.policy import require_allowed

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

Used = TypeVar("Used")
_BATCH = 5_000
# A table may have a hundred files, and a query may name it several times; Lambda allows as many.
_MOST_FILES = 1_024


def send(stream: IO[bytes], content: bytes) -> None:
    """Write a message."""
    stream.write(struct.pack(">Q", len(content)) + content)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Read a message; none at the end."""
    head = _exactly(stream, 8)
    if head is None:
        return None
    (length,) = struct.unpack(">Q", head)
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], length: int) -> bytes | None:
    """So many bytes, in however many pieces they come; none if the stream ends before."""
    content = bytearray()
    while len(content) < length:
        piece = stream.read(length - len(content))
        if not piece:
            return None
        content += piece
    return bytes(content)


def limit_resources(space_bytes: int, file_bytes: int) -> None:
    """Bind this process, and all that it might start, for good."""
    for what, most in (
        (resource.RLIMIT_AS, space_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, _MOST_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def main() -> None:
    """Serve jobs until the input ends."""
    # The engine may print; only messages go to whoever asked.
    given, taken = os.fdopen(os.dup(1), "wb"), sys.stdin.buffer
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    limits = orjson.loads(receive(taken) or b"{}")
    import duckdb  # before the limits: an import that fails should say why

    limit_resources(limits["space_bytes"], limits["file_bytes"])
    send(given, orjson.dumps({"ready": duckdb.__version__}))
    while (message := receive(taken)) is not None:
        try:
            answer, rows = _done(orjson.loads(message))
        except SqlError as fault:
            answer, rows = {"fault": str(fault)}, None
        except duckdb.OutOfMemoryException:
            answer, rows = {"limit": "memory"}, None
        except duckdb.Error as error:
            answer, rows = {"fault": _said(error)}, None
        except (MemoryError, OSError):
            answer, rows = {"limit": "memory"}, None
        except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
            answer, rows = {"fault": f"the query cannot be run: {error}"[:300]}, None
        send(given, orjson.dumps(answer))
        if rows is not None:
            send(given, rows)


def _said(error: Exception) -> str:
    """The engine's own words, with the line that it points to, and without our paths."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    told = lines[:1] + [line.replace("DESCRIBE ", "", 1) for line in lines[1:] if line.startswith("LINE ")]
    return "; ".join(line.strip() for line in told)


def _done(job: dict[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    for name, kind in job.get("moments", {}).items():
        read = date.fromisoformat if kind == "date" else datetime.fromisoformat
        job["parameters"][name] = read(job["parameters"][name])
    connection = opened(job)
    try:
        known = set(job["tables"])
        for name, sql in job["views"].items():
            # Users wrote it: the engine reads it when it can open nothing else any more.
            require_allowed(connection, sql, known)
            connection.execute(f"CREATE VIEW {quoted(name)} AS {sql}")
            known.add(name)
        require_allowed(connection, job["sql"], known)
        if job.get("target"):
            return _written(connection, job), None
        return _rows(connection, job)
    finally:
        connection.close()


def opened(job: dict[str, Any]) -> DuckDBPyConnection:
    """An engine that has the job's tables, and from then on can open nothing else."""
    import duckdb

    config: dict[str, Any] = {
        "threads": job["threads"],
        "memory_limit": job["memory"],
        "temp_directory": job["scratch"],
        "max_temp_directory_size": job["spill"],
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(":memory:", config=config)
    connection.execute(UTC_SESSION)
    for name, rows in job["tables"].items():
        connection.execute(f"CREATE VIEW {quoted(name)} AS FROM {rows}")
    paths = ", ".join(literal(path) for path in [*job["paths"], *([job["target"]] if job.get("target") else [])])
    connection.execute(f"SET allowed_paths = [{paths}]")
    connection.execute(f"SET allowed_directories = [{literal(job['scratch'])}]")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _rows(connection: DuckDBPyConnection, job: dict[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    """The first rows as a JSON list of objects, and whether there are more; no list of too many."""

    def read(columns: list[Column], selection: str) -> tuple[dict[str, Any], bytes | None]:
        answer = connection.execute(shown_query(selection, columns), job["parameters"] or None)
        parts: list[bytes] = []
        count = size = 0
        while batch := answer.fetchmany(_BATCH):
            for row in batch[: max(0, job["rows"] - count)]:
                values = {one.name: json_value(one.type, value) for one, value in zip(columns, row, strict=True)}
                parts.append(orjson.dumps(values))
                size += len(parts[-1])
                if size > job["most_bytes"]:
                    return {"limit": "bytes"}, None
            count += len(batch)
            if count > job["most_rows"]:
                return {"limit": "rows"}, None
        about = {
            "columns": [{"name": one.name, "type": one.type} for one in columns],
            "rows": min(count, job["rows"]),
            "truncated": count > job["rows"],
        }
        return about, b"[" + b",".join(parts) + b"]"

    return _selected(connection, job, read)


def _written(connection: DuckDBPyConnection, job: dict[str, Any]) -> dict[str, Any]:
    """The rows as a Parquet file."""
    from pathlib import Path as FilePath

    target: Path = FilePath(job["target"])
    order = "" if job["ordered"] else " ORDER BY ALL"

    def write(columns: list[Column], selection: str) -> dict[str, Any]:
        copy = f"COPY ({selection}{order}) {copy_to(target)}"
        written = connection.execute(copy, job["parameters"] or None).fetchone()
        return {"columns": [one.model_dump(mode="json") for one in columns], "rows": written[0] if written else 0}

    return _selected(connection, job, write)


def _selected(connection: DuckDBPyConnection, job: dict[str, Any], use: Callable[[list[Column], str], Used]) -> Used:
    """Use a query's rows, with columns of our types.

    A whole number that may have more than 64 bits, such as a sum, is bigint as long as each value
    fits; only where one does not is the query run again with a wider type.
    """
    import duckdb

    described = connection.execute(f"DESCRIBE {job['sql']}", job["parameters"] or None).fetchall()
    engine_types = {str(name): str(kind) for name, kind, *_ in described}
    _require_distinct([str(name) for name, *_ in described])
    columns = [Column(name=name, type=kind_of(kind)) for name, kind in engine_types.items()]
    try:
        return use(columns, _selection(job["sql"], columns, engine_types))
    except (duckdb.ConversionException, duckdb.OutOfRangeException):
        wide = [one.name for one in columns if is_wide(engine_types[one.name])]
        if not wide:
            raise
        widened = _widened(connection, job, columns, wide)
        return use(widened, _selection(job["sql"], widened, engine_types))


def _require_distinct(names: list[str]) -> None:
    lower = [name.lower() for name in names]
    for name in lower:
        if lower.count(name) > 1:
            raise SqlError(f"two columns of the result are named {name}; give one another name with AS")


def _widened(
    connection: DuckDBPyConnection, job: dict[str, Any], columns: list[Column], wide: list[str]
) -> list[Column]:
    """The columns, each of these as wide as its values need: every digit is kept."""
    extremes = ", ".join(f"min({quoted(name)}), max({quoted(name)})" for name in wide)
    found = connection.execute(f"SELECT {extremes} FROM ({job['sql']}\n)", job["parameters"] or None).fetchone()
    assert found is not None
    ranges = {name: (found[2 * at], found[2 * at + 1]) for at, name in enumerate(wide)}
    kinds = {name: whole_number_type(low or 0, high or 0) for name, (low, high) in ranges.items()}
    return [one.model_copy(update={"type": kinds.get(one.name, one.type)}) for one in columns]


def _selection(sql: str, columns: list[Column], engine_types: dict[str, str]) -> str:
    """The query with its columns as our types."""
    cells = [f"{_cell(one, engine_types[one.name])} AS {quoted(one.name)}" for one in columns]
    return f"SELECT {', '.join(cells)} FROM ({sql}\n)"


def _cell(column: Column, have: str) -> str:
    name = quoted(column.name)
    if column.type == "json":
        return name if have == "JSON" else f"to_json({name})"
    if column.type == "timestamp" and "TIME ZONE" in have:
        return f"({name} AT TIME ZONE 'UTC')"
    if column.type == "double":
        return finite(f"{name}::DOUBLE")
    return name if have == duckdb_type(column.type) else f"{name}::{duckdb_type(column.type)}"
