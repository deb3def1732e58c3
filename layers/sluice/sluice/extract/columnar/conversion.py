"""Conversion of values to another type: by the engine where it agrees with Python, else by Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluice.domain.schema import converter, duckdb_type
from sluice.domain.text_values import has_nanoseconds
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.columnar.pages import Cell

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH = 10_000


@dataclass(frozen=True)
class EngineCast:
    """A cast that gives the same result in the engine as in Python.

    Args:
        sql: the SQL of the result.
        condition: the SQL condition under which it is the same; None: always.
    """

    sql: str
    condition: str | None = None


@dataclass(frozen=True)
class Conversion:
    """The conversion of one column's values.

    Args:
        text: the SQL of a value as text.
        rows: the SQL of the rows.
        number: identifies the column, for the names of temporary tables.
        cast: what the engine converts. Python converts the other values, each distinct one once.
        parse: parses the text of a value; warnings show the result if it cannot be converted.
        normalize: prepares a value for the conversion; returns None if it means null, and raises ValueError if the
            value is invalid.
    """

    text: str
    rows: str
    number: int
    cast: EngineCast
    parse: Callable[[str], Any]
    normalize: Callable[[Any], Any]

    def cell(self, connection: DuckDBPyConnection, types: ColumnTypes, name: str, kind: str) -> Cell:
        """Convert the values.

        Args:
            connection: the engine, which may get a temporary table.
            types: is told of values that are not of the type.
            name: the column's name in warnings.
            kind: the column type to convert to.

        Returns:
            The SQL of the converted value.
        """
        condition, sql = self.cast.condition, self.cast.sql
        if condition is None:
            return Cell(sql)
        table = f"sluice_values_{self.number}"
        problems = self._load_conversions(connection, table, condition, kind)
        if problems is None:
            return Cell(sql)
        if problems.wrong:
            count, first = self._count_problem(connection, table, "wrong")
            types.note_failure(
                name, self.parse(first["text"]), first["page"], first["nth"], self._error(first["text"], kind), count
            )
        if problems.cut:
            count, first = self._count_problem(connection, table, "cut")
            types.note_truncation(name, str(self.normalize(self.parse(first["text"]))), count)
        value = f"{table}.converted::{duckdb_type(kind)}"
        value = value if condition == "false" else f"CASE WHEN {condition} THEN {sql} ELSE {value} END"
        return Cell(value, f"LEFT JOIN {table} ON {table}.raw = {self.text}")

    def _load_conversions(
        self, connection: DuckDBPyConnection, table: str, condition: str, kind: str
    ) -> _Problems | None:
        """Create the table of the values that Python converts, and of their conversions.

        Returns:
            The problems found; None if there are no such values.
        """
        for_python = f"{self.text} IS NOT NULL AND NOT coalesce({condition}, false)"
        # DISTINCT: columns usually repeat few values, and each call of Python is expensive.
        # A cursor of its own, since the loop inserts while it reads.
        result = connection.cursor().execute(f"SELECT DISTINCT {self.text} FROM {self.rows} WHERE {for_python}")
        problems = _Problems()
        has_values = False
        while batch := result.fetchmany(_BATCH):
            if not has_values:
                types = "(raw VARCHAR, converted VARCHAR, wrong BOOLEAN, cut BOOLEAN)"
                connection.execute(f"CREATE OR REPLACE TABLE {table} {types}")
                has_values = True
            raws = [raw for (raw,) in batch]
            conversions = [self._convert(raw, kind) for raw in raws]
            columns = [[conversion[number] for conversion in conversions] for number in range(3)]
            problems.wrong, problems.cut = problems.wrong or any(columns[1]), problems.cut or any(columns[2])
            values = "unnest($1), unnest($2), unnest($3), unnest($4)"
            connection.execute(f"INSERT INTO {table} SELECT {values}", [raws, *columns])
        return problems if has_values else None

    def _convert(self, raw: str, kind: str) -> tuple[str | None, bool, bool]:
        """The converted value as text, whether it is invalid, and whether it is a time that was truncated."""
        try:
            text = self.normalize(self.parse(raw))
            converted = None if text is None else converter(kind)(text)
        except ValueError:
            return None, True, False
        cut = kind == "timestamp" and isinstance(text, str) and has_nanoseconds(text)
        return _to_engine_text(converted), False, cut

    def _error(self, raw: str, kind: str) -> ValueError:
        """Why a value is not of the type."""
        try:
            converter(kind)(self.normalize(self.parse(raw)))
        except ValueError as error:
            return error
        raise AssertionError("the value was marked as invalid")

    def _count_problem(self, connection: DuckDBPyConnection, table: str, which: str) -> tuple[int, dict[str, Any]]:
        """How many values are wrong or were cut, and the first one with its page and row."""
        query = f"""
            SELECT count(*), arg_min({{'page': page, 'nth': nth, 'text': {self.text}}}, position)
            FROM {self.rows} JOIN {table} ON {table}.raw = {self.text} WHERE {table}.{which}
        """
        count, first = connection.execute(query).fetchone() or (0, {})
        return count, first


@dataclass
class _Problems:
    """Whether some values are not of the type, and whether some are times that were truncated."""

    wrong: bool = False
    cut: bool = False


def _to_engine_text(value: Any) -> str | None:
    """A converted value as text that the engine reads as the same value."""
    if value is None:
        return None
    return repr(value) if isinstance(value, float) else str(value)
