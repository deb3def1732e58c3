"""What the engine says of the structure of JSON: which keys there are, and of which kinds their values are."""

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
    """The values that one key has in all records.

    Args:
        kinds: of those that are neither null nor objects.
        members: of those that are objects, by key; in the order in which the keys were first seen.
    """

    kinds: set[str] = field(default_factory=set)
    members: dict[str, Node] = field(default_factory=dict)

    def add(self, structure: Any) -> None:
        """Take in what the engine says of the values in one page.

        Raises:
            NotColumnar: they are of kinds that cannot be told from one another.
        """
        match structure:
            case "NULL":
                return
            case str() if structure in KINDS:
                self.kinds.add(KINDS[structure])
            case list():
                self.kinds.add("json")
            case dict():
                for key, value in structure.items():
                    self.members.setdefault(key, Node()).add(value)
            case _:
                raise NotColumnar
        if self.members and self.kinds:
            raise NotColumnar

    def keep_texts(self, wanted: bool) -> None:
        """Have numbers read as they are written where they are wanted as something else: as a double, 1 is 1.0."""
        if wanted and "double" in self.kinds:
            self.kinds = {"json"}

    def take(self, kind: str) -> None:
        """Take in the kind of a value that is neither null nor an object.

        Raises:
            NotColumnar: there are objects, too, or the engine has no such kind.
        """
        if self.members or kind not in KINDS:
            raise NotColumnar
        self.kinds.add(KINDS[kind])

    @property
    def stored(self) -> str:
        """The engine's type of the values."""
        if self.members:
            inner = ", ".join(f"{quoted(key)} {node.stored}" for key, node in self.members.items())
            return f"STRUCT({inner})"
        return _STORED[self.kind]

    @property
    def kind(self) -> str:
        """The kind of values of a node without members."""
        if len(self.kinds) <= 1:
            return next(iter(self.kinds), "string")
        return "double" if self.kinds == {"bigint", "double"} else "json"

    def nodes(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
        """The nodes below this one with their paths: each before its members."""
        for key, node in self.members.items():
            here = (*path, key)
            yield here, node
            yield from node.nodes(here)


def spelled_alike(node: Node) -> bool:
    """Whether an object has keys that differ in case only, which the engine would take for one."""
    keys = [key.lower() for key in node.members]
    return len(set(keys)) < len(keys) or any(spelled_alike(inner) for inner in node.members.values())
