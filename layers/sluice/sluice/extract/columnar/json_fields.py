"""The fields that a datasource selects of each record, by expressions that the engine evaluates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.extract.by_record.flatten import Columns
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.columnar.expressions import sql_of
from sluice.extract.columnar.json_members import lists_in
from sluice.extract.columnar.json_source import JsonSource, require_plain, require_single_keys
from sluice.extract.columnar.json_values import cell_of, examples_of
from sluice.extract.columnar.pages import ROWS, TABLE, Cell, Otherwise, Pages, query_of
from sluice.extract.columnar.structure import Node
from sluice.extract.records import Records

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_KINDS = {
    "BOOLEAN": "boolean",
    "UBIGINT": "bigint",
    "BIGINT": "bigint",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "ARRAY": "json",
    "OBJECT": "json",
}
_READ = {
    "boolean": "{0}::BOOLEAN",
    "bigint": "{0}::BIGINT",
    "double": "{0}::DOUBLE",
    "string": "({0}->>'$')",
    "json": "{0}::VARCHAR",
}
_EXACT = 2**53


class FieldTable:
    """The records of JSON as a table of what each field selects, `f0`, `f1` and so on, as JSON."""

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, source: JsonSource, record: Node) -> None:
        self._pages = pages
        self._connection = connection
        self._source = source
        self._record = record
        self._fields = {name: f"f{number}" for number, name in enumerate(pages.selected)}
        self._spelled = Columns(pages.limits.columns, pages.known)
        for name in pages.datasource.fields or {}:
            self._spelled.reserve(name)

    def records(self) -> Records:
        """The records.

        Raises:
            Otherwise: they must be read one by one.
        """
        made = [f"{sql_of(text, 'record')} AS {self._fields[name]}" for name, text in self._pages.selected.items()]
        self._connection.execute(
            f"CREATE OR REPLACE TABLE {TABLE} AS SELECT place, page, nth, {', '.join(made)} FROM ({self._source.texts})"
        )
        self._require_single_keys()
        answer = self._connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone()
        count = int(answer[0]) if answer else 0
        if count == 0:
            raise Otherwise
        types = ColumnTypes(self._pages.datasource)
        kinds = {name: self._summarize(types, name, cell, count) for name, cell in self._fields.items()}
        lists = [self._fields[name] for name, kind in kinds.items() if kind == "json"]
        require_plain(self._connection, lists, TABLE)
        self._pages.summarize_metadata(types, count)
        known = types.columns(self._spelled)
        wanted = {column.name: column.type for column in known}
        cells: dict[str, Cell] = {}
        for number, (name, kind) in enumerate(kinds.items()):
            cell = _READ[kind].format(self._fields[name])
            cells[name] = cell_of(self._connection, types, name, cell, kind, wanted[name], ROWS, number)
        return Records(types.with_failures(known), count, query_of(self._pages, known, cells), types.warnings())

    def _summarize(self, types: ColumnTypes, name: str, cell: str, count: int) -> str:
        """Tell the types what is in a column; the kind that its values are read as."""
        found = self._connection.execute(
            f"SELECT json_type({cell}), count(*) FROM {TABLE} WHERE {cell} IS NOT NULL GROUP BY 1"
        ).fetchall()
        if any(kind not in _KINDS for kind, _ in found):
            raise Otherwise
        kinds = {_KINDS[kind] for kind, _ in found}
        declared = self._pages.datasource.types.get(name, "double")
        numbers = kinds == {"bigint", "double"} and declared == "double"
        kind = next(iter(kinds), "string") if len(kinds) <= 1 else "double" if numbers else "json"
        wide = False
        if "bigint" in kinds:
            query = f"SELECT max(abs({cell}::HUGEINT)) FROM {TABLE} WHERE json_type({cell}) IN ('UBIGINT', 'BIGINT')"
            largest = int((self._connection.execute(query).fetchone() or (0,))[0])
            wide = largest > _EXACT
            if largest >= 2**63 or (wide and kind == "double"):
                raise Otherwise
        types.summarize(name, examples_of(kinds, sum(number for _, number in found), count, wide=wide), count)
        return kind

    def _require_single_keys(self) -> None:
        """Refuse records in which an object has a key twice: the engine takes the first one.

        Raises:
            Otherwise: there are such records, or records that are null.
        """
        table = f"{TABLE}_whole"
        self._connection.execute(f"CREATE OR REPLACE TABLE {table} AS {self._source.typed(self._record)}")
        require_single_keys(self._connection, lists_in(self._record), table)
        self._connection.execute(f"DROP TABLE {table}")
