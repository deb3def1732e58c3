"""Queries of users, run in the sandbox's process, which is ended when it is over its caps."""

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
# Address space that is mapped and never touched: measured, 0.8 GB at the start and 1.4 GB more by a query of 512 MB.
_UNTOUCHED_BYTES = 2_000_000_000
# How often the process's resident memory is looked at: it grows by less than 50 MB within that time.
_WATCH_SECONDS = 0.02


@dataclass(frozen=True)
class SandboxTable:
    """A table that a query may read.

    Args:
        rows: the SQL that reads its files.
        view: for a view, which has none, the query that users wrote.
    """

    name: str
    rows: str = ""
    files: list[LocalFile] = field(default_factory=list)
    view: str = ""


@dataclass(frozen=True)
class QueryResult:
    """What a query gave.

    Args:
        items: the rows, as the text of a JSON list.
        truncated: whether there are more rows than were asked for.
    """

    items: bytes
    columns: list[dict[str, str]]
    rows: int
    truncated: bool


class Sandbox:
    """Runs queries, one at a time, in a process that is started when it is first needed."""

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
        """The rows of a query.

        Args:
            scratch: a folder that the engine may use while it runs.
            rows: how many to give; by default as many as the setting says.
            moments: which parameters are a `date` or a `timestamp`, whose values are text.
            threads: how many may work; by one the same rows always give the same sums of doubles.

        Raises:
            Invalid: the query is not one that may be run, or does not fit the tables.
            QueryLimit: it needs more time, memory or rows than it may have.
        """
        settings = self._settings
        limit = settings.query_rows if rows is None else rows
        most = max(settings.query_most_rows, limit)
        workers = settings.duckdb_threads if threads is None else threads
        job = {"rows": limit, "most_rows": most, "threads": workers, "moments": moments or {}}
        job |= {"memory": settings.query_memory, "most_bytes": settings.query_bytes}
        about = self._asked(sql, parameters, tables, scratch, settings.query_seconds, **job)
        try:
            items = self._received(_START_SECONDS)
        except EOFError:
            raise self._ended("memory") from None
        return QueryResult(items, about["columns"], about["rows"], about["truncated"])

    def write(
        self, sql: str, tables: list[SandboxTable], scratch: Path, target: Path, *, ordered: bool, seconds: float
    ) -> tuple[list[Column], int]:
        """Write the rows of a query to a Parquet file; the same rows are the same bytes.

        Args:
            ordered: whether the query orders its rows itself; else they are ordered by all columns.

        Returns:
            The columns, and how many rows there are.

        Raises:
            Invalid, QueryLimit: as above.
        """
        # One thread, since sums of doubles depend on who adds what first.
        memory, spill = self._settings.duckdb_memory, self._settings.model_spill
        job = {"target": str(target), "ordered": ordered, "threads": 1, "memory": memory, "spill": spill}
        about = self._asked(sql, {}, tables, scratch, seconds, **job)
        return [Column.model_validate(one) for one in about["columns"]], about["rows"]

    def _asked(
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
        process = self._running(_bytes(job["memory"]) + _bytes(self._settings.sandbox_memory))
        assert process.stdin is not None
        self._caps = {
            "time": f"{seconds:g} s",
            "memory": job["memory"],
            "rows": f"{self._settings.query_most_rows} rows",
            "bytes": f"{self._settings.query_bytes} bytes",
        }
        try:
            send(process.stdin, orjson.dumps(job))
            about: dict[str, Any] = orjson.loads(self._received(seconds))
        except (BrokenPipeError, EOFError):
            raise self._ended("memory") from None
        if "limit" in about:
            raise self._over(about["limit"])
        if "fault" in about:
            raise Invalid(about["fault"], [{"pointer": "/sql", "message": about["fault"]}])
        return about

    def _received(self, seconds: float) -> bytes:
        """The process's next message.

        Args:
            seconds: how long it may take.

        Raises:
            QueryLimit: it did not come in time or took too much memory, and the process was ended.
            EOFError: the process has died.
        """
        process = self._process
        assert process is not None
        assert process.stdout is not None
        # A message comes whole once it begins, save for what the process may still be dying of.
        deadline = time.monotonic() + seconds
        while not select.select([process.stdout], [], [], _WATCH_SECONDS)[0]:
            if time.monotonic() > deadline:
                raise self._ended("time")
            if _resident(process.pid) > self._memory:
                raise self._ended("memory")
        message = receive(process.stdout)
        if message is None:
            raise EOFError
        return message

    def _running(self, memory: int) -> subprocess.Popen[bytes]:
        """The process, which may take so much resident memory.

        Another one is started where the limit of the address space is too low, since it cannot be raised, and
        where earlier queries have left too little of it.
        """
        space = memory + _UNTOUCHED_BYTES
        self._memory = memory
        process = self._process
        usable = process is not None and process.poll() is None and self._space >= space
        if process is not None and usable and _mapped(process.pid) <= self._space // 2:
            return process
        self.close()
        code = f"import sys; sys.path[:] = {sys.path!r}; from sluice.sandbox.worker import main; main()"
        # Only what the loader needs: no credentials, no names of tables or buckets.
        environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        self._process = subprocess.Popen(
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
        self._received(_START_SECONDS)
        return self._process

    def _ended(self, what: str) -> QueryLimit:
        """The error of a query that has reached a cap, whose process is ended."""
        self.close()
        return self._over(what)

    def _over(self, what: str) -> QueryLimit:
        return QueryLimit(
            f"The query needs more {what} than the {self._caps[what]} that it may have; ask for less of it."
        )

    def close(self) -> None:
        """End the process; the next query starts another one."""
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
    """The bytes of memory that a process has touched; 0 where the system does not say."""
    return _pages(pid, 1)


def _mapped(pid: int) -> int:
    """The bytes of a process's address space; 0 where the system does not say."""
    return _pages(pid, 0)


def _pages(pid: int, field: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[field]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
