"""SQLite files: opened read-only in a thread, without the features that a hostile file could abuse."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

from sluice.domain.datasource.sql_source import SqlSource
from sluice.errors import RunError, SourceRefused, UnreadableData
from sluice.sources.sql import values
from sluice.sources.sql.base import Row, ServerColumn, start_result, too_long

# Every so many instructions of SQLite's virtual machine, the time limit is checked.
_STEPS = 100_000
_CACHE_KILOBYTES = 16_000
_MAX_HEAP_BYTES = 256_000_000
_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_DENIED_FUNCTIONS = {"load_extension", "fts3_tokenizer"}


async def open_sqlite(source: SqlSource, path: Path) -> SqliteResult:
    """Open a SQLite file and execute the source's statement.

    Args:
        source: the datasource's `sql`.
        path: a copy of the file; nothing may write it while it is read.

    Raises:
        UnreadableData: the file is not a SQLite database, or it is broken.
        SourceRefused: the statement fails.
    """
    return await start_result(SqliteResult(source, path))


class SqliteResult:
    """The rows of one statement; SQLite computes them while they are read.

    The calls of SQLite block, so they run in a thread of their own.
    """

    def __init__(self, source: SqlSource, path: Path) -> None:
        self._source = source
        self._path = path
        self._thread = ThreadPoolExecutor(1, "sqlite")
        self._deadline = monotonic() + source.statement_timeout_seconds
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor | None = None
        self.columns: list[ServerColumn] = []

    async def start(self) -> None:
        """Open the file and execute the statement: see `open_sqlite`."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._start)

    async def rows(self, max_rows: int) -> Sequence[Row]:
        """Return the next rows: see `Result.rows`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._fetch, max_rows)

    async def aclose(self) -> None:
        """End the statement and close the file."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _start(self) -> None:
        try:
            # immutable: no locks and no journal, which a read-only copy does not need.
            connection = sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro&immutable=1", uri=True)
            self._connection = connection
            # No ATTACH of other files; and the file's views and triggers may not call unsafe functions.
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            for pragma in ("query_only = 1", "trusted_schema = 0", "temp_store = 1", "mmap_size = 0"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KILOBYTES}")
            connection.execute(f"PRAGMA hard_heap_limit = {_MAX_HEAP_BYTES}")
            connection.set_authorizer(_authorize)
            # A handler that returns true interrupts the statement: after its time, or when the result is closed.
            connection.set_progress_handler(lambda: self._closed or monotonic() > self._deadline, _STEPS)
            self._cursor = connection.execute(self._source.query, self._source.parameters)
        except (sqlite3.Error, MemoryError) as error:
            raise self._run_error(error) from None
        self.columns = [ServerColumn(column[0], "", values.observed) for column in self._cursor.description]

    def _fetch(self, max_rows: int) -> list[Any]:
        assert self._cursor is not None, "started"
        try:
            return self._cursor.fetchmany(max_rows)
        except (sqlite3.Error, MemoryError) as error:
            raise self._run_error(error) from None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _run_error(self, error: Exception) -> RunError:
        text = str(error) or type(error).__name__
        if isinstance(error, MemoryError):
            return SourceRefused(
                f"The statement needs more than {_MAX_HEAP_BYTES // 1_000_000} MB of memory; select less."
            )
        if monotonic() > self._deadline:
            return too_long(self._source)
        if "UTF-8" in text:
            return UnreadableData(f"The SQLite file has text that is not UTF-8: {text}.")
        if isinstance(error, sqlite3.DatabaseError) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN:
            return UnreadableData(f"The file is not a SQLite database, or it is broken: {text}.")
        return SourceRefused(f"The database refused the query: {text}.")


_BROKEN = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR)


def _authorize(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    """Allow a statement, and the views of the file, to read and to compute, and nothing else.

    SQLite calls this while it compiles a statement; a view of a hostile file is compiled with the statement.
    """
    denied = action not in _ALLOWED or (action == sqlite3.SQLITE_FUNCTION and second in _DENIED_FUNCTIONS)
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK
