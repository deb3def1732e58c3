"""Values as another type: by the engine where it is sure of it, the others by Python."""

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
        parsed: makes the value of its text, which is shown where it cannot be converted.
        plain: makes of a value what is converted, null where it means null; a ValueError says why it cannot.
    """

    text: str
    rows: str
    number: int
    sure: Sure
    parsed: Callable[[str], Any]
    plain: Callable[[Any], Any]

    def cell(self, connection: DuckDBPyConnection, types: ColumnTypes, name: str, kind: str) -> Cell:
        """The converted values; `types` hears of those that are not of the type."""
        sure, sql = self.sure.condition, self.sure.sql
        if sure is None:
            return Cell(sql)
        table = f"sluice_values_{self.number}"
        made = self._load(connection, table, sure, kind)
        if made is None:
            return Cell(sql)
        if made.wrong:
            count, first = self._told(connection, table, "wrong")
            types.note(
                name, self.parsed(first["text"]), first["page"], first["nth"], self._error(first["text"], kind), count
            )
        if made.cut:
            count, first = self._told(connection, table, "cut")
            types.note_cut(name, str(self.plain(self.parsed(first["text"]))), count)
        value = f"{table}.made::{duckdb_type(kind)}"
        value = value if sure == "false" else f"CASE WHEN {sure} THEN {sql} ELSE {value} END"
        return Cell(value, f"LEFT JOIN {table} ON {table}.raw = {self.text}")

    def _load(self, connection: DuckDBPyConnection, table: str, sure: str, kind: str) -> _Made | None:
        """Make the table of the values that the engine is not sure of, and of what Python makes of them.

        Returns:
            What is to be told; none if there is no such value at all.
        """
        unsure = f"{self.text} IS NOT NULL AND NOT coalesce({sure}, false)"
        found = connection.cursor().execute(f"SELECT DISTINCT {self.text} FROM {self.rows} WHERE {unsure}")
        told = _Made()
        begun = False
        while batch := found.fetchmany(_BATCH):
            if not begun:
                types = "(raw VARCHAR, made VARCHAR, wrong BOOLEAN, cut BOOLEAN)"
                connection.execute(f"CREATE OR REPLACE TABLE {table} {types}")
                begun = True
            raws = [raw for (raw,) in batch]
            made = [self._made(raw, kind) for raw in raws]
            columns = [[one[number] for one in made] for number in range(3)]
            told.wrong, told.cut = told.wrong or any(columns[1]), told.cut or any(columns[2])
            values = "unnest($1), unnest($2), unnest($3), unnest($4)"
            connection.execute(f"INSERT INTO {table} SELECT {values}", [raws, *columns])
        return told if begun else None

    def _made(self, raw: str, kind: str) -> tuple[str | None, bool, bool]:
        """What Python makes of a value, as text; whether it is not of the type; whether it is a time that was cut."""
        try:
            plain = self.plain(self.parsed(raw))
            made = None if plain is None else converter(kind)(plain)
        except ValueError:
            return None, True, False
        cut = kind == "timestamp" and isinstance(plain, str) and has_nanoseconds(plain)
        return _written(made), False, cut

    def _error(self, raw: str, kind: str) -> ValueError:
        """Why a value is not of the type."""
        try:
            converter(kind)(self.plain(self.parsed(raw)))
        except ValueError as error:
            return error
        raise AssertionError("it was found not to be of the type")

    def _told(self, connection: DuckDBPyConnection, table: str, which: str) -> tuple[int, dict[str, Any]]:
        """How many values are wrong, or were cut, and the first one with its page and its row."""
        query = f"""
            SELECT count(*), arg_min({{'page': page, 'nth': nth, 'text': {self.text}}}, position)
            FROM {self.rows} JOIN {table} ON {table}.raw = {self.text} WHERE {table}.{which}
        """
        count, first = connection.execute(query).fetchone() or (0, {})
        return count, first


@dataclass
class _Made:
    """Whether something is to be told of the values: that some are not of the type, or are times that were cut."""

    wrong: bool = False
    cut: bool = False


def _written(value: Any) -> str | None:
    """A converted value as text that the engine reads as that value."""
    if value is None:
        return None
    return repr(value) if isinstance(value, float) else str(value)
