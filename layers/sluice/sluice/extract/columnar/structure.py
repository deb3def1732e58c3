"""The structure of JSON as the engine reports it: which keys there are, and of which kinds their values are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sluice.extract.columnar.pages import NotColumnar
from sluice.lake.parquet import quoted

KINDS = {
    "BOOLEAN": "boolean",
    "UBIGINT": "bigint",
    "BIGINT": "bigint",
    "HUGEINT": "bigint",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "ARRAY": "json",
}
_STORED = {"boolean": "BOOLEAN", "bigint": "BIGINT", "double": "DOUBLE", "string": "VARCHAR", "json": "JSON"}


@dataclass
class Node:
    """The values that a key has in all records.

    Args:
        kinds: the kinds of values that are neither null nor objects with members.
        members: the members of objects by key, in the order of their first occurrence.
        levels: how many levels of objects have members; below them, objects stay JSON. None: all.
    """

    kinds: set[str] = field(default_factory=set)
    members: dict[str, Node] = field(default_factory=dict)
    levels: int | None = None

    @property
    def keeps_objects(self) -> bool:
        """Whether objects are values that stay JSON."""
        return self.levels == 0

    def add(self, structure: Any) -> None:
        """Add the structure of more values.

        Args:
            structure: a result of the engine's `json_structure`, parsed.

        Raises:
            NotColumnar: the key has objects and other values.
        """
        match structure:
            case "NULL":
                return
            case str() if structure in KINDS:
                self.kinds.add(KINDS[structure])
            case list():
                self.kinds.add("json")
            case dict() | "JSON" if self.keeps_objects:  # `JSON` is an object without members
                self.kinds.add("json")
            case dict():
                levels = None if self.levels is None else self.levels - 1
                for key, value in structure.items():
                    self.members.setdefault(key, Node(levels=levels)).add(value)
            case _:
                raise NotColumnar
        if self.members and self.kinds:
            raise NotColumnar

    def keep_number_texts(self, needed: bool) -> None:
        """Keep numbers as JSON if they are converted to something other than doubles: as a double, 1 would be 1.0."""
        if needed and "double" in self.kinds:
            self.kinds = {"json"}

    def add_kind(self, kind: str) -> None:
        """Add the kind of a value that is neither null nor an object with members.

        Raises:
            NotColumnar: the key has objects with members, too, or the kind is unknown.
        """
        if kind == "OBJECT" and self.keeps_objects:
            kind = "ARRAY"  # both stay JSON
        if self.members or kind not in KINDS:
            raise NotColumnar
        self.kinds.add(KINDS[kind])

    @property
    def engine_type(self) -> str:
        """The engine's type for the values."""
        if self.members:
            inner = ", ".join(f"{quoted(key)} {node.engine_type}" for key, node in self.members.items())
            return f"STRUCT({inner})"
        return _STORED[self.kind]

    @property
    def kind(self) -> str:
        """The kind of the values; only for a node without members."""
        if len(self.kinds) <= 1:
            return next(iter(self.kinds), "string")
        return "double" if self.kinds == {"bigint", "double"} else "json"

    def nodes(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
        """The descendants with their paths, each before its members."""
        for key, node in self.members.items():
            here = (*path, key)
            yield here, node
            yield from node.nodes(here)


def has_keys_differing_in_case(node: Node) -> bool:
    """Whether an object has keys that differ only in case, which the engine would not distinguish."""
    keys = [key.lower() for key in node.members]
    return len(set(keys)) < len(keys) or any(has_keys_differing_in_case(inner) for inner in node.members.values())
