"""A table in memory as the input of an algorithm, and a task that gives it to the algorithm's steps."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sluice.algorithms.algorithm import Algorithm, Result
from sluice.domain.base import validate, validation_faults
from sluice.domain.json_text import dumps, loads
from sluice.domain.schema import Column, duckdb_type


class MemoryTable:
    """A table as an input.

    Args:
        columns: the type of each column by its name.
        rows: the values of each row.
        threads: of the engine.
    """

    def __init__(self, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], threads: int = 1) -> None:
        import duckdb

        self.columns = [Column(name=name, type=kind) for name, kind in columns.items()]
        self._connection = duckdb.connect(config={"threads": threads})
        self._connection.execute("SET TimeZone = 'UTC'")
        types = ", ".join(f'"{name}" {duckdb_type(kind)}' for name, kind in columns.items())
        self._connection.execute(f"CREATE TABLE data ({types})")
        if rows:
            cells = ", ".join(f"unnest(?)::{duckdb_type(kind)}" for kind in columns.values())
            lists = [list(values) for values in zip(*rows, strict=True)]
            self._connection.execute(f"INSERT INTO data SELECT {cells}", lists)

    @classmethod
    def of_query(cls, columns: Mapping[str, str], sql: str, threads: int = 1) -> MemoryTable:
        """The table that a query returns."""
        table = cls(columns, [], threads)
        table._connection.execute(f"INSERT INTO data {sql}")
        return table

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run SQL."""
        cursor = self._connection.execute(sql, dict(parameters) if parameters else None)
        names = [item[0] for item in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def close(self) -> None:
        """Close the engine."""
        self._connection.close()


@dataclass
class MemoryTask:
    """A task of one table."""

    tables: Mapping[str, Any]
    parameters: Any
    seed: int = 1
    documents: Mapping[str, Any] = field(default_factory=dict)
    scores: Sequence[tuple[float, ...]] = ()
    warnings: list[str] = field(default_factory=list)
    seconds: float = 900.0
    slowness: float = 0.0

    def random(self, restart: int) -> random.Random:
        """The generator of a restart."""
        return random.Random(f"{self.seed}:{restart}")

    def progress(self, current: int, total: int | None = None, text: str | None = None) -> None:
        """Let time pass."""
        self.seconds -= self.slowness

    def warn(self, text: str) -> None:
        """Keep a warning."""
        self.warnings.append(text)

    def seconds_left(self) -> float:
        """The time that is left."""
        return self.seconds


@dataclass(frozen=True)
class Finished:
    """What a run returned.

    Args:
        result: the result; its document matches the algorithm's `output`.
        warnings: the run's warnings.
    """

    result: Result
    warnings: list[str]

    @property
    def bytes(self) -> bytes:
        """All that is stored."""
        tables = {
            name: [[column.model_dump() for column in table.columns], table.rows]
            for name, table in self.result.tables.items()
        }
        return dumps([self.result.document, tables, self.warnings])

    def records(self, table: str = "main") -> list[dict[str, Any]]:
        """The rows of a table by column, which have the types that the columns say."""
        content = self.result.tables[table]
        stored = MemoryTable({column.name: column.type for column in content.columns}, content.rows)
        try:
            return stored.query("SELECT * FROM data")
        finally:
            stored.close()


def run(algorithm: Algorithm, data: MemoryTable, **parameters: Any) -> Finished:
    """Run an algorithm as the platform does, with JSON between its steps; closes the table."""
    try:
        return _run(algorithm, data, parameters)
    finally:
        data.close()


def _run(algorithm: Algorithm, data: MemoryTable, parameters: dict[str, Any]) -> Finished:
    task = MemoryTask({"data": data}, validate(algorithm.parameters, parameters))
    prepared = loads(dumps(algorithm.prepare(task))) if algorithm.prepare else None
    solved = loads(dumps(algorithm.solve(task, prepared, 0).document))
    result = algorithm.finish(task, prepared, solved) if algorithm.finish else Result(solved)
    assert not validation_faults(algorithm.output, result.document)
    assert set(result.tables) == set(algorithm.tables)
    return Finished(result, task.warnings)
