"""DuckDB instances kept for the next use: creating one takes 12 ms, longer than most queries."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Configuration = tuple[tuple[str, str | int | bool], ...]

_MOST_IDLE = 2
# What our own SQL sets; the engine refuses to change any other option. These are reset after each use.
_RESET_OPTIONS = ["temp_directory", "disabled_optimizers", "TimeZone"]
_FIXED: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_file_cache": False,  # no content of a file outlives the use that read it
    "allow_persistent_secrets": False,
    "allowed_configs": [*_RESET_OPTIONS, "enable_progress_bar"],  # the latter ends with its connection
    "lock_configuration": True,
}
# What an instance holds apart from its options. Temporary objects and prepared statements end with their connection.
_STATE = (
    "SELECT database_name FROM duckdb_databases() WHERE NOT internal",
    "SELECT name FROM duckdb_secrets()",
    "SELECT extension_name FROM duckdb_extensions() WHERE loaded",
    "SELECT path FROM duckdb_temporary_files()",
    "SELECT tag FROM duckdb_memory() WHERE memory_usage_bytes > 0",
)


class EnginePool:
    """DuckDB instances of this process, for SQL of our own; users' SQL runs in the sandbox, on instances of its own.

    Each use has an instance for itself, with all of its memory limit, and an empty database, which
    is removed after the use. An instance is used again only if afterwards it holds what a new one
    holds. After an error it is closed: it may be invalid or hold much memory.
    """

    def __init__(self) -> None:
        self._idle: list[tuple[Configuration, _Instance]] = []
        self._lock = Lock()

    @contextmanager
    def connection(self, configuration: Configuration, scratch: Path) -> Iterator[DuckDBPyConnection]:
        """A connection to an empty in-memory database.

        Args:
            configuration: DuckDB's options of the instance, besides those that all instances have.
            scratch: the folder for data that exceeds the memory; DuckDB has closed its files there after the block.
        """
        instance = self._take(configuration)
        try:
            with instance.connect(scratch) as connection:
                yield connection
        except BaseException:
            instance.close()
            raise
        self._give_back(configuration, instance)

    def close(self) -> None:
        """Close the idle instances."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, instance in idle:
            instance.close()

    def _take(self, configuration: Configuration) -> _Instance:
        with self._lock:
            for index, (known, instance) in enumerate(self._idle):
                if known == configuration:
                    del self._idle[index]
                    return instance
        return _Instance(configuration)

    def _give_back(self, configuration: Configuration, instance: _Instance) -> None:
        if not instance.is_clean():
            instance.close()
            return
        with self._lock:
            self._idle.append((configuration, instance))
            surplus = self._idle[:-_MOST_IDLE]
            del self._idle[:-_MOST_IDLE]
        for _, oldest in surplus:
            oldest.close()


class _Instance:
    """A DuckDB instance, whose only database is replaced for each use."""

    def __init__(self, configuration: Configuration) -> None:
        import duckdb  # takes 136 ms; not all functions query

        self._connection = duckdb.connect(":memory:", config={**_FIXED, **dict(configuration)})
        self._databases = (f"use_{number}" for number in count(1))
        self._database = "memory"  # DuckDB's name of the first one
        self._replace_database()
        self._initial_state = self._state()

    @contextmanager
    def connect(self, scratch: Path) -> Iterator[DuckDBPyConnection]:
        """A connection for one use."""
        connection = self._connection.cursor()
        try:
            connection.execute("SET temp_directory = ?", [str(scratch)])
            yield connection
        finally:
            connection.close()

    def is_clean(self) -> bool:
        """Remove what the last use left; return whether the instance is as it was when it was new."""
        import duckdb

        try:
            self._replace_database()
            for option in _RESET_OPTIONS:
                self._connection.execute(f"RESET GLOBAL {option}")
            return self._state() == self._initial_state
        except duckdb.Error:
            return False

    def close(self) -> None:
        self._connection.close()

    def _state(self) -> list[list[Any]]:
        databases, *rest = (self._connection.execute(query).fetchall() for query in _STATE)
        return [[name != self._database for (name,) in databases], *rest]

    def _replace_database(self) -> None:
        previous, self._database = self._database, next(self._databases)
        for statement in ("ATTACH ':memory:' AS", "USE"):
            self._connection.execute(f"{statement} {self._database}")
        self._connection.execute(f"DETACH {previous}")


POOL = EnginePool()
atexit.register(POOL.close)
