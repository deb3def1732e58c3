"""A SQLite file: opened read-only, in a thread of its own, with what a hostile file could do switched off."""

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
from sluice.sources.sql.base import Row, ServerColumn, too_long

# How often the time is looked at, in steps of SQLite's virtual machine.
_STEPS = 100_000
_CACHE_KILOBYTES = 16_000
_MOST_BYTES = 256_000_000
_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_DENIED_FUNCTIONS = {"load_extension", "fts3_tokenizer"}


async def open_sqlite(source: SqlSource, path: Path) -> SqliteResult:
    """Begin to read what the source's statement selects.

    Args:
        path: a copy of the file, which nobody writes while it is read.

    Raises:
        UnreadableData: it is no SQLite file, or a broken one.
        SourceRefused: the statement fails.
    """
    result = SqliteResult(source, path)
    try:
        await result.begin()
    except BaseException:
        await result.aclose()
        raise
    return result


class SqliteResult:
    """The rows of one statement, read step by step."""

    def __init__(self, source: SqlSource, path: Path) -> None:
        self._source = source
        self._path = path
        self._thread = ThreadPoolExecutor(1, "sqlite")
        self._deadline = monotonic() + source.statement_timeout_seconds
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor | None = None
        self.columns: list[ServerColumn] = []

    async def begin(self) -> None:
        """Open the file and begin the statement.

        Raises:
            UnreadableData, SourceRefused: as `open_sqlite`.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._begin)

    async def rows(self, most: int) -> Sequence[Row]:
        """The next rows: see `Result.rows`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._fetch, most)

    async def aclose(self) -> None:
        """Close the file, ending the statement."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _begin(self) -> None:
        try:
            connection = sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro&immutable=1", uri=True)
            self._connection = connection
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            for pragma in ("query_only = 1", "trusted_schema = 0", "temp_store = 1", "mmap_size = 0"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KILOBYTES}")
            connection.execute(f"PRAGMA hard_heap_limit = {_MOST_BYTES}")
            connection.set_authorizer(_authorize)
            connection.set_progress_handler(lambda: self._closed or monotonic() > self._deadline, _STEPS)
            self._cursor = connection.execute(self._source.query, self._source.parameters)
        except (sqlite3.Error, MemoryError) as error:
            raise self._failed(error) from None
        self.columns = [ServerColumn(column[0], "", values.observed) for column in self._cursor.description]

    def _fetch(self, most: int) -> list[Any]:
        assert self._cursor is not None, "begun"
        try:
            return self._cursor.fetchmany(most)
        except (sqlite3.Error, MemoryError) as error:
            raise self._failed(error) from None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _failed(self, error: Exception) -> RunError:
        text = str(error) or type(error).__name__
        if isinstance(error, MemoryError):
            return SourceRefused("The statement needs more memory than a SQLite file may have; select less at a time.")
        if monotonic() > self._deadline:
            return too_long(self._source)
        if "UTF-8" in text:
            return UnreadableData(f"The SQLite file has text that is not UTF-8: {text}.")
        if isinstance(error, sqlite3.DatabaseError) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN:
            return UnreadableData(f"The file is no SQLite database, or a broken one: {text}.")
        return SourceRefused(f"The database refused the query: {text}.")


_BROKEN = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR)


def _authorize(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    """Whether a statement, or a view of the file, may do this: read and compute, nothing else."""
    denied = action not in _ALLOWED or (action == sqlite3.SQLITE_FUNCTION and second in _DENIED_FUNCTIONS)
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK
