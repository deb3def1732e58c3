"""JSON objects as rows: each scalar and list of an object, or of objects within it, is a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.domain.schema import Column
from sluice.extract.by_record.flatten import ColumnNames
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.column_decision import Observations
from sluice.extract.columnar.json_shapes import Path, Shapes, ordered_paths
from sluice.extract.columnar.json_source import JsonSource, require_plain, require_single_keys
from sluice.extract.columnar.json_values import EXACT, cell_of, examples_of
from sluice.extract.columnar.pages import ROWS, TABLE, Cell, NotColumnar, Pages, build_query
from sluice.extract.columnar.structure import Node
from sluice.extract.records import Records
from sluice.lake.parquet import quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MISSING = "sluice_missing"


class MemberTable:
    """The records as a table of structs.

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
        self._shapes = shapes
        self._count = 0
        self._nodes = dict(shapes.record.nodes())
        self._column_names = ColumnNames(pages.limits.columns, pages.known)
        for name in pages.metadata:
            self._column_names.reserve(name)
        for path, node in self._nodes.items():
            node.keep_number_texts(pages.expected_type("_".join(path)) not in (None, "double"))

    def records(self) -> Records:
        """The records.

        Raises:
            NotColumnar: they must be read by record.
        """
        structs = f"SELECT record, place FROM {self._source.structs_sql(self._shapes.record)}"
        self._count = self._source.load(self._connection, structs)
        lists = lists_in(self._shapes.record)
        require_plain(self._connection, lists, f"{TABLE}_read")
        require_single_keys(self._connection, lists, f"{TABLE}_read")
        names = self._names()
        types = ColumnTypes(self._pages.datasource)
        present = self._present()
        for path, name in names.items():
            self._summarize(types, path, name, present)
        self._pages.summarize_metadata(types, self._count)
        observed = Observations(types, self._column_names)
        types, columns = self._pages.context.decide_columns(observed)
        cells = self._cells(types, names, columns)
        ragged = self._store_missing(columns, names)
        join = f"LEFT JOIN {_MISSING} ON {_MISSING}.position = {TABLE}.position" if ragged else ""
        missing = "lacks" if ragged else None
        query = build_query(self._pages, columns, cells, missing=missing, join=join)
        return Records(types.with_failures(columns), self._count, query, observed.warnings(types))

    def _names(self) -> dict[Path, str]:
        """The columns by path. An object has a column of its own only if it is null somewhere."""
        nulls = {
            path
            for shape in self._shapes.all
            for path, kind in shape.kinds.items()
            if kind == "NULL" and self._nodes[path].members
        }
        paths = ordered_paths(self._shapes.in_order())
        names = {
            path: self._column_names.column_for(path)
            for path in paths
            if not self._nodes[path].members or path in nulls
        }
        if len({*names.values(), *self._pages.metadata}) < len(names) + len(self._pages.metadata):
            raise NotColumnar
        return names

    def _present(self) -> dict[Path, int]:
        """The number of non-null values by path."""
        paths = [path for path, node in self._nodes.items() if not node.members]
        counts = ", ".join(f"count({cell_at(path)})" for path in paths)
        counts_row = self._connection.execute(f"SELECT {counts} FROM {TABLE}_read").fetchone() or ()
        return dict(zip(paths, counts_row, strict=True))

    def _summarize(self, types: ColumnTypes, path: Path, name: str, present: dict[Path, int]) -> None:
        """Add a summary of a column to the types.

        Args:
            types: gets the summary.
            path: the path of the values.
            name: the column.
            present: the number of non-null values by path.

        Raises:
            NotColumnar: a double may not represent a number.
        """
        node = self._nodes[path]
        count = self._count - self._shapes.count_missing(path)
        if node.members:
            types.add_summary(name, [(None, count)], self._count)
            return
        wide = node.kind in ("bigint", "double") and is_wide(self._connection, cell_at(path), node.kind)
        types.add_summary(name, examples_of(node.kinds, present[path], count, wide=wide), self._count)

    def _cells(self, types: ColumnTypes, names: dict[Path, str], columns: list[Column]) -> dict[str, Cell]:
        kinds = {column.name: column.type for column in columns}
        cells = {}
        for number, (path, name) in enumerate(names.items()):
            node = self._nodes[path]
            if node.members:
                # An object that is null in some records: its own column has nulls only, its members have the values.
                cells[name] = Cell("NULL")
                continue
            args = (cell_at(path), node.kind, kinds[name], ROWS, number)
            cells[name] = cell_of(self._connection, types, name, *args)
        return cells

    def _store_missing(self, columns: list[Column], names: dict[Path, str]) -> bool:
        """Store which columns each record lacks; whether any record lacks one."""
        paths = {name: path for path, name in names.items()}
        order = [column.name for column in columns if column.missing and column.name in paths]
        missing = {shape.name: [name for name in order if shape.lacks(paths[name])] for shape in self._shapes.all}
        missing = {shape: lacks for shape, lacks in missing.items() if lacks}
        if missing:
            self._shapes.store_missing(_MISSING, missing)
        return bool(missing)


def is_wide(connection: DuckDBPyConnection, cell: str, kind: str) -> bool:
    """Whether a column has integers that a double cannot represent.

    Args:
        connection: the engine with the table of records.
        cell: the SQL of the value.
        kind: `bigint` or `double`.

    Raises:
        NotColumnar: a double is so large, or not finite, that it may stand for another number.
    """
    query = f"SELECT max(abs({cell}::DOUBLE)), bool_or(NOT isfinite({cell}::DOUBLE)) FROM {TABLE}_read"
    largest, has_non_finite = connection.execute(query).fetchone() or (None, None)
    wide = largest is not None and largest >= EXACT
    if kind == "double" and (wide or has_non_finite):
        raise NotColumnar
    return wide


def lists_in(record: Node) -> list[str]:
    """The SQL of the values that stay JSON."""
    return [cell_at(path) for path, node in record.nodes() if not node.members and node.kind == "json"]


def cell_at(path: Path) -> str:
    """The SQL of the value at a path of a record."""
    return "record" + "".join(f".{quoted(key)}" for key in path)
