"""Queries of users, run in the sandbox's process, which is ended when it is over its caps."""

from __future__ import annotations

import os
import select
import subprocess
import sys
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
# What an interpreter and the engine need besides the data.
_BASE_BYTES = 1_500_000_000


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
        self._memory = 0

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
        about = self._asked(sql, parameters, tables, scratch, settings.query_seconds, **job)
        if "limit" in about:
            raise _over(about["limit"], settings, settings.query_seconds)
        try:
            items = self._received(_START_SECONDS)
        except EOFError:
            self.close()
            raise _over("memory", settings, settings.query_seconds) from None
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
        if "limit" in about:
            raise _over(about["limit"], self._settings, seconds)
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
            "memory": self._settings.query_memory,
            "spill": self._settings.query_memory,
            "scratch": str(scratch),
            **more,
        }
        process = self._running(_bytes(job["memory"]) + _BASE_BYTES)
        assert process.stdin is not None
        try:
            send(process.stdin, orjson.dumps(job))
            about: dict[str, Any] = orjson.loads(self._received(seconds))
        except (BrokenPipeError, EOFError):
            self.close()
            raise _over("memory", self._settings, seconds) from None
        if "fault" in about:
            raise Invalid(about["fault"], [{"pointer": "/sql", "message": about["fault"]}])
        return about

    def _received(self, seconds: float) -> bytes:
        """The process's next message.

        Args:
            seconds: how long it may take.

        Raises:
            QueryLimit: it did not come in time, and the process was ended.
            EOFError: the process has died.
        """
        process = self._process
        assert process is not None
        assert process.stdout is not None
        # A message comes whole once it begins, save for what the process may still be dying of.
        if not select.select([process.stdout], [], [], seconds)[0]:
            self.close()
            raise _over("time", self._settings, seconds)
        message = receive(process.stdout)
        if message is None:
            raise EOFError
        return message

    def _running(self, memory: int) -> subprocess.Popen[bytes]:
        """The process, which may take so much memory; a limit cannot be raised, so more needs another process."""
        if self._process is not None and self._process.poll() is None and self._memory >= memory:
            return self._process
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
        self._memory = memory
        limits = {"memory_bytes": memory, "file_bytes": _bytes(self._settings.model_spill)}
        send(self._process.stdin, orjson.dumps(limits))
        self._received(_START_SECONDS)
        return self._process

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


def _over(what: str, settings: Settings, seconds: float) -> QueryLimit:
    caps = {
        "time": f"{seconds:g} s",
        "memory": settings.query_memory,
        "rows": f"{settings.query_most_rows} rows",
    }
    return QueryLimit(f"The query needs more {what} than the {caps[what]} that it may have; ask for less of it.")
