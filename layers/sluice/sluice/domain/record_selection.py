"""The records that an expression selects, with their places: JMESPath itself returns values without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sluice.domain.evaluation import Interpreter
from sluice.domain.expression import (
    Path,
    RecordContext,
    compile_expression,
    evaluating,
    interpreter_for,
    search,
    selects_places,
)

Node = Any  # of the tree of a compiled expression
_CHAINS = ("subexpression", "index_expression", "pipe")


@dataclass(frozen=True)
class _Selected:
    """A selected value.

    Args:
        value: the value; None if nothing was selected.
        path: its path; of a list that the expression has made, the path of the list it was made from.
        elements: the elements of such a list.
    """

    value: Any
    path: Path
    elements: list[_Selected] | None = None

    def children(self) -> list[_Selected]:
        """The elements of a list or the members of an object; none of other values."""
        if self.elements is not None:
            return self.elements
        match self.value:
            case list():
                return [_Selected(value, (*self.path, index)) for index, value in enumerate(self.value)]
            case dict():
                return [_Selected(value, (*self.path, key)) for key, value in self.value.items()]
            case _:
                return []


def select_records(expression: str, document: Any) -> list[tuple[Any, RecordContext]] | None:
    """The records that `records` selects: the elements of a list, or a single value.

    Args:
        expression: the expression. Of one that does more than select, records have the place of the document.
        document: the document.

    Returns:
        Each record with its place; None if the expression selects nothing.

    Raises:
        ValueError: a function of the expression failed.
    """
    if not selects_places(expression):
        selected = search(expression, document)
        records = selected if isinstance(selected, list) else [selected]
        return None if selected is None else [(record, RecordContext(document)) for record in records]
    interpreter = interpreter_for(document)
    with evaluating(expression):
        found = _visit(interpreter, compile_expression(expression).parsed, _Selected(document, ()))
    if found.value is None:
        return None
    elements = found.children() if isinstance(found.value, list) else [found]
    return [(element.value, RecordContext(document, element.path)) for element in elements]


def _visit(interpreter: Interpreter, node: Node, base: _Selected) -> _Selected:
    return _VISITS[node["type"]](interpreter, node, base)


def _nothing(base: _Selected) -> _Selected:
    return _Selected(None, base.path)


def _list(base: _Selected, elements: list[_Selected]) -> _Selected:
    return _Selected([element.value for element in elements], base.path, elements)


def _current(interpreter: Interpreter, node: Node, base: _Selected) -> _Selected:
    return base


def _chain(interpreter: Interpreter, node: Node, base: _Selected) -> _Selected:
    for child in node["children"]:
        base = _visit(interpreter, child, base)
    return base


def _field(interpreter: Interpreter, node: Node, base: _Selected) -> _Selected:
    if not isinstance(base.value, dict):
        return _nothing(base)
    return _Selected(base.value.get(node["value"]), (*base.path, node["value"]))


def _index(interpreter: Interpreter, node: Node, base: _Selected) -> _Selected:
    number, length = node["value"], len(base.value) if isinstance(base.value, list) else 0
    return base.children()[number] if -length <= number < length else _nothing(base)


def _slice(interpreter: Interpreter, node: Node, base: _Selected) -> _Selected:
    return _list(base, base.children()[slice(*node["children"])]) if isinstance(base.value, list) else _nothing(base)


def _flatten(interpreter: Interpreter, node: Node, base: _Selected) -> _Selected:
    outer = _visit(interpreter, node["children"][0], base)
    if not isinstance(outer.value, list):
        return _nothing(outer)
    nested = (element.children() if isinstance(element.value, list) else [element] for element in outer.children())
    return _list(outer, [element for elements in nested for element in elements])


def _projection(interpreter: Interpreter, node: Node, base: _Selected) -> _Selected:
    return _project(interpreter, node, base, list)


def _value_projection(interpreter: Interpreter, node: Node, base: _Selected) -> _Selected:
    return _project(interpreter, node, base, dict)


def _filter_projection(interpreter: Interpreter, node: Node, base: _Selected) -> _Selected:
    condition = node["children"][2]
    return _project(
        interpreter, node, base, list, lambda element: not _is_false(interpreter.visit(condition, element.value))
    )


def _project(
    interpreter: Interpreter,
    node: Node,
    base: _Selected,
    kind: type,
    keeps: Callable[[_Selected], bool] | None = None,
) -> _Selected:
    left, right = node["children"][:2]
    projected = _visit(interpreter, left, base)
    if not isinstance(projected.value, kind):
        return _nothing(projected)
    kept = projected.children() if keeps is None else filter(keeps, projected.children())
    selected = (_visit(interpreter, right, element) for element in kept)
    return _list(projected, [element for element in selected if element.value is not None])


def _or(interpreter: Interpreter, node: Node, base: _Selected) -> _Selected:
    left, right = node["children"]
    selected = _visit(interpreter, left, base)
    return _visit(interpreter, right, base) if _is_false(selected.value) else selected


def _is_false(value: Any) -> bool:
    """Whether JMESPath counts a value as false; 0 is not."""
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


_VISITS: dict[str, Callable[[Interpreter, Node, _Selected], _Selected]] = {
    "current": _current,
    "identity": _current,
    "field": _field,
    "index": _index,
    "slice": _slice,
    "flatten": _flatten,
    "projection": _projection,
    "value_projection": _value_projection,
    "filter_projection": _filter_projection,
    "or_expression": _or,
    **dict.fromkeys(_CHAINS, _chain),
}
