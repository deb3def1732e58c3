"""The sandbox process: receives jobs on its standard input, one after the other, and answers each.

It has no environment and limited resources. The engine reads only the files of the job, and its configuration is
locked before it sees the user's SQL. A message is its length in eight bytes followed by JSON; an answer with rows is
followed by a second message with the rows as JSON.
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
from sluice.lake.parquet import UTC_SESSION, copy_to, display_query, finite_or_null, literal, quoted
from sluice.sandbox.policy import require_allowed

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

Used = TypeVar("Used")
_BATCH = 5_000
# A table may have a hundred files, and a query may use it several times. Lambda's own limit is the same.
_MOST_FILES = 1_024


def send(stream: IO[bytes], content: bytes) -> None:
    """Write a message."""
    stream.write(struct.pack(">Q", len(content)) + content)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Read a message; None at the end of the stream."""
    head = _exactly(stream, 8)
    if head is None:
        return None
    (length,) = struct.unpack(">Q", head)
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], length: int) -> bytes | None:
    """Read exactly so many bytes, in any number of pieces; None if the stream ends before."""
    content = bytearray()
    while len(content) < length:
        piece = stream.read(length - len(content))
        if not piece:
            return None
        content += piece
    return bytes(content)


def limit_resources(space_bytes: int, file_bytes: int) -> None:
    """Limit this process and its children. The limits cannot be raised again.

    Args:
        space_bytes: the most bytes of address space.
        file_bytes: the most bytes of a file.
    """
    for what, most in (
        (resource.RLIMIT_AS, space_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, _MOST_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def main() -> None:
    """Serve jobs until the input ends."""
    # The engine may print to standard output, which would corrupt the messages: send it to /dev/null.
    answers, requests = os.fdopen(os.dup(1), "wb"), sys.stdin.buffer
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    limits = orjson.loads(receive(requests) or b"{}")
    import duckdb  # before the limits: an import that fails should say why

    limit_resources(limits["space_bytes"], limits["file_bytes"])
    send(answers, orjson.dumps({"ready": duckdb.__version__}))
    while (message := receive(requests)) is not None:
        try:
            answer, rows = _run(orjson.loads(message))
        except SqlError as fault:
            answer, rows = {"fault": str(fault)}, None
        except duckdb.OutOfMemoryException:
            answer, rows = {"limit": "memory"}, None
        except duckdb.Error as error:
            answer, rows = {"fault": _error_text(error)}, None
        # The limits of this process may also surface as OSError: no thread can be started, a file is too large.
        except (MemoryError, OSError):
            answer, rows = {"limit": "memory"}, None
        except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
            answer, rows = {"fault": f"the query failed: {error}"[:300]}, None
        send(answers, orjson.dumps(answer))
        if rows is not None:
            send(answers, rows)


def _error_text(error: Exception) -> str:
    """The engine's message with the line it points to, without our paths."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    shown_lines = lines[:1] + [line.replace("DESCRIBE ", "", 1) for line in lines[1:] if line.startswith("LINE ")]
    return "; ".join(line.strip() for line in shown_lines)


def _run(job: dict[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    for name, kind in job.get("moments", {}).items():
        read = date.fromisoformat if kind == "date" else datetime.fromisoformat
        job["parameters"][name] = read(job["parameters"][name])
    connection = open_engine(job)
    try:
        known_tables = set(job["tables"])
        for name, sql in job["views"].items():
            # Users wrote the view, so it is checked and created only after the engine is locked.
            require_allowed(connection, sql, known_tables)
            connection.execute(f"CREATE VIEW {quoted(name)} AS {sql}")
            known_tables.add(name)
        require_allowed(connection, job["sql"], known_tables)
        if job.get("target"):
            return _write(connection, job), None
        return _rows(connection, job)
    finally:
        connection.close()


def open_engine(job: dict[str, Any]) -> DuckDBPyConnection:
    """An engine with the tables of a job that can open nothing else any more."""
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
    # Before the lock: creating a view opens its files to find the columns.
    for name, rows in job["tables"].items():
        connection.execute(f"CREATE VIEW {quoted(name)} AS FROM {rows}")
    paths = ", ".join(literal(path) for path in [*job["paths"], *([job["target"]] if job.get("target") else [])])
    connection.execute(f"SET allowed_paths = [{paths}]")
    connection.execute(f"SET allowed_directories = [{literal(job['scratch'])}]")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET enable_external_access = false")
    # Last: afterwards no SQL can undo the settings above.
    connection.execute("SET lock_configuration = true")
    return connection


def _rows(connection: DuckDBPyConnection, job: dict[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    """The first rows as a JSON list of objects, and whether there are more; no list if a limit is exceeded."""

    def read(columns: list[Column], selection: str) -> tuple[dict[str, Any], bytes | None]:
        answer = connection.execute(display_query(selection, columns), job["parameters"] or None)
        parts: list[bytes] = []
        count = size = 0
        while batch := answer.fetchmany(_BATCH):
            for row in batch[: max(0, job["rows"] - count)]:
                values = {
                    column.name: json_value(column.type, value) for column, value in zip(columns, row, strict=True)
                }
                parts.append(orjson.dumps(values))
                size += len(parts[-1])
                if size > job["most_bytes"]:
                    return {"limit": "bytes"}, None
            count += len(batch)
            if count > job["most_rows"]:
                return {"limit": "rows"}, None
        summary = {
            "columns": [{"name": column.name, "type": column.type} for column in columns],
            "rows": min(count, job["rows"]),
            "truncated": count > job["rows"],
        }
        return summary, b"[" + b",".join(parts) + b"]"

    return _use_selection(connection, job, read)


def _write(connection: DuckDBPyConnection, job: dict[str, Any]) -> dict[str, Any]:
    """Write the rows to a Parquet file."""
    from pathlib import Path as FilePath

    target: Path = FilePath(job["target"])
    # A query without ORDER BY may return rows in any order, but equal rows must give equal bytes.
    order = "" if job["ordered"] else " ORDER BY ALL"

    def write(columns: list[Column], selection: str) -> dict[str, Any]:
        copy = f"COPY ({selection}{order}) {copy_to(target)}"
        written = connection.execute(copy, job["parameters"] or None).fetchone()
        return {"columns": [column.model_dump(mode="json") for column in columns], "rows": written[0] if written else 0}

    return _use_selection(connection, job, write)


def _use_selection(
    connection: DuckDBPyConnection, job: dict[str, Any], use: Callable[[list[Column], str], Used]
) -> Used:
    """Call a function with the query's columns in our types, and the SQL that selects them.

    An integer type beyond 64 bits, as sums have, becomes bigint as long as all values fit. Only if one does not is the
    query run again with a wider type.
    """
    import duckdb

    described = connection.execute(f"DESCRIBE {job['sql']}", job["parameters"] or None).fetchall()
    engine_types = {str(name): str(kind) for name, kind, *_ in described}
    _require_distinct([str(name) for name, *_ in described])
    columns = [Column(name=name, type=kind_of(kind)) for name, kind in engine_types.items()]
    try:
        return use(columns, _selection(job["sql"], columns, engine_types))
    except (duckdb.ConversionException, duckdb.OutOfRangeException):
        wide = [column.name for column in columns if is_wide(engine_types[column.name])]
        if not wide:
            raise
        widened = _widen(connection, job, columns, wide)
        return use(widened, _selection(job["sql"], widened, engine_types))


def _require_distinct(names: list[str]) -> None:
    lower = [name.lower() for name in names]
    for name in lower:
        if lower.count(name) > 1:
            raise SqlError(f"two columns of the result are named {name}; rename one with AS")


def _widen(connection: DuckDBPyConnection, job: dict[str, Any], columns: list[Column], wide: list[str]) -> list[Column]:
    """The columns, with integer types that are wide enough for all digits of their values."""
    extremes = ", ".join(f"min({quoted(name)}), max({quoted(name)})" for name in wide)
    row = connection.execute(f"SELECT {extremes} FROM ({job['sql']}\n)", job["parameters"] or None).fetchone()
    assert row is not None
    ranges = {name: (row[2 * at], row[2 * at + 1]) for at, name in enumerate(wide)}
    kinds = {name: whole_number_type(low or 0, high or 0) for name, (low, high) in ranges.items()}
    return [column.model_copy(update={"type": kinds.get(column.name, column.type)}) for column in columns]


def _selection(sql: str, columns: list[Column], engine_types: dict[str, str]) -> str:
    """The SQL of the query with its columns in our types."""
    cells = [f"{_cell(column, engine_types[column.name])} AS {quoted(column.name)}" for column in columns]
    return f"SELECT {', '.join(cells)} FROM ({sql}\n)"


def _cell(column: Column, engine_type: str) -> str:
    name = quoted(column.name)
    if column.type == "json":
        return name if engine_type == "JSON" else f"to_json({name})"
    if column.type == "timestamp" and "TIME ZONE" in engine_type:
        return f"({name} AT TIME ZONE 'UTC')"
    if column.type == "double":
        return finite_or_null(f"{name}::DOUBLE")
    return name if engine_type == duckdb_type(column.type) else f"{name}::{duckdb_type(column.type)}"
