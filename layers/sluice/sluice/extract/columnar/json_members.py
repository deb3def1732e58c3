"""Objects as rows: each scalar and each list of an object, or of objects within it, is a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from sluice.domain.schema import Column
from sluice.extract.by_record.flatten import Columns
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.columnar.json_source import JsonSource, require_plain, require_single_keys
from sluice.extract.columnar.json_values import cell_of, examples_of
from sluice.extract.columnar.pages import ROWS, TABLE, Cell, Otherwise, Pages, query_of
from sluice.extract.columnar.structure import Node
from sluice.extract.records import Records
from sluice.lake.parquet import literal, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Path = tuple[str, ...]
_SHAPES, _LACKS = "sluice_shapes", "sluice_lacks"
_EXACT = 2**53


class MemberTable:
    """The records of JSON as a table of structs.

    Args:
        record: the structure of the records.
    """

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, source: JsonSource, record: Node) -> None:
        self._pages = pages
        self._connection = connection
        self._source = source
        self._record = record
        self._nodes = dict(record.nodes())
        self._spelled = Columns(pages.limits.columns, pages.known)
        for name in pages.metadata:
            self._spelled.reserve(name)
        for path, node in self._nodes.items():
            declared = pages.datasource.types.get("_".join(path))
            node.keep_texts(declared not in (None, "double"))

    def records(self) -> Records:
        """The records.

        Raises:
            Otherwise: they must be read one by one.
        """
        self._connection.execute(f"CREATE OR REPLACE TABLE {TABLE} AS {self._source.typed(self._record)}")
        lists = lists_in(self._record)
        require_plain(self._connection, lists, TABLE)
        require_single_keys(self._connection, lists, TABLE)
        count, present = self._present()
        shapes = [] if self._has_all_keys(count, present) else self._shapes()
        nulls = {path for shape in shapes for path in shape.null_objects}
        columns = [path for path, node in self._nodes.items() if not node.members or path in nulls]
        names = {path: self._spelled.name(path) for path in columns}
        if len({*names.values(), *self._pages.metadata}) < len(names) + len(self._pages.metadata):
            raise Otherwise
        types = ColumnTypes(self._pages.datasource)
        for path in columns:
            lacking = sum(shape.records for shape in shapes if shape.lacks(path))
            self._summarize(types, path, names[path], present[path], count, lacking)
        self._pages.summarize_metadata(types, count)
        known = types.columns(self._spelled)
        cells = self._cells(types, names, known)
        ragged = self._keep_lacking(shapes, known, names)
        join = f"LEFT JOIN {_LACKS} USING (place, nth)" if ragged else ""
        missing = "lacks" if ragged else "NULL::VARCHAR[]"
        query = query_of(self._pages, known, cells, missing=missing, join=join)
        return Records(types.with_failures(known), count, query, types.warnings())

    def _has_all_keys(self, count: int, present: dict[Path, int]) -> bool:
        """Whether no record lacks a key, as far as counting can tell: every value that is not there is a null."""
        if any(present[path] < count for path, node in self._nodes.items() if node.members):
            return False
        absent = sum(count - present[path] for path, node in self._nodes.items() if not node.members)
        return absent == 0 or absent == self._source.nulls

    def _present(self) -> tuple[int, dict[Path, int]]:
        """How many records there are, and in how many each key has a value that is not null.

        Raises:
            Otherwise: a record is null, or there is none.
        """
        counts = [f"count({cell_at(path)})" for path in self._nodes]
        query = f"SELECT count(*), count(record), {', '.join(counts)} FROM {TABLE}"
        count, whole, *present = self._connection.execute(query).fetchone() or (0, 0)
        if count == 0 or count != whole:
            raise Otherwise
        return count, dict(zip(self._nodes, present, strict=True))

    def _summarize(self, types: ColumnTypes, path: Path, name: str, present: int, count: int, lacking: int) -> None:
        """Tell the types what is in a column.

        Raises:
            Otherwise: a double does not hold a whole number that stands beside others with a fraction.
        """
        node, wide = self._nodes[path], False
        if node.members:
            types.summarize(name, [(None, count - lacking)], count)
            return
        if node.kind in ("bigint", "double"):
            largest = self._connection.execute(f"SELECT max(abs({cell_at(path)}::DOUBLE)) FROM {TABLE}").fetchone()
            wide = bool(largest and largest[0] is not None and largest[0] >= _EXACT)
            if wide and node.kind == "double":
                raise Otherwise  # it may have been a whole number
        types.summarize(name, examples_of(node.kinds, present, count - lacking, wide=wide), count)

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

    def _shapes(self) -> list[_Shape]:
        """The different sets of keys that the records have.

        Raises:
            Otherwise: an object has a key twice, or none at all.
        """
        objects: list[Path] = [(), *(path for path, node in self._nodes.items() if node.members)]
        paths = ", ".join(literal("$" + "".join(map(self._source.key, path))) for path in objects)
        shape = f"{{'keys': json_keys(record, [{paths}]), 'kinds': json_type(record, [{paths}])}}"
        self._connection.execute(
            f"CREATE OR REPLACE TABLE {_SHAPES} AS "
            f"SELECT place, nth, to_json({shape})::VARCHAR AS shape FROM ({self._source.texts})"
        )
        found = self._connection.execute(f"SELECT shape, count(*) FROM {_SHAPES} GROUP BY shape").fetchall()
        return [_Shape.read(objects, text, records) for text, records in found]

    def _keep_lacking(self, shapes: list[_Shape], known: list[Column], names: dict[Path, str]) -> bool:
        """Make the table of what each record lacks; whether any lacks anything."""
        paths = {name: path for path, name in names.items()}
        order = [column.name for column in known if column.missing and column.name in paths]
        rows = [(shape.text, [name for name in order if shape.lacks(paths[name])]) for shape in shapes]
        rows = [(text, lacks) for text, lacks in rows if lacks]
        if not rows:
            return False
        self._connection.execute(f"CREATE OR REPLACE TABLE {_LACKS}_of (shape VARCHAR, lacks VARCHAR[])")
        self._connection.executemany(f"INSERT INTO {_LACKS}_of VALUES ($1, $2)", rows)
        self._connection.execute(
            f"CREATE OR REPLACE TABLE {_LACKS} AS "
            f"SELECT place, nth, lacks FROM {_SHAPES} JOIN {_LACKS}_of USING (shape)"
        )
        return True


@dataclass(frozen=True)
class _Shape:
    """Which keys some records have.

    Args:
        text: as the engine has it.
        keys: of each object that is there, by its path.
        null_objects: the paths of objects that are null.
        records: how many records are like that.
    """

    text: str
    keys: dict[Path, frozenset[str]]
    null_objects: frozenset[Path]
    records: int

    @classmethod
    def read(cls, objects: list[Path], text: str, records: int) -> _Shape:
        """What the engine says of some records.

        Args:
            objects: the paths that it was asked about.

        Raises:
            Otherwise: an object has a key twice, or none at all.
        """
        said = orjson.loads(text)
        keys, nulls = {}, set()
        for path, members, kind in zip(objects, said["keys"], said["kinds"], strict=True):
            if kind == "OBJECT":
                keys[path] = frozenset(members)
                if len(keys[path]) < len(members) or not members:
                    raise Otherwise
            elif kind == "NULL":
                nulls.add(path)
        return cls(text, keys, frozenset(nulls), records)

    def lacks(self, path: Path) -> bool:
        """Whether these records lack a column."""
        if path in self.keys:
            return True  # an object is no value of its own
        return path[-1] not in self.keys.get(path[:-1], frozenset())


def lists_in(record: Node) -> list[str]:
    """The SQL of the values of records that stay JSON."""
    return [cell_at(path) for path, node in record.nodes() if not node.members and node.kind == "json"]


def cell_at(path: Path) -> str:
    """The SQL of a value of a record."""
    return "record" + "".join(f".{quoted(key)}" for key in path)
