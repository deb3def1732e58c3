"""The tests of tables: each test is a query that counts the rows that fail."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from sluice.domain.counts import counted
from sluice.domain.dataset import Manifest
from sluice.domain.model import (
    AcceptedValues,
    Freshness,
    NotNull,
    Range,
    Relationships,
    RowCount,
    SqlTest,
    TableTest,
    TestResult,
    Unique,
)
from sluice.domain.names import parse_time
from sluice.domain.schema import Column
from sluice.domain.sql_query import SqlError, parse_query
from sluice.errors import Invalid, ModelFailed, NotPublished
from sluice.lake.parquet import literal, quoted
from sluice.models.project_tables import ProjectTables
from sluice.sandbox.sandbox import Sandbox

# Messages are stored in the catalog, and a test may list any number of values.
_MAX_CHARACTERS = 500


class Tester:
    """Runs the tests of tables.

    Args:
        tables: the project's tables.
        sandbox: executes the queries.
        scratch: a folder for the sandbox's temporary files.
        moment: the time to which freshness refers.
    """

    def __init__(self, tables: ProjectTables, sandbox: Sandbox, scratch: Path, moment: datetime) -> None:
        self._tables = tables
        self._sandbox = sandbox
        self._scratch = scratch
        self._moment = moment

    def results(self, table: str, manifest: Manifest, tests: list[TableTest]) -> list[TestResult]:
        """Run the tests of a table.

        Args:
            table: the table's name.
            manifest: the version of the table.
            tests: the tests.

        Returns:
            One result for each test.

        Raises:
            ModelFailed: a test of severity `error` cannot be run, and the version is not partial.
        """
        return [self._result(table, manifest, test) for test in tests]

    def _result(self, table: str, manifest: Manifest, test: TableTest) -> TestResult:
        severity = test.severity
        try:
            failures, message = self._failures(table, manifest, test)
        except (Invalid, ValueError, NotPublished) as error:  # ValueError: bad SQL, or a time beyond year 9999
            message = f"The test {test.type} of {table} cannot be run: {error}"
            if manifest.completeness == "partial":
                # The column may come from a datasource that has no data yet, which the version says anyway.
                severity, message = "warn", f"{message} (the version is partial)"
            elif severity == "error":
                raise ModelFailed(message) from None
            failures = 1
        return TestResult(
            test=test.model_dump(mode="json"),
            severity=severity,
            status="failed" if failures else "passed",
            failures=failures,
            message=_short(message) if failures else "",
        )

    def _failures(self, table: str, manifest: Manifest, test: TableTest) -> tuple[int, str]:
        if isinstance(test, RowCount):
            wrong = manifest.rows < (test.min or 0) or (test.max is not None and manifest.rows > test.max)
            return int(wrong), f"{table} has {counted(manifest.rows, 'row', 'rows')}"
        if isinstance(test, Freshness):
            return self._stale(table, manifest, test)
        columns = {column.name: column for column in manifest.columns}
        sql = test.sql if isinstance(test, SqlTest) else _query(table, columns, test)
        count = self._scalar(f"SELECT count(*) AS n FROM ({parse_query(sql).sql}\n)")
        return int(
            count
        ), f"{counted(int(count), f'row of {table} fails', f'rows of {table} fail')} {_description(test)}"

    def _stale(self, table: str, manifest: Manifest, test: Freshness) -> tuple[int, str]:
        newest: str | None = manifest.data_as_of
        if test.column is not None:
            _require({column.name: column for column in manifest.columns}, test.column)
            newest = self._scalar(f"SELECT max({quoted(test.column)})::TIMESTAMP AS n FROM {quoted(table)}")
        if newest is None:
            return 1, f"{table} has no time in {test.column}"
        age = (self._moment - parse_time(newest).astimezone(UTC)).total_seconds()
        return int(age > test.max_age_seconds), f"{table} is {age:.0f} s old"

    def _scalar(self, sql: str) -> Any:
        """Return the column `n` of a query's only row."""
        query_tables = self._tables.for_query(parse_query(sql))
        result = self._sandbox.query(sql, {}, query_tables.tables, self._scratch, rows=1)
        return orjson.loads(result.items)[0]["n"]


def _require(columns: dict[str, Column], *names: str) -> None:
    for name in names:
        if name not in columns:
            raise SqlError(f"there is no column {name}; the columns are {', '.join(columns)}")


def _query(table: str, columns: dict[str, Column], test: TableTest) -> str:
    """Return the query of the rows, or groups of rows, that fail a test."""
    source = quoted(table)
    match test:
        case NotNull():
            _require(columns, test.column)
            return f"SELECT 1 FROM {source} WHERE {quoted(test.column)} IS NULL"
        case Unique():
            _require(columns, *test.columns)
            # Rows with a null are not duplicates, as in SQL's UNIQUE.
            names = ", ".join(map(quoted, test.columns))
            whole = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in test.columns)
            return f"SELECT 1 FROM {source} WHERE {whole} GROUP BY {names} HAVING count(*) > 1"
        case AcceptedValues():
            _require(columns, test.column)
            accepted = ", ".join(map(_value, test.values))
            return f"SELECT 1 FROM {source} WHERE {quoted(test.column)} NOT IN ({accepted})"
        case Relationships():
            _require(columns, test.column)
            # Names are qualified: an unqualified column that the other table lacks would refer to the tested table,
            # and the test would always pass.
            field, name = f"other.{quoted(test.field)}", f"tested.{quoted(test.column)}"
            others = f"SELECT {field} FROM {quoted(test.to)} AS other WHERE {field} IS NOT NULL"
            return f"SELECT 1 FROM {source} AS tested WHERE {name} IS NOT NULL AND {name} NOT IN ({others})"
        case Range():
            _require(columns, test.column)
            name = quoted(test.column)
            outside = [f"{name} < {_value(test.min)}"] if test.min is not None else []
            outside += [f"{name} > {_value(test.max)}"] if test.max is not None else []
            return f"SELECT 1 FROM {source} WHERE {' OR '.join(outside)}"
        case _:
            raise AssertionError(test)


def _short(message: str) -> str:
    return message if len(message) <= _MAX_CHARACTERS else f"{message[:_MAX_CHARACTERS]} …"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return literal(value)
    return orjson.dumps(value).decode() if isinstance(value, bool | int | float) else "NULL"


def _description(test: TableTest) -> str:
    options = test.model_dump(mode="json", exclude={"severity", "type"}, exclude_none=True)
    option_texts = ", ".join(f"{name} {value}" for name, value in options.items())
    return f"{test.type} ({option_texts})"
