"""Values as another type: by the engine where it is sure of it, the others by Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluice.domain.schema import duckdb_type
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.columnar.pages import Cell

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH = 10_000


@dataclass(frozen=True)
class Sure:
    """What the engine makes of a value as Python would.

    Args:
        sql: the SQL of it.
        condition: the SQL of when; none: always.
    """

    sql: str
    condition: str | None = None


@dataclass(frozen=True)
class Conversion:
    """The values of one column, to be converted.

    Args:
        text: the SQL of a value as text.
        rows: the SQL of the rows.
        number: tells the column from others.
        sure: what the engine converts; Python converts the rest, each different value once.
        parsed: makes the value that is converted, and shown where it cannot be, of its text.
        converted: converts it; a ValueError says why it cannot be.
    """

    text: str
    rows: str
    number: int
    sure: Sure
    parsed: Callable[[str], Any]
    converted: Callable[[Any], Any]

    def cell(self, connection: DuckDBPyConnection, types: ColumnTypes, name: str, kind: str) -> Cell:
        """The converted values; `types` hears of those that are not of the type."""
        sure, sql = self.sure.condition, self.sure.sql
        if sure is None:
            return Cell(sql)
        table = f"sluice_values_{self.number}"
        errors = self._load(connection, table, sure)
        if errors is None:
            return Cell(sql)
        if errors:
            self._tell(connection, table, types, name, errors)
        value = f"{table}.made::{duckdb_type(kind)}"
        value = value if sure == "false" else f"CASE WHEN {sure} THEN {sql} ELSE {value} END"
        return Cell(value, f"LEFT JOIN {table} ON {table}.raw = {self.text}")

    def _load(self, connection: DuckDBPyConnection, table: str, sure: str) -> dict[str, ValueError] | None:
        """Make the table of the values that the engine is not sure of, and of what Python makes of them.

        Returns:
            Those that cannot be converted, and why; none if there is no such value at all.
        """
        unsure = f"{self.text} IS NOT NULL AND NOT coalesce({sure}, false)"
        query = f"SELECT DISTINCT {self.text} FROM {self.rows} WHERE {unsure}"
        found = connection.cursor().execute(query)
        errors: dict[str, ValueError] = {}
        begun = False
        while batch := found.fetchmany(_BATCH):
            if not begun:
                connection.execute(f"CREATE OR REPLACE TABLE {table} (raw VARCHAR, made VARCHAR, wrong BOOLEAN)")
                begun = True
            raws, made = [raw for (raw,) in batch], []
            for raw in raws:
                try:
                    made.append(_written(self.converted(self.parsed(raw))))
                except ValueError as error:
                    errors[raw] = error
                    made.append(None)
            rows = [raws, made, [raw in errors for raw in raws]]
            connection.execute(f"INSERT INTO {table} SELECT unnest($1), unnest($2), unnest($3)", rows)
        return errors if begun else None

    def _tell(
        self,
        connection: DuckDBPyConnection,
        table: str,
        types: ColumnTypes,
        name: str,
        errors: dict[str, ValueError],
    ) -> None:
        query = f"""
            SELECT count(*), arg_min({{'page': page, 'nth': nth, 'text': {self.text}}}, position)
            FROM {self.rows} JOIN {table} ON {table}.raw = {self.text} WHERE {table}.wrong
        """
        count, first = connection.execute(query).fetchone() or (0, {})
        text = first["text"]
        types.note(name, self.parsed(text), first["page"], first["nth"], errors[text], count)


def _written(value: Any) -> str | None:
    """A converted value as text that the engine reads as that value."""
    if value is None:
        return None
    return repr(value) if isinstance(value, float) else str(value)
