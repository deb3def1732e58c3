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
from datetime import date, datetime
from typing import IO, TYPE_CHECKING, Any

import orjson

from sluice.domain.schema import Column
from sluice.domain.sql_query import SqlError
from sluice.lake.parquet import UTC_SESSION, copy_to, literal, quoted
from sluice.lake.rows import json_value
from sluice.lake.types import kind_of
from sluice.sandbox.policy import require_allowed

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

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


def limit_resources(memory_bytes: int, file_bytes: int) -> None:
    """Bind this process, and all that it might start, for good."""
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
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

    limit_resources(limits["memory_bytes"], limits["file_bytes"])
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
        value = job["parameters"][name]
        read = date.fromisoformat if kind == "date" else datetime.fromisoformat
        job["parameters"][name] = None if value is None else read(value)
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


def _columns(description: Any) -> list[Column]:
    return [Column(name=str(one[0]), type=kind_of(str(one[1]))) for one in description]


def _rows(connection: DuckDBPyConnection, job: dict[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    """The first rows as a JSON list of objects, and whether there are more; no list of too many."""
    columns, selection = _selection(connection, job)
    answer = connection.execute(selection, job["parameters"] or None)
    parts: list[bytes] = []
    count = 0
    while batch := answer.fetchmany(_BATCH):
        for row in batch[: max(0, job["rows"] - count)]:
            values = {one.name: json_value(one.type, value) for one, value in zip(columns, row, strict=True)}
            parts.append(orjson.dumps(values))
        count += len(batch)
        if count > job["most_rows"]:
            return {"limit": "rows"}, None
    about = {
        "columns": [{"name": one.name, "type": one.type} for one in columns],
        "rows": min(count, job["rows"]),
        "truncated": count > job["rows"],
    }
    return about, b"[" + b",".join(parts) + b"]"


def _selection(connection: DuckDBPyConnection, job: dict[str, Any]) -> tuple[list[Column], str]:
    """The query with its columns as our types."""
    described = connection.execute(f"DESCRIBE {job['sql']}", job["parameters"] or None).fetchall()
    columns = _columns(described)
    names = [one.name.lower() for one in columns]
    for name in names:
        if names.count(name) > 1:
            raise SqlError(f"two columns of the result are named {name}; give one another name with AS")
    cells = []
    for (name, kind, *_), column in zip(described, columns, strict=True):
        cell = quoted(str(name))
        if column.type == "json" and kind != "JSON":
            cell = f"to_json({cell})"
        elif column.type == "timestamp" and kind != "TIMESTAMP":
            cell = f"({cell} AT TIME ZONE 'UTC')" if "TIME ZONE" in kind else f"{cell}::TIMESTAMP"
        elif column.type in ("bigint", "double") or (column.type == "string" and kind != "VARCHAR"):
            cell = f"{cell}::{ {'bigint': 'BIGINT', 'double': 'DOUBLE', 'string': 'VARCHAR'}[column.type] }"
        cells.append(f"{cell} AS {quoted(str(name))}")
    return columns, f"SELECT {', '.join(cells)} FROM ({job['sql']}\n)"


def _written(connection: DuckDBPyConnection, job: dict[str, Any]) -> dict[str, Any]:
    """The rows as a Parquet file."""
    from pathlib import Path as FilePath

    target: Path = FilePath(job["target"])
    columns, selection = _selection(connection, job)
    order = "" if job["ordered"] else " ORDER BY ALL"
    written = connection.execute(f"COPY ({selection}{order}) {copy_to(target)}", job["parameters"] or None).fetchone()
    return {"columns": [one.model_dump(mode="json") for one in columns], "rows": written[0] if written else 0}
