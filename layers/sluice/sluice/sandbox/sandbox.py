"""Runs users' queries in the sandbox process, which is killed when it exceeds a limit."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from sluice.domain.schema import Column
from sluice.errors import Invalid, QueryLimit
from sluice.lake.parquet import LocalFile
from sluice.sandbox.worker import receive, send
from sluice.settings import Settings

_START_SECONDS = 30
_MEGABYTES = {"MB": 1_000_000, "GB": 1_000_000_000}
# Address space that is mapped but never used. Measured: 0.8 GB at the start, and 1.4 GB more for a query of 512 MB.
_UNTOUCHED_BYTES = 2_000_000_000
# How often resident memory is checked. It grows by less than 50 MB in that time.
_WATCH_SECONDS = 0.02


@dataclass(frozen=True)
class SandboxTable:
    """A table that a query may read.

    Args:
        name: its name in SQL.
        rows: the SQL that reads its files.
        files: its files.
        view: for a view, which has no files, the query that a user wrote.
    """

    name: str
    rows: str = ""
    files: list[LocalFile] = field(default_factory=list)
    view: str = ""


@dataclass(frozen=True)
class QueryResult:
    """The result of a query.

    Args:
        items: the rows as a JSON list of objects.
        columns: the name and type of each column.
        rows: the number of rows in `items`.
        truncated: whether the query has more rows.
    """

    items: bytes
    columns: list[dict[str, str]]
    rows: int
    truncated: bool


class Sandbox:
    """Runs queries one at a time in a process that is started on first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._memory = self._space = 0
        self._caps = {"time": f"{_START_SECONDS} s", "memory": settings.query_memory}

    def query(
        self,
        sql: str,
        parameters: dict[str, Any],
        tables: list[SandboxTable],
        scratch: Path,
        rows: int | None = None,
        moments: dict[str, str] | None = None,
        threads: int | None = None,
    ) -> QueryResult:
        """Run a query and return its rows.

        Args:
            sql: the query.
            parameters: the values of its parameters.
            tables: the tables that it may read.
            scratch: a folder for the engine's temporary files.
            rows: the most rows to return; None: the setting `query_rows`.
            moments: the parameters that are a `date` or a `timestamp`, with that type; their values are text.
            threads: the engine's threads; None: the setting. With one, sums of doubles are reproducible.

        Raises:
            Invalid: the query is not allowed, or does not fit the tables.
            QueryLimit: it exceeds a limit for time, memory, rows or bytes.
        """
        settings = self._settings
        limit = settings.query_rows if rows is None else rows
        most = max(settings.query_most_rows, limit)
        workers = settings.duckdb_threads if threads is None else threads
        job = {"rows": limit, "most_rows": most, "threads": workers, "moments": moments or {}}
        job |= {"memory": settings.query_memory, "most_bytes": settings.query_bytes}
        answer = self._run(sql, parameters, tables, scratch, settings.query_seconds, **job)
        try:
            items = self._receive(_START_SECONDS)
        except EOFError:
            raise self._kill("memory") from None
        return QueryResult(items, answer["columns"], answer["rows"], answer["truncated"])

    def write(
        self, sql: str, tables: list[SandboxTable], scratch: Path, target: Path, *, ordered: bool, seconds: float
    ) -> tuple[list[Column], int]:
        """Write the rows of a query to a Parquet file. Equal rows give equal bytes.

        Args:
            sql: the query.
            tables: the tables that it may read.
            scratch: a folder for the engine's temporary files.
            target: the file to write.
            ordered: whether the query orders its rows itself; if not, they are sorted by all columns.
            seconds: the time limit.

        Returns:
            The columns, and the number of rows.

        Raises:
            Invalid, QueryLimit: as `query`.
        """
        # One thread: with several, sums of doubles depend on the order of additions.
        memory, spill = self._settings.duckdb_memory, self._settings.model_spill
        job = {"target": str(target), "ordered": ordered, "threads": 1, "memory": memory, "spill": spill}
        answer = self._run(sql, {}, tables, scratch, seconds, **job)
        return [Column.model_validate(column) for column in answer["columns"]], answer["rows"]

    def _run(
        self,
        sql: str,
        parameters: dict[str, Any],
        tables: list[SandboxTable],
        scratch: Path,
        seconds: float,
        **more: Any,
    ) -> dict[str, Any]:
        job = {
            "sql": sql,
            "parameters": parameters,
            "tables": {table.name: table.rows for table in tables if not table.view},
            "views": {table.name: table.view for table in tables if table.view},
            "paths": [str(file.path) for table in tables for file in table.files],
            "spill": self._settings.query_memory,
            "scratch": str(scratch),
            **more,
        }
        process = self._require_process(_bytes(job["memory"]) + _bytes(self._settings.sandbox_memory))
        assert process.stdin is not None
        self._caps = {
            "time": f"{seconds:g} s",
            "memory": job["memory"],
            "rows": f"{self._settings.query_most_rows} rows",
            "bytes": f"{self._settings.query_bytes} bytes",
        }
        try:
            send(process.stdin, orjson.dumps(job))
            answer: dict[str, Any] = orjson.loads(self._receive(seconds))
        except (BrokenPipeError, EOFError):
            raise self._kill("memory") from None
        if "limit" in answer:
            raise self._limit_error(answer["limit"])
        if "fault" in answer:
            raise Invalid(answer["fault"], [{"pointer": "/sql", "message": answer["fault"]}])
        return answer

    def _receive(self, seconds: float) -> bytes:
        """Receive the next message of the process.

        Args:
            seconds: the time limit.

        Raises:
            QueryLimit: the message did not come in time, or the process took too much memory; the process was killed.
            EOFError: the process has died.
        """
        process = self._process
        assert process is not None
        assert process.stdout is not None
        # Only the start of a message is awaited with the limits: the process sends it as a whole.
        deadline = time.monotonic() + seconds
        while not select.select([process.stdout], [], [], _WATCH_SECONDS)[0]:
            if time.monotonic() > deadline:
                raise self._kill("time")
            if _resident(process.pid) > self._memory:
                raise self._kill("memory")
        message = receive(process.stdout)
        if message is None:
            raise EOFError
        return message

    def _require_process(self, memory: int) -> subprocess.Popen[bytes]:
        """The process, started if necessary.

        Args:
            memory: the most bytes of resident memory.

        A new process replaces one whose limit for address space is too low, since that cannot be raised, or one in
        which earlier queries have left too little address space.
        """
        space = memory + _UNTOUCHED_BYTES
        self._memory = memory
        process = self._process
        # A limit for address space can only be lowered, and mapped memory is rarely given back.
        usable = process is not None and process.poll() is None and self._space >= space
        if process is not None and usable and _mapped(process.pid) <= self._space // 2:
            return process
        self.close()
        code = f"import sys; sys.path[:] = {sys.path!r}; from sluice.sandbox.worker import main; main()"
        # An environment with only what the loader needs: no credentials, no names of tables or buckets.
        environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        self._process = subprocess.Popen(
            # -I: neither the working directory nor environment variables may add modules.
            [sys.executable, "-I", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd="/",
            bufsize=0,
        )
        assert self._process.stdin is not None
        self._space = space
        limits = {"space_bytes": space, "file_bytes": _bytes(self._settings.model_spill)}
        send(self._process.stdin, orjson.dumps(limits))
        self._receive(_START_SECONDS)
        return self._process

    def _kill(self, what: str) -> QueryLimit:
        """Kill the process because its query exceeded a limit, and return the error."""
        self.close()
        return self._limit_error(what)

    def _limit_error(self, what: str) -> QueryLimit:
        return QueryLimit(
            f"The query exceeds its limit for {what} ({self._caps[what]}); reduce what it reads or returns."
        )

    def close(self) -> None:
        """Kill the process; the next query starts another one."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process = None


def _bytes(text: str) -> int:
    return int(float(text[:-2]) * _MEGABYTES[text[-2:]])


def _resident(pid: int) -> int:
    """The resident memory of a process in bytes; 0 if the system does not tell."""
    return _pages(pid, 1)


def _mapped(pid: int) -> int:
    """The address space of a process in bytes; 0 if the system does not tell."""
    return _pages(pid, 0)


def _pages(pid: int, field: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[field]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
