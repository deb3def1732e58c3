"""The structure of JSON records: which keys they have, and of which kinds the values are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluice.extract.columnar.expressions import path_step
from sluice.extract.columnar.json_pattern import RecordPattern
from sluice.extract.columnar.json_source import VERBATIM, JsonSource
from sluice.extract.columnar.pages import NotColumnar
from sluice.extract.columnar.structure import Node
from sluice.lake.parquet import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Path = tuple[str, ...]
# The structure of the first records is usually that of all; what they lack is learnt from others.
_SAMPLE, _FIRST = 1_000, 64
_FEW_DOCUMENTS = 8
_MAX_SHAPES, _MAX_ATTEMPTS = 20_000, 8
# How often the pattern is widened by records that do not match it.
_MAX_PATTERNS = 5
_TABLE, _MISMATCHES = "sluice_shapes", "sluice_mismatches"


@dataclass(frozen=True)
class Shape:
    """Records with the same keys and kinds.

    Args:
        name: identifies the shape: the hashes of keys and kinds.
        records: how many records have it.
        keys: the keys of each object, by the object's path.
        kinds: the engine's kind of each value that is present, by its path.
    """

    name: tuple[int, int]
    records: int
    keys: dict[Path, list[str]]
    kinds: dict[Path, str]

    def lacks(self, path: Path) -> bool:
        """Whether these records lack a column. An object is not a value of its own."""
        return path in self.keys or path not in self.kinds


class Shapes:
    """The shapes of all records, and their combined structure.

    If all records have the same keys in the same order, as usual, a pattern proves it. Else each record is asked for
    its keys and kinds.

    Args:
        connection: the engine.
        source: the files with the records.
        levels: how many levels of objects have members of their own, the record included; None: all.

    Attributes:
        uniform: whether the pattern proved that.
        has_short_numbers: whether it also proved that a double represents every number with a fraction.
        all_verbatim: whether the engine reproduces all documents byte for byte.
        first_verbatim: whether it reproduces the first ones.

    Raises:
        NotColumnar: an object has duplicate keys or no keys, a record is not an object, or a value is an object in some
            records and something else in others.
    """

    def __init__(self, connection: DuckDBPyConnection, source: JsonSource, levels: int | None = None) -> None:
        self._connection = connection
        self._source = source
        self.record = Node(levels=levels)
        first = self._learn(f"SELECT record FROM {source.records_sql} LIMIT {_SAMPLE}")
        self.has_short_numbers = self.all_verbatim = False
        self.first_verbatim = self._checks_verbatim = source.begins_verbatim(connection)
        self.uniform = self._check_uniform(first)
        if self.uniform:
            self.all = [self._only_shape()]
        else:
            self._ask_all()

    def _ask_all(self) -> None:
        """Ask each record for its keys and kinds."""
        for _ in range(_MAX_ATTEMPTS):
            shapes = self._query_shapes()
            unknown = [example for shape, example in shapes if self._has_unknown_keys(shape)]
            if not unknown:
                self.all = [shape for shape, _ in shapes]
                break
            self._learn(f"SELECT unnest([{', '.join(map(literal, unknown[:_FIRST]))}])::JSON AS record")
        else:
            raise NotColumnar
        self._collect_kinds()

    def count_missing(self, path: Path) -> int:
        """How many records lack a column."""
        return 0 if self.uniform else sum(shape.records for shape in self.all if shape.lacks(path))

    def _learn(self, query: str) -> list[Any]:
        """Add some records to the structure.

        Returns:
            Their keys as nested lists, equal for uniform records.
        """
        keys = []
        for (text,) in self._connection.execute(f"SELECT json_structure(record) FROM ({query})").fetchall():
            structure = json.loads(text)
            if not isinstance(structure, dict):
                raise NotColumnar
            self.record.add(structure)
            keys.append(_keys(structure, self.record.levels))
        if not self.record.members:
            raise NotColumnar
        return keys

    def _check_uniform(self, known: list[Any]) -> bool:
        """Whether all records have the same keys in the same order, and no object is null.

        Args:
            known: the keys of the records that the structure already contains.
        """
        source, short, previous = self._source, True, ""
        for _ in range(_MAX_PATTERNS):
            # A sample with different keys is proof enough that records are not uniform.
            if any(keys != known[0] for keys in known):
                return False
            pattern = RecordPattern(self.record, short=short)
            document_pattern = pattern.document(source.path, single=source.is_single)
            if document_pattern is None or document_pattern == previous:  # the last mismatches taught nothing new
                if not short:
                    return False
                # Perhaps only long numbers did not match: try again with a pattern that allows them.
                short = False
                continue
            if not self._store_mismatches(document_pattern):
                self.has_short_numbers = short
                return True
            previous = document_pattern
            others = f"WHERE NOT regexp_full_match(record::VARCHAR, {literal(pattern.record)}) LIMIT {_FIRST}"
            known += self._learn(f"SELECT record FROM {source.records_of(_MISMATCHES)} {others}")
        return False

    def _store_mismatches(self, pattern: str) -> int:
        """Create a table of a few documents that do not match the pattern; how many there are."""
        matches = f"regexp_full_match(json, {literal(pattern)})"
        if self._checks_verbatim:
            # Check both in one pass: reading the documents takes as long as either check.
            self.all_verbatim = self._store_documents(f"NOT ({matches} AND {VERBATIM})") == 0
            if self.all_verbatim:
                return 0
            self._connection.execute(f"DELETE FROM {_MISMATCHES} WHERE {matches}")
            unlike = int((self._connection.execute(f"SELECT count(*) FROM {_MISMATCHES}").fetchone() or (0,))[0])
            if unlike:
                return unlike
            self._checks_verbatim = False
        return self._store_documents(f"NOT {matches}")

    def _store_documents(self, condition: str) -> int:
        """Create a table of a few documents that meet a condition; how many there are."""
        documents = f"FROM {self._source.documents} WHERE {condition} LIMIT {_FEW_DOCUMENTS}"
        created = self._connection.execute(f"CREATE OR REPLACE TABLE {_MISMATCHES} AS {documents}").fetchone()
        return int((created or (0,))[0])

    def _only_shape(self) -> Shape:
        """The shape of uniform records."""
        nodes = {(): self.record, **dict(self.record.nodes())}
        keys = {path: list(node.members) for path, node in nodes.items() if node.members}
        return Shape((0, 0), 0, keys, {path: "OBJECT" if node.members else "VALUE" for path, node in nodes.items()})

    def _objects(self) -> list[Path]:
        return [(), *(path for path, node in self.record.nodes() if node.members)]

    def _shape_sql(self) -> tuple[list[Path], list[Path], str, str]:
        """The paths of objects and of all values, and the SQL of the objects' keys and the values' kinds."""
        objects, values = self._objects(), [(), *(path for path, _ in self.record.nodes())]
        keys = f"json_keys(record, [{', '.join(map(self._path, objects))}])"
        kinds = f"json_type(record, [{', '.join(map(self._path, values))}])"
        return objects, values, keys, kinds

    def _path(self, path: Path) -> str:
        return literal("$" + "".join(map(path_step, path)))

    def _query_shapes(self) -> list[tuple[Shape, str]]:
        """All shapes, each with the text of one record."""
        objects, values, keys, kinds = self._shape_sql()
        rows = self._connection.execute(f"""
            SELECT hash(keys), hash(kinds), count(*), any_value(keys), any_value(kinds), any_value(record)
            FROM (SELECT {keys} AS keys, {kinds} AS kinds, record FROM {self._source.records_sql})
            GROUP BY hash(keys), hash(kinds) LIMIT {_MAX_SHAPES}
        """).fetchall()
        # With so many shapes the records are more like maps; reading them by record is faster.
        if not 0 < len(rows) < _MAX_SHAPES:
            raise NotColumnar
        return [
            (_shape((keys_hash, kinds_hash), count, objects, values, members, kind), example)
            for keys_hash, kinds_hash, count, members, kind, example in rows
        ]

    def _has_unknown_keys(self, shape: Shape) -> bool:
        """Whether the shape has a key or an object that the structure lacks."""
        nodes = {(): self.record, **dict(self.record.nodes())}
        if any(set(keys) - set(nodes[path].members) for path, keys in shape.keys.items()):
            return True
        objects = [nodes[path] for path, kind in shape.kinds.items() if kind == "OBJECT"]
        return any(not node.members and not node.keeps_objects for node in objects)

    def _collect_kinds(self) -> None:
        """Replace the kinds in the structure by those of all records."""
        nodes = dict(self.record.nodes())
        for node in nodes.values():
            node.kinds = set()
        for shape in self.all:
            for path, kind in shape.kinds.items():
                if path and kind != "NULL" and (kind != "OBJECT" or nodes[path].keeps_objects):
                    nodes[path].add_kind(kind)

    # ---------------------------------------------------------------- in the order of the records

    def in_order(self) -> list[Shape]:
        """The shapes in the order of their first records; in any order if all have the same keys."""
        if len({json.dumps(list(shape.keys.items())) for shape in self.all}) == 1:
            return self.all
        self._require_table()
        rows = self._connection.execute(
            f"SELECT keys_hash, kinds_hash, min(rowid) FROM {_TABLE} GROUP BY ALL"
        ).fetchall()
        first = {(keys_hash, kinds_hash): place for keys_hash, kinds_hash, place in rows}
        return sorted(self.all, key=lambda shape: first[shape.name])

    def _require_table(self) -> None:
        """Create the table of the shapes of all records in order, once."""
        _, _, keys, kinds = self._shape_sql()
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS {_TABLE} AS "
            f"SELECT hash({keys}) AS keys_hash, hash({kinds}) AS kinds_hash FROM {self._source.records_sql}"
        )

    def store_missing(self, table: str, missing: dict[tuple[int, int], list[str]]) -> None:
        """Create a table of `position` and `lacks`: what each record lacks, for those that lack something.

        Args:
            table: its name.
            missing: the missing columns by shape.
        """
        self._require_table()
        self._connection.execute(
            f"CREATE OR REPLACE TABLE {table}_of (keys_hash UBIGINT, kinds_hash UBIGINT, lacks VARCHAR[])"
        )
        rows = [(*name, lacks) for name, lacks in missing.items()]
        self._connection.executemany(f"INSERT INTO {table}_of VALUES ($1, $2, $3)", rows)
        self._connection.execute(
            f"CREATE OR REPLACE TABLE {table} AS "
            f"SELECT {_TABLE}.rowid AS position, lacks FROM {_TABLE} JOIN {table}_of USING (keys_hash, kinds_hash)"
        )


def _keys(structure: Any, levels: int | None) -> Any:
    if not isinstance(structure, dict) or levels == 0:
        return None
    return [(key, _keys(value, None if levels is None else levels - 1)) for key, value in structure.items()]


def _shape(
    name: tuple[int, int], records: int, objects: list[Path], values: list[Path], keys: list[Any], kinds: list[Any]
) -> Shape:
    present = {path: kind for path, kind in zip(values, kinds, strict=True) if kind is not None}
    members = {path: names for path, names in zip(objects, keys, strict=True) if present.get(path) == "OBJECT"}
    if present.get(()) != "OBJECT" or any(len(set(names)) < len(names) or not names for names in members.values()):
        raise NotColumnar
    return Shape(name, records, members, present)


def ordered_paths(shapes: list[Shape]) -> Iterator[Path]:
    """The paths of all values in record order, with the members of an object side by side."""
    tree = Node()
    for shape in shapes:
        for path, keys in sorted(shape.keys.items(), key=lambda item: len(item[0])):
            node = tree
            for key in path:
                node = node.members[key]
            for key in keys:
                node.members.setdefault(key, Node())
    yield from (path for path, _ in tree.nodes())
