"""Fields that are selected by expressions which the engine evaluates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sluice.extract.by_record.flatten import ColumnNames
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.column_decision import Observations
from sluice.extract.columnar.expressions import sql_of
from sluice.extract.columnar.growth import growth_of
from sluice.extract.columnar.json_members import lists_in
from sluice.extract.columnar.json_shapes import Shapes
from sluice.extract.columnar.json_source import JsonSource, require_plain, require_single_keys
from sluice.extract.columnar.json_values import EXACT, cell_of, examples_of
from sluice.extract.columnar.pages import ROWS, TABLE, Cell, NotColumnar, Pages, build_query
from sluice.extract.columnar.structure import KINDS
from sluice.extract.records import Records

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_KINDS = {**KINDS, "OBJECT": "json"}
_NUMBERS = "'UBIGINT', 'BIGINT', 'DOUBLE'"
_READ = {
    "boolean": "{0}::BOOLEAN",
    "bigint": "{0}::BIGINT",
    "double": "{0}::DOUBLE",
    "string": "({0}->>'$')",
    "json": "{0}::VARCHAR",
}


class FieldTable:
    """The records as a table of what each field selects, `f0`, `f1` and so on, as JSON.

    Args:
        pages: the pages and the datasource.
        connection: the engine.
        source: the files with the records.
        shapes: the structure of the records.
    """

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, source: JsonSource, shapes: Shapes) -> None:
        self._pages = pages
        self._connection = connection
        self._source = source
        self._record = shapes.record
        self._uniform = shapes.uniform
        self._count = 0
        self._fields = {name: f"f{number}" for number, name in enumerate(pages.selected)}
        self._column_names = ColumnNames(pages.limits.columns, pages.known)
        for name in pages.datasource.fields or {}:
            self._column_names.reserve(name)

    def records(self) -> Records:
        """The records.

        Raises:
            NotColumnar: they must be read by record.
        """
        self._require_single_keys()
        self._require_usual_growth()
        selected = [f"{sql_of(text, 'record')} AS {self._fields[name]}" for name, text in self._pages.selected.items()]
        query = f"SELECT place, {', '.join(selected)} FROM {self._source.records_sql}"
        count = self._count = self._source.load(self._connection, query)
        types = ColumnTypes(self._pages.datasource)
        kinds = {name: self._summarize(types, name, cell) for name, cell in self._fields.items()}
        lists = [self._fields[name] for name, kind in kinds.items() if kind == "json"]
        require_plain(self._connection, lists, f"{TABLE}_read")
        self._pages.summarize_metadata(types, count)
        observed = Observations(types, self._column_names)
        types, columns = self._pages.context.decide_columns(observed)
        column_types = {column.name: column.type for column in columns}
        cells: dict[str, Cell] = {}
        for number, (name, kind) in enumerate(kinds.items()):
            cell = _READ[kind].format(self._fields[name])
            cells[name] = cell_of(self._connection, types, name, cell, kind, column_types[name], ROWS, number)
        return Records(
            types.with_failures(columns), count, build_query(self._pages, columns, cells), observed.warnings(types)
        )

    def _summarize(self, types: ColumnTypes, name: str, cell: str) -> str:
        """Add a summary of a column to the types, and return the kind its values are read as."""
        counts = self._connection.execute(
            f"SELECT json_type({cell}), count(*) FROM {TABLE}_read WHERE {cell} IS NOT NULL GROUP BY 1"
        ).fetchall()
        if any(kind not in _KINDS for kind, _ in counts):
            raise NotColumnar
        kinds = {_KINDS[kind] for kind, _ in counts}
        # Integers and doubles are read as doubles only if that is the column's type: as text, 1 must not become 1.0.
        declared = self._pages.expected_type(name) or "double"
        numbers = kinds == {"bigint", "double"} and declared == "double"
        kind = next(iter(kinds), "string") if len(kinds) <= 1 else "double" if numbers else "json"
        wide = False
        if kinds & {"bigint", "double"}:
            query = f"SELECT max(abs({cell}::DOUBLE)) FROM {TABLE}_read WHERE json_type({cell}) IN ({_NUMBERS})"
            largest = float((self._connection.execute(query).fetchone() or (0,))[0])
            wide = largest >= EXACT
            # A double this large may stand for a number with more digits, which only Python's parser keeps.
            if not math.isfinite(largest) or (wide and (kind == "double" or largest >= 2**63)):
                raise NotColumnar
        present = sum(number for _, number in counts)
        types.add_summary(name, examples_of(kinds, present, self._count, wide=wide), self._count)
        return kind

    def _require_usual_growth(self) -> None:
        """Leave pages whose fields might write too much to reading by record, which counts exactly.

        Raises:
            NotColumnar: the bound of a page is above its cap.
        """
        growth = growth_of(self._pages.selected.values())
        if growth.is_usual:
            return
        totals = f"SELECT sum({growth.unusual_sql('record')}) AS total FROM {self._source.records_sql} GROUP BY place"
        row = self._connection.execute(f"SELECT max(total) FROM ({totals})").fetchone()
        if row and row[0] is not None and row[0] > self._pages.limits.field_growth:
            raise NotColumnar("the fields might write more than MAX_FIELD_GROWTH")

    def _require_single_keys(self) -> None:
        """Refuse duplicate keys in objects: the engine uses the first one, JSON parsers the last.

        Raises:
            NotColumnar: there are duplicate keys, or records that are null.
        """
        # The pattern of uniform records has already excluded duplicate keys, except within lists and above the records.
        if self._uniform and not self._source.path and not lists_in(self._record):
            return
        table = f"{TABLE}_whole"
        self._connection.execute(f"CREATE OR REPLACE TABLE {table} AS FROM {self._source.structs_sql(self._record)}")
        require_single_keys(self._connection, lists_in(self._record), table)
        self._connection.execute(f"DROP TABLE {table}")
