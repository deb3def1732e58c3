"""Upper bounds for what the engine's expressions write, since the budget of an evaluation does not apply to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sluice.domain.expression import compile_expression
from sluice.domain.field_growth import USUAL_FACTOR, USUAL_SIZE
from sluice.domain.json_text import dumps
from sluice.extract.columnar.pages import NotColumnar

Node = dict[str, Any]
_NULL = len("null")
_STEPS = {"subexpression", "pipe", "index_expression"}
_WITHIN = {"current", "identity", "field", "index", "slice"}


@dataclass(frozen=True)
class Growth:
    """An upper bound for JSON that is made of other JSON, linear in its length and in its number of parts.

    A text has one part more than commas, so a list has at most as many elements as parts.

    Args:
        size: characters for each character.
        by_part: characters for each part.
        fixed: further characters.
        parts: parts for each part.
        fixed_parts: further parts.
    """

    size: int = 1
    by_part: int = 0
    fixed: int = 0
    parts: int = 1
    fixed_parts: int = 0

    def then(self, following: Growth) -> Growth:
        """What another expression makes of the result."""
        return Growth(
            following.size * self.size,
            following.size * self.by_part + following.by_part * self.parts,
            following.size * self.fixed + following.by_part * self.fixed_parts + following.fixed,
            following.parts * self.parts,
            following.parts * self.fixed_parts + following.fixed_parts,
        )

    def for_each(self) -> Growth:
        """The list of what the expression makes of each element of a list."""
        return Growth(self.size, self.by_part + self.fixed + 1, 2, self.parts + self.fixed_parts, 1)

    def __add__(self, other: Growth) -> Growth:
        return Growth(
            self.size + other.size,
            self.by_part + other.by_part,
            self.fixed + other.fixed,
            self.parts + other.parts,
            self.fixed_parts + other.fixed_parts,
        )

    @property
    def is_usual(self) -> bool:
        """Whether no record can write more than is usual; a text has at least one more than twice as many commas."""
        size, fixed = self.size + self.by_part / 2, self.fixed + self.by_part / 2
        # If the record has fewer characters than this, the usual size is not exceeded, else the usual factor is not.
        return size + fixed * USUAL_FACTOR / USUAL_SIZE <= USUAL_FACTOR

    def unusual_sql(self, record: str) -> str:
        """The SQL of the characters beyond what is usual.

        Args:
            record: the SQL of the record as JSON.
        """
        text = f"{record}::VARCHAR"
        length = f"length({text})::DOUBLE"
        parts = f"(length({text}) - length(replace({text}, ',', '')) + 1)::DOUBLE"
        bound = f"{float(self.size)} * {length} + {float(self.by_part)} * {parts} + {float(self.fixed)}"
        return f"greatest(0, {bound} - greatest({USUAL_SIZE}, {USUAL_FACTOR} * {length}))"


_NOTHING = Growth(0, 0, 0, 0, 0)


def growth_of(expressions: Iterable[str]) -> Growth:
    """The bound of what several expressions together select in a record.

    Args:
        expressions: expressions that the engine evaluates.

    Raises:
        NotColumnar: one of them has other parts.
    """
    paths: Counter[tuple[str, ...]] = Counter()
    total = _NOTHING
    for expression in expressions:
        node: Any = compile_expression(expression).parsed
        path = _path(node)
        if path is None:
            total += _growth(node)
        else:
            paths[path] += 1
    # A value of the record is selected by its own path and by those of what encloses it.
    repeated = max((sum(paths[path[:length]] for length in range(len(path) + 1)) for path in paths), default=0)
    return total + Growth(repeated, 0, 0, repeated)


def _path(node: Node) -> tuple[str, ...] | None:
    """The keys that a node selects one within the other; None if it does more."""
    match node["type"]:
        case "current" | "identity":
            return ()
        case "field":
            return (node["value"],)
        case "subexpression":
            paths = [_path(child) for child in node["children"]]
            return None if None in paths else tuple(key for path in paths for key in path or ())
        case _:
            return None


def _growth(node: Node) -> Growth:
    children, kind = node["children"], node["type"]
    if kind in _WITHIN:
        return Growth()
    if kind == "flatten":
        return _growth(children[0])
    if kind in _STEPS:
        total = Growth()
        for child in children:
            total = total.then(_growth(child))
        return total
    match kind:
        case "literal":
            text = dumps(node["value"])
            return Growth(0, 0, len(text), 0, text.count(b",") + 1)
        case "projection":
            return _growth(children[0]).then(_growth(children[1]).for_each())
        case "multi_select_list":
            return sum((_selected("", child) for child in children), Growth(0, 0, 2, 0, 0))
        case "multi_select_dict":
            pairs = ((child["value"], child["children"][0]) for child in children)
            return sum((_selected(dumps(key).decode() + ":", child) for key, child in pairs), Growth(0, 0, 2, 0, 0))
        case _:
            raise NotColumnar


def _selected(label: str, node: Node) -> Growth:
    """A member of a multi-select with its label and comma; null if nothing is selected."""
    return _growth(node) + Growth(0, 0, len(label) + 1 + _NULL, 0, 0)
