"""Objects as rows: each scalar and each list of an object, or of objects within it, is a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.domain.schema import Column
from sluice.extract.by_record.flatten import Columns
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.column_decision import Seen
from sluice.extract.columnar.json_shapes import Path, Shapes, ordered_paths
from sluice.extract.columnar.json_source import JsonSource, require_plain, require_single_keys
from sluice.extract.columnar.json_values import EXACT, cell_of, examples_of
from sluice.extract.columnar.pages import ROWS, TABLE, Cell, NotColumnar, Pages, query_of
from sluice.extract.columnar.structure import Node
from sluice.extract.records import Records
from sluice.lake.parquet import quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LACKS = "sluice_lacks"


class MemberTable:
    """The records of JSON as a table of structs."""

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, source: JsonSource, shapes: Shapes) -> None:
        self._pages = pages
        self._connection = connection
        self._source = source
        self._shapes = shapes
        self._count = 0
        self._nodes = dict(shapes.record.nodes())
        self._spelled = Columns(pages.limits.columns, pages.known)
        for name in pages.metadata:
            self._spelled.reserve(name)
        for path, node in self._nodes.items():
            node.keep_texts(pages.expected_type("_".join(path)) not in (None, "double"))

    def records(self) -> Records:
        """The records.

        Raises:
            NotColumnar: they must be read one by one.
        """
        typed = f"SELECT record, place FROM {self._source.typed(self._shapes.record)}"
        self._count = self._source.load(self._connection, typed)
        lists = lists_in(self._shapes.record)
        require_plain(self._connection, lists, f"{TABLE}_read")
        require_single_keys(self._connection, lists, f"{TABLE}_read")
        names = self._names()
        types = ColumnTypes(self._pages.datasource)
        present = self._present()
        for path, name in names.items():
            self._summarize(types, path, name, present)
        self._pages.summarize_metadata(types, self._count)
        seen = Seen(types, self._spelled)
        types, known = self._pages.among.reconcile(seen)
        cells = self._cells(types, names, known)
        ragged = self._keep_lacking(known, names)
        join = f"LEFT JOIN {_LACKS} ON {_LACKS}.position = {TABLE}.position" if ragged else ""
        missing = "lacks" if ragged else None
        query = query_of(self._pages, known, cells, missing=missing, join=join)
        return Records(types.with_failures(known), self._count, query, seen.warnings(types))

    def _names(self) -> dict[Path, str]:
        """The columns of the values, by their paths: an object has one of its own only where it is null."""
        nulls = {
            path
            for shape in self._shapes.all
            for path, kind in shape.kinds.items()
            if kind == "NULL" and self._nodes[path].members
        }
        paths = ordered_paths(self._shapes.in_order())
        names = {path: self._spelled.name(path) for path in paths if not self._nodes[path].members or path in nulls}
        if len({*names.values(), *self._pages.metadata}) < len(names) + len(self._pages.metadata):
            raise NotColumnar
        return names

    def _present(self) -> dict[Path, int]:
        """How many values of each path are not null."""
        paths = [path for path, node in self._nodes.items() if not node.members]
        counts = ", ".join(f"count({cell_at(path)})" for path in paths)
        found = self._connection.execute(f"SELECT {counts} FROM {TABLE}_read").fetchone() or ()
        return dict(zip(paths, found, strict=True))

    def _summarize(self, types: ColumnTypes, path: Path, name: str, present: dict[Path, int]) -> None:
        """Tell the types what is in a column.

        Args:
            present: how many values of each path are not null.

        Raises:
            NotColumnar: a double may not hold a number.
        """
        node = self._nodes[path]
        given = self._count - self._shapes.count_lacking(path)
        if node.members:
            types.summarize(name, [(None, given)], self._count)
            return
        wide = node.kind in ("bigint", "double") and is_wide(self._connection, cell_at(path), node.kind)
        types.summarize(name, examples_of(node.kinds, present[path], given, wide=wide), self._count)

    def _cells(self, types: ColumnTypes, names: dict[Path, str], known: list[Column]) -> dict[str, Cell]:
        kinds = {column.name: column.type for column in known}
        cells = {}
        for number, (path, name) in enumerate(names.items()):
            node = self._nodes[path]
            if node.members:
                cells[name] = Cell("NULL")
                continue
            args = (cell_at(path), node.kind, kinds[name], ROWS, number)
            cells[name] = cell_of(self._connection, types, name, *args)
        return cells

    def _keep_lacking(self, known: list[Column], names: dict[Path, str]) -> bool:
        """Keep what each record lacks; whether any lacks anything."""
        paths = {name: path for path, name in names.items()}
        order = [column.name for column in known if column.missing and column.name in paths]
        lacking = {shape.name: [name for name in order if shape.lacks(paths[name])] for shape in self._shapes.all}
        lacking = {shape: lacks for shape, lacks in lacking.items() if lacks}
        if lacking:
            self._shapes.keep_lacking(_LACKS, lacking)
        return bool(lacking)


def is_wide(connection: DuckDBPyConnection, cell: str, kind: str) -> bool:
    """Whether a column has whole numbers whose digits a double would lose.

    Raises:
        NotColumnar: it is of doubles, and one is so large, or not finite, that it may stand for another number.
    """
    query = f"SELECT max(abs({cell}::DOUBLE)), bool_or(NOT isfinite({cell}::DOUBLE)) FROM {TABLE}_read"
    largest, odd = connection.execute(query).fetchone() or (None, None)
    wide = largest is not None and largest >= EXACT
    if kind == "double" and (wide or odd):
        raise NotColumnar
    return wide


def lists_in(record: Node) -> list[str]:
    """The SQL of the values of records that stay JSON."""
    return [cell_at(path) for path, node in record.nodes() if not node.members and node.kind == "json"]


def cell_at(path: Path) -> str:
    """The SQL of a value of a record."""
    return "record" + "".join(f".{quoted(key)}" for key in path)
