"""JMESPath as SQL over JSON, for the expressions whose meaning the engine shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sluice.domain.expression import compile_expression
from sluice.domain.json_text import dumps
from sluice.extract.columnar.pages import NotColumnar
from sluice.lake.parquet import literal

Node = dict[str, Any]


def keys_of(expression: str) -> list[str]:
    """The keys that an expression goes down, one after the other; none for `@`.

    Raises:
        NotColumnar: it does more than that.
    """
    return _keys(_tree(expression))


def _tree(expression: str) -> Node:
    return cast(Node, compile_expression(expression).parsed)


def _keys(node: Node) -> list[str]:
    match node["type"]:
        case "current" | "identity":
            return []
        case "field":
            return [node["value"]]
        case "subexpression":
            return [key for child in node["children"] for key in _keys(child)]
        case _:
            raise NotColumnar


def sql_of(expression: str, record: str) -> str:
    """The SQL of what an expression selects in a record: JSON, or null where it selects null.

    Args:
        record: the SQL of the record as JSON.

    Raises:
        NotColumnar: the expression is none of those that are compiled: plain paths, projections, slices,
            literals and multi-selects, and pipes of these.
    """
    return _Compiler().sql(_tree(expression), _Value(record))


@dataclass(frozen=True)
class _Value:
    """A value as JSON, and the path within it that is wanted."""

    sql: str
    path: str = ""

    @property
    def text(self) -> str:
        """The SQL of it; the engine's JSON null becomes the null of SQL."""
        return f"nullif(json_extract({self.sql}, {literal('$' + self.path)}), 'null')"


class _Compiler:
    def __init__(self) -> None:
        self._lambdas = 0

    def sql(self, node: Node, value: _Value) -> str:
        """The SQL of a node that is applied to a value."""
        return self._value(node, value).text

    def _value(self, node: Node, value: _Value) -> _Value:
        children = node["children"]
        match node["type"]:
            case "current" | "identity":
                return value
            case "field":
                return _Value(value.sql, value.path + path_step(node["value"]))
            case "subexpression" | "pipe" | "index_expression":
                for child in children:
                    value = self._value(child, value)
                return value
            case "index":
                number = node["value"]
                return _Value(value.sql, value.path + (f"[{number}]" if number >= 0 else f"[#{number}]"))
            case _:
                return _Value(self._made(node, value))

    def _made(self, node: Node, value: _Value) -> str:
        """The SQL of a node that makes a value of its own."""
        children = node["children"]
        match node["type"]:
            case "literal":
                return f"{literal(dumps(node['value']).decode())}::JSON"
            case "projection":
                return self._projection(children[0], children[1], value)
            case "multi_select_list":
                return self._several([("", child) for child in children], value, "[]")
            case "multi_select_dict":
                names = [child["value"] for child in children]
                if len(set(names)) < len(names):
                    raise NotColumnar
                pairs = [(dumps(child["value"]).decode() + ":", child["children"][0]) for child in children]
                return self._several(pairs, value, "{}")
            case _:
                raise NotColumnar

    def _several(self, parts: list[tuple[str, Node]], value: _Value, brackets: str) -> str:
        """A list or an object of what several expressions select; null of null."""
        texts = [f"{literal(label)} || coalesce({self.sql(node, value)}::VARCHAR, 'null')" for label, node in parts]
        inner = " || ',' || ".join(texts)
        return f"(CASE WHEN {value.text} IS NOT NULL THEN ('{brackets[0]}' || {inner} || '{brackets[1]}')::JSON END)"

    def _projection(self, left: Node, right: Node, value: _Value) -> str:
        """A list of what an expression selects in each element of a list, nulls left out; null of anything else."""
        elements, is_list = self._elements(left, value)
        name = self._name()
        made = f"list_transform({elements}, lambda {name}: ({self.sql(right, _Value(name))})::VARCHAR)"
        kept = self._name()
        texts = f"list_filter({made}, lambda {kept}: {kept} IS NOT NULL)"
        return f"(CASE WHEN {is_list} THEN ('[' || array_to_string({texts}, ',') || ']')::JSON END)"

    def _elements(self, node: Node, value: _Value) -> tuple[str, str]:
        """The elements that a projection goes through, as a list of JSON; and the condition that there is a list."""
        if node["type"] == "flatten":
            inner = self._value(node["children"][0], value).text
            name = self._name()
            parts = f"CASE WHEN json_type({name}) = 'ARRAY' THEN json_extract({name}, '$[*]') ELSE [{name}] END"
            return f"flatten(list_transform({_all(inner)}, lambda {name}: {parts}))", _is_list(inner)
        if node["type"] == "index_expression" and node["children"][1]["type"] == "slice":
            inner = self._value(node["children"][0], value).text
            return _sliced(_all(inner), *node["children"][1]["children"]), _is_list(inner)
        inner = self._value(node, value).text
        return _all(inner), _is_list(inner)

    def _name(self) -> str:
        self._lambdas += 1
        return f"__sluice_{self._lambdas}"


def path_step(name: str) -> str:
    """A key in a path of the engine's.

    Raises:
        NotColumnar: it has a character for which those paths have no escape.
    """
    if '"' in name or "\\" in name:
        raise NotColumnar
    return f'."{name}"'


def _all(value: str) -> str:
    return f"json_extract({value}, '$[*]')"


def _is_list(value: str) -> str:
    return f"coalesce(json_type({value}) = 'ARRAY', false)"


def _sliced(elements: str, start: int | None, stop: int | None, step: int | None) -> str:
    """A part of a list, its bounds as Python and JMESPath have them."""
    if step is not None and step <= 0:
        raise NotColumnar
    begin, end = _bound(elements, start, "0"), _bound(elements, stop, f"len({elements})")
    return f"list_slice({elements}, {begin} + 1, {end}, {step or 1})"


def _bound(elements: str, at: int | None, default: str) -> str:
    if at is None:
        return default
    return f"least({at}, len({elements}))" if at >= 0 else f"greatest(len({elements}) - {-at}, 0)"
