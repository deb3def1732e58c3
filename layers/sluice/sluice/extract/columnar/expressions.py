"""JMESPath as SQL over JSON, for the expressions that the engine evaluates as JMESPath does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sluice.domain.expression import compile_expression
from sluice.domain.json_text import dumps
from sluice.extract.columnar.pages import NotColumnar
from sluice.lake.parquet import literal

Node = dict[str, Any]
# Each multi-select in a pipe repeats the SQL of what is before it, so its length grows exponentially.
_LONGEST_SQL = 20_000


def keys_of(expression: str) -> list[str]:
    """The keys that an expression selects one within the other; empty for `@`.

    Raises:
        NotColumnar: the expression does more than that.
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
    """The SQL of what an expression selects in a record: JSON, or SQL null for null.

    Args:
        expression: the JMESPath expression.
        record: the SQL of the record as JSON.

    Raises:
        NotColumnar: it has other parts than paths, projections, slices, literals, multi-selects, and pipes of these.
    """
    return _Compiler().sql(_tree(expression), _Value(record))


@dataclass(frozen=True)
class _Value:
    """A JSON value and a path within it. Paths are collected, since one extraction is faster than several."""

    sql: str
    path: str = ""

    @property
    def text(self) -> str:
        """The SQL of the value; JSON null becomes SQL null."""
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
                built = self._build(node, value)
                if len(built) > _LONGEST_SQL:
                    raise NotColumnar
                return _Value(built)

    def _build(self, node: Node, value: _Value) -> str:
        """The SQL of a node that builds a value."""
        children = node["children"]
        match node["type"]:
            case "literal":
                return f"{literal(dumps(node['value']).decode())}::JSON"
            case "projection":
                return self._projection(children[0], children[1], value)
            case "multi_select_list":
                return self._combine([("", child) for child in children], value, "[]")
            case "multi_select_dict":
                names = [child["value"] for child in children]
                if len(set(names)) < len(names):
                    raise NotColumnar
                pairs = [(dumps(child["value"]).decode() + ":", child["children"][0]) for child in children]
                return self._combine(pairs, value, "{}")
            case _:
                raise NotColumnar

    def _combine(self, parts: list[tuple[str, Node]], value: _Value, brackets: str) -> str:
        """The SQL of a list or object of several expressions; null if the value is null."""
        texts = [f"{literal(label)} || coalesce({self.sql(node, value)}::VARCHAR, 'null')" for label, node in parts]
        inner = " || ',' || ".join(texts)
        return f"(CASE WHEN {value.text} IS NOT NULL THEN ('{brackets[0]}' || {inner} || '{brackets[1]}')::JSON END)"

    def _projection(self, left: Node, right: Node, value: _Value) -> str:
        """The SQL of what an expression selects in each element of a list, without nulls; null if it is no list."""
        elements, is_list = self._elements(left, value)
        name = self._name()
        selected = f"list_transform({elements}, lambda {name}: ({self.sql(right, _Value(name))})::VARCHAR)"
        element = self._name()
        texts = f"list_filter({selected}, lambda {element}: {element} IS NOT NULL)"
        return f"(CASE WHEN {is_list} THEN ('[' || array_to_string({texts}, ',') || ']')::JSON END)"

    def _elements(self, node: Node, value: _Value) -> tuple[str, str]:
        """The SQL of the list of elements that a projection iterates over, and of the condition that it is a list."""
        if node["type"] == "flatten":
            inner = self._value(node["children"][0], value).text
            name = self._name()
            parts = f"CASE WHEN json_type({name}) = 'ARRAY' THEN json_extract({name}, '$[*]') ELSE [{name}] END"
            return f"flatten(list_transform({_all(inner)}, lambda {name}: {parts}))", _is_list(inner)
        if node["type"] == "index_expression" and node["children"][1]["type"] == "slice":
            inner = self._value(node["children"][0], value).text
            return _slice(_all(inner), *node["children"][1]["children"]), _is_list(inner)
        inner = self._value(node, value).text
        return _all(inner), _is_list(inner)

    def _name(self) -> str:
        self._lambdas += 1
        return f"__sluice_{self._lambdas}"


def path_step(name: str) -> str:
    """A key in one of the engine's JSON paths.

    Raises:
        NotColumnar: it has a character that cannot be escaped there.
    """
    if '"' in name or "\\" in name:
        raise NotColumnar
    return f'."{name}"'


def _all(value: str) -> str:
    return f"json_extract({value}, '$[*]')"


def _is_list(value: str) -> str:
    return f"coalesce(json_type({value}) = 'ARRAY', false)"


def _slice(elements: str, start: int | None, stop: int | None, step: int | None) -> str:
    """The SQL of a slice of a list, with the bounds of JMESPath."""
    if step is not None and step <= 0:
        raise NotColumnar
    begin, end = _bound(elements, start, "0"), _bound(elements, stop, f"len({elements})")
    return f"list_slice({elements}, {begin} + 1, {end}, {step or 1})"


def _bound(elements: str, at: int | None, default: str) -> str:
    if at is None:
        return default
    return f"least({at}, len({elements}))" if at >= 0 else f"greatest(len({elements}) - {-at}, 0)"
