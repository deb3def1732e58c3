"""Checks, by queries, how well the primary key identifies the records of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sluice.domain.counts import counted
from sluice.lake.engine_types import kind_of
from sluice.lake.equality import identity_cell
from sluice.lake.parquet import finite_or_null, literal, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def key_warnings(connection: DuckDBPyConnection, files: list[Path], key: list[str], columns: list[str]) -> list[str]:
    """Warnings about records that are kept although the primary key does not identify them.

    Args:
        connection: the engine.
        files: the Parquet files with the run's own records.
        key: the columns of the primary key.
        columns: the columns of the records.
    """
    absent = [name for name in key if name not in columns]
    if absent:
        return [f"{name}: no record has this column of the primary key" for name in absent]
    repeated = _count_repeated(connection, files, key)
    count = counted(repeated, "record repeats", "records repeat")
    repeats = [f"{', '.join(key)}: {count} the primary key of another record"] if repeated else []
    return [*missing_key_warnings(connection, files, key), *repeats]


def missing_key_warnings(connection: DuckDBPyConnection, files: list[Path], key: list[str]) -> list[str]:
    """Warnings with the number of records that have no value in each column of the primary key.

    Args:
        connection: the engine.
        files: the Parquet files with the records.
        key: the columns of the primary key.
    """
    counts = ", ".join(f"count(*) FILTER ({quoted(name)} IS NULL)" for name in key)
    answer = connection.execute(f"SELECT {counts} FROM {_keys(connection, files, key)[0]}").fetchone() or ()
    return [
        f"{name}: {counted(count, 'record has', 'records have')} no value in this column of the primary key"
        for name, count in zip(key, answer, strict=True)
        if count
    ]


def count_without_key(connection: DuckDBPyConnection, rows: str, key: list[str]) -> int:
    """Count the rows without a value in a column of the primary key.

    Args:
        connection: the engine.
        rows: the SQL of the rows.
        key: the columns of the primary key.
    """
    answer = connection.execute(f"SELECT count(*) FROM {rows} WHERE NOT ({_whole(key)})").fetchone()
    return int(answer[0]) if answer else 0


def _count_repeated(connection: DuckDBPyConnection, files: list[Path], key: list[str]) -> int:
    """How many records have the primary key of an earlier record."""
    rows, types = _keys(connection, files, key)
    same = ", ".join(identity_cell(quoted(name), types[name]) for name in key)
    counts = f"SELECT count(*) AS records FROM {rows} WHERE {_whole(key)} GROUP BY {same}"
    answer = connection.execute(f"SELECT coalesce(sum(records - 1), 0) FROM ({counts})").fetchone()
    return int(answer[0]) if answer else 0


def _whole(key: list[str]) -> str:
    return " AND ".join(f"{quoted(name)} IS NOT NULL" for name in key)


def _keys(connection: DuckDBPyConnection, files: list[Path], key: list[str]) -> tuple[str, dict[str, str]]:
    """The SQL of the key columns as readers see them, and their types."""
    rows = f"read_parquet([{', '.join(literal(str(file)) for file in files)}])"
    described = connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()
    types = {str(name): kind_of(str(kind)) for name, kind, *_ in described}
    cells = [
        # Readers see NaN and infinities as null, so they are not values of a key.
        f"{finite_or_null(quoted(name))} AS {quoted(name)}" if types[name] == "double" else quoted(name)
        for name in key
    ]
    return f"(SELECT {', '.join(cells)} FROM {rows})", types
