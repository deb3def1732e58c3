"""Which keys the records of JSON have, and of which kinds their values are: the structure of all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluice.extract.columnar.expressions import path_step
from sluice.extract.columnar.json_pattern import RecordPattern
from sluice.extract.columnar.json_source import SAME, JsonSource
from sluice.extract.columnar.pages import NotColumnar
from sluice.extract.columnar.structure import Node
from sluice.lake.parquet import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Path = tuple[str, ...]
# The first records say most of what there is to know; what they do not know is learnt from others.
_SAMPLE, _FIRST = 1_000, 64
_FEW_DOCUMENTS = 8
_MOST_SHAPES, _MOST_TRIES = 20_000, 8
# So often the pattern of records that seem to be alike is widened by those that are not of it.
_MOST_PATTERNS = 5
_TABLE, _UNLIKE = "sluice_shapes", "sluice_unlike"


@dataclass(frozen=True)
class Shape:
    """Records that are alike.

    Args:
        name: tells it from others.
        records: how many are like that.
        keys: of each of their objects, by its path.
        kinds: the engine's kind of each value that is there, by its path.
    """

    name: tuple[int, int]
    records: int
    keys: dict[Path, list[str]]
    kinds: dict[Path, str]

    def lacks(self, path: Path) -> bool:
        """Whether these records lack a column: an object is no value of its own."""
        return path in self.keys or path not in self.kinds


class Shapes:
    """The shapes of all records, and the structure that they have together.

    Where all records have the same keys in the same order, as they mostly do, a pattern shows it;
    else each record is asked for its keys and kinds.

    Attributes:
        alike: whether a pattern has shown that.
        has_short_numbers: whether it has shown besides that a double holds every number that is not whole.
        are_same: whether the engine was seen to write all documents as they are.
        begin_same: whether it was seen to write the first ones so.

    Raises:
        NotColumnar: an object has a key twice or none at all, a record is no object, or a value is an
            object in some records and something else in others.
    """

    def __init__(self, connection: DuckDBPyConnection, source: JsonSource) -> None:
        self._connection = connection
        self._source = source
        self.record = Node()
        first = self._learn(f"SELECT record FROM {source.texts} LIMIT {_SAMPLE}")
        self.has_short_numbers = self.are_same = False
        self.begin_same = self._asks_both = source.begins_same(connection)
        self.alike = self._are_alike(first)
        if self.alike:
            self.all = [self._only_shape()]
        else:
            self._ask_all()

    def _ask_all(self) -> None:
        """Ask each record for its keys and kinds."""
        for _ in range(_MOST_TRIES):
            found = self._found()
            unknown = [example for shape, example in found if self._is_unknown(shape)]
            if not unknown:
                self.all = [shape for shape, _ in found]
                break
            self._learn(f"SELECT unnest([{', '.join(map(literal, unknown[:_FIRST]))}])::JSON AS record")
        else:
            raise NotColumnar
        self._take_kinds()

    def count_lacking(self, path: Path) -> int:
        """How many records lack a column."""
        return 0 if self.alike else sum(shape.records for shape in self.all if shape.lacks(path))

    def _learn(self, query: str) -> list[Any]:
        """Take the structure of some records into account.

        Returns:
            Their keys, in such a form that those of records which are alike are equal.
        """
        keys = []
        for (text,) in self._connection.execute(f"SELECT json_structure(record) FROM ({query})").fetchall():
            structure = json.loads(text)
            if not isinstance(structure, dict):
                raise NotColumnar
            self.record.add(structure)
            keys.append(_keys(structure))
        if not self.record.members:
            raise NotColumnar
        return keys

    def _are_alike(self, known: list[Any]) -> bool:
        """Whether all records have the keys that some of them have, in the same order, and all objects are there.

        Args:
            known: the keys of the records that the structure knows.
        """
        source, short, last = self._source, True, ""
        for _ in range(_MOST_PATTERNS):
            if any(keys != known[0] for keys in known):
                return False
            pattern = RecordPattern(self.record, short=short)
            whole = pattern.document(source.way, single=source.is_single)
            if whole is None or whole == last:  # nothing was learnt of the others
                if not short:
                    return False
                short = False
                continue
            if not self._keep_unlike(whole):
                self.has_short_numbers = short
                return True
            last = whole
            others = f"WHERE NOT regexp_full_match(record::VARCHAR, {literal(pattern.record)}) LIMIT {_FIRST}"
            known += self._learn(f"SELECT record FROM {source.records_of(_UNLIKE)} {others}")
        return False

    def _keep_unlike(self, pattern: str) -> int:
        """Make a table of a few documents that are not of a pattern; how many there are."""
        matches = f"regexp_full_match(json, {literal(pattern)})"
        if self._asks_both:
            # Both at once, since to read the documents takes as long as either.
            self.are_same = self._keep(f"NOT ({matches} AND {SAME})") == 0
            if self.are_same:
                return 0
            self._connection.execute(f"DELETE FROM {_UNLIKE} WHERE {matches}")
            unlike = int((self._connection.execute(f"SELECT count(*) FROM {_UNLIKE}").fetchone() or (0,))[0])
            if unlike:
                return unlike
            self._asks_both = False
        return self._keep(f"NOT {matches}")

    def _keep(self, condition: str) -> int:
        """Make a table of a few documents that meet a condition; how many there are."""
        found = f"FROM {self._source.documents} WHERE {condition} LIMIT {_FEW_DOCUMENTS}"
        made = self._connection.execute(f"CREATE OR REPLACE TABLE {_UNLIKE} AS {found}").fetchone()
        return int((made or (0,))[0])

    def _only_shape(self) -> Shape:
        """The shape of records that are alike."""
        nodes = {(): self.record, **dict(self.record.nodes())}
        keys = {path: list(node.members) for path, node in nodes.items() if node.members}
        return Shape((0, 0), 0, keys, {path: "OBJECT" if node.members else "VALUE" for path, node in nodes.items()})

    def _objects(self) -> list[Path]:
        return [(), *(path for path, node in self.record.nodes() if node.members)]

    def _shape_sql(self) -> tuple[list[Path], list[Path], str, str]:
        """The paths of objects and of all values, and the SQL of the keys of the ones and the kinds of the others."""
        objects, values = self._objects(), [(), *(path for path, _ in self.record.nodes())]
        keys = f"json_keys(record, [{', '.join(map(self._path, objects))}])"
        kinds = f"json_type(record, [{', '.join(map(self._path, values))}])"
        return objects, values, keys, kinds

    def _path(self, path: Path) -> str:
        return literal("$" + "".join(map(path_step, path)))

    def _found(self) -> list[tuple[Shape, str]]:
        """All shapes, each with the text of a record."""
        objects, values, keys, kinds = self._shape_sql()
        rows = self._connection.execute(f"""
            SELECT hash(keys), hash(kinds), count(*), any_value(keys), any_value(kinds), any_value(record)
            FROM (SELECT {keys} AS keys, {kinds} AS kinds, record FROM {self._source.texts})
            GROUP BY hash(keys), hash(kinds) LIMIT {_MOST_SHAPES}
        """).fetchall()
        if not 0 < len(rows) < _MOST_SHAPES:
            raise NotColumnar
        return [
            (_shape((one, other), count, objects, values, members, kind), example)
            for one, other, count, members, kind, example in rows
        ]

    def _is_unknown(self, shape: Shape) -> bool:
        """Whether it has a key, or an object, that the structure does not know."""
        nodes = {(): self.record, **dict(self.record.nodes())}
        if any(set(keys) - set(nodes[path].members) for path, keys in shape.keys.items()):
            return True
        return any(kind == "OBJECT" and not nodes[path].members for path, kind in shape.kinds.items())

    def _take_kinds(self) -> None:
        """Have the structure say of which kinds the values of all records are."""
        nodes = dict(self.record.nodes())
        for node in nodes.values():
            node.kinds = set()
        for shape in self.all:
            for path, kind in shape.kinds.items():
                if path and kind not in ("OBJECT", "NULL"):
                    nodes[path].take(kind)

    # ---------------------------------------------------------------- in the order of the records

    def in_order(self) -> list[Shape]:
        """The shapes in the order of their first records; where they have the same keys, in any."""
        if len({json.dumps(list(shape.keys.items())) for shape in self.all}) == 1:
            return self.all
        self._require_table()
        found = self._connection.execute(f"SELECT one, other, min(rowid) FROM {_TABLE} GROUP BY one, other").fetchall()
        first = {(one, other): place for one, other, place in found}
        return sorted(self.all, key=lambda shape: first[shape.name])

    def _require_table(self) -> None:
        """Make the table of the shapes of all records, in their order."""
        _, _, keys, kinds = self._shape_sql()
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS {_TABLE} AS "
            f"SELECT hash({keys}) AS one, hash({kinds}) AS other FROM {self._source.texts}"
        )

    def keep_lacking(self, table: str, lacking: dict[tuple[int, int], list[str]]) -> None:
        """Make a table of `position` and `lacks`: what each record lacks that lacks anything.

        Args:
            lacking: the columns, by the shape.
        """
        self._require_table()
        self._connection.execute(f"CREATE OR REPLACE TABLE {table}_of (one UBIGINT, other UBIGINT, lacks VARCHAR[])")
        rows = [(*name, lacks) for name, lacks in lacking.items()]
        self._connection.executemany(f"INSERT INTO {table}_of VALUES ($1, $2, $3)", rows)
        self._connection.execute(
            f"CREATE OR REPLACE TABLE {table} AS "
            f"SELECT {_TABLE}.rowid AS position, lacks FROM {_TABLE} JOIN {table}_of USING (one, other)"
        )


def _keys(structure: Any) -> Any:
    return [(key, _keys(value)) for key, value in structure.items()] if isinstance(structure, dict) else None


def _shape(
    name: tuple[int, int], records: int, objects: list[Path], values: list[Path], keys: list[Any], kinds: list[Any]
) -> Shape:
    there = {path: kind for path, kind in zip(values, kinds, strict=True) if kind is not None}
    members = {path: found for path, found in zip(objects, keys, strict=True) if there.get(path) == "OBJECT"}
    if there.get(()) != "OBJECT" or any(len(set(found)) < len(found) or not found for found in members.values()):
        raise NotColumnar
    return Shape(name, records, members, there)


def ordered_paths(shapes: list[Shape]) -> Iterator[Path]:
    """The paths of all values, as the records have them one after the other, the members of an object side by side."""
    tree = Node()
    for shape in shapes:
        for path, keys in sorted(shape.keys.items(), key=lambda item: len(item[0])):
            node = tree
            for key in path:
                node = node.members[key]
            for key in keys:
                node.members.setdefault(key, Node())
    yield from (path for path, _ in tree.nodes())
