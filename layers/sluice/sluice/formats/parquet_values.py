"""The types of Parquet columns: our names for them, the SQL that selects them, and their JSON values."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from sluice.errors import UnreadableData

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

_SIMPLE = {
    "boolean": "boolean",
    "tinyint": "bigint",
    "smallint": "bigint",
    "integer": "bigint",
    "bigint": "bigint",
    "utinyint": "bigint",
    "usmallint": "bigint",
    "uinteger": "bigint",
    "ubigint": "decimal(20,0)",
    "hugeint": "decimal(38,0)",
    "uhugeint": "decimal(38,0)",
    "float": "double",
    "double": "double",
    "date": "date",
}
_NANOSECONDS = frozenset(["timestamp_ns", "timestamptz_ns"])
_TIMES = _NANOSECONDS | {"timestamp", "timestamp_s", "timestamp_ms", "timestamp with time zone"}
_TIMES_OF_DAY = frozenset(["time", "time_ns", "time with time zone"])
_EPOCH = datetime(1970, 1, 1)
# The years 1 to 9999 in microseconds since 1970.
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999


@dataclass(frozen=True)
class WideDecimal:
    """Decimals of more than 38 digits, which DuckDB reads as doubles.

    Args:
        column: the column that they become.
        sql: the SQL of a row's value, or of the list of its values.
        precision: the digits of the decimal type.
        scale: the decimal places of the decimal type.
        listed: whether `sql` is a list.
    """

    column: str
    sql: str
    precision: int
    scale: int
    listed: bool = False


@dataclass(frozen=True)
class Node:
    """A field of a Parquet schema.

    Args:
        name: its name in the file.
        decimal: precision and scale, if it is a decimal.
        children: the fields within it.
    """

    name: str
    decimal: tuple[int, int] | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def element(self) -> Node | None:
        """The element of a list or the entry of a map, which is below a group of its own."""
        group = self.children[0] if len(self.children) == 1 else None
        return group.children[0] if group is not None and len(group.children) == 1 else group


def schema_tree(rows: list[tuple[str, int | None, int | None, int | None]]) -> Node:
    """Build the tree of a Parquet schema.

    Args:
        rows: the rows of `parquet_schema`: name, number of children, precision, scale.
    """
    return _node(iter(rows))


def _node(rows: Iterator[tuple[str, int | None, int | None, int | None]]) -> Node:
    name, children, precision, scale = next(rows)
    decimal = (precision, scale or 0) if precision is not None else None
    return Node(name, decimal, [_node(rows) for _ in range(children or 0)])


class Shape:
    """A type whose values DuckDB returns as Python represents them."""

    def __init__(self, kind: DuckDBPyType) -> None:
        self._kind = kind

    def columns(self, name: str) -> dict[str, str | None]:
        """The columns that a column of this type becomes, with their types; None if the JSON values decide."""
        text = str(self._kind).lower()
        if self._kind.id == "decimal":
            return {name: text.replace(" ", "")}
        return {name: _SIMPLE.get(text, "json" if self._kind.id in ("list", "array", "union") else "string")}

    def sql(self, value: str, depth: int = 0) -> str:
        """The SQL that selects a value for `json`.

        Args:
            value: the SQL of the value.
            depth: how many lambdas enclose it, for distinct names of their parameters.
        """
        return value

    def json(self, value: Any) -> Any:
        """The JSON form of a value that `sql` selected: binary data as Base64, decimals as text."""
        return _json(value)

    def with_struct_nulls(self, value: Any) -> Any:
        """The JSON value with an object of nulls in place of each null struct."""
        return value

    def wide_decimals(self, name: str, value: str, depth: int = 0) -> Iterator[WideDecimal]:
        """The decimals of more than 38 digits in a column of this type.

        Args:
            name: the column's name.
            value: the SQL of its value.
            depth: how many lambdas enclose it.
        """
        return iter(())


class _WideDecimal(Shape):
    """A decimal that is too long for a type of DuckDB, which reads it as a double."""

    def __init__(self, kind: DuckDBPyType, decimal: tuple[int, int]) -> None:
        super().__init__(kind)
        self._decimal = decimal

    def wide_decimals(self, name: str, value: str, depth: int = 0) -> Iterator[WideDecimal]:
        yield WideDecimal(name, value, *self._decimal)


class _Time(Shape):
    """A time, converted to UTC with all its digits, in ISO 8601."""

    def __init__(self, kind: DuckDBPyType) -> None:
        super().__init__(kind)
        self._unit = "ns" if str(kind).lower() in _NANOSECONDS else "us"

    def columns(self, name: str) -> dict[str, str | None]:
        return {name: "timestamp"}

    def sql(self, value: str, depth: int = 0) -> str:
        # As integers, since DuckDB needs pytz to return times with a zone. What Python's datetime cannot hold
        # comes as DuckDB's text.
        if self._unit == "ns":
            return f"coalesce(epoch_ns({value})::VARCHAR, {value}::VARCHAR)"
        return f"if(epoch_us({value}) BETWEEN {_FIRST} AND {_LAST}, epoch_us({value})::VARCHAR, {value}::VARCHAR)"

    def json(self, value: str | None) -> str | None:
        if value is None or not value.removeprefix("-").isdecimal():
            return value
        digits = 9 if self._unit == "ns" else 6
        seconds, fraction = divmod(int(value), 10**digits)
        return f"{(_EPOCH + timedelta(seconds=seconds)).isoformat()}.{fraction:0{digits}}Z"


class _TimeOfDay(Shape):
    def sql(self, value: str, depth: int = 0) -> str:
        return f"{value}::VARCHAR"  # Python's `time` has no nanoseconds


class _Struct(Shape):
    def __init__(self, kind: DuckDBPyType, node: Node | None, path: str) -> None:
        super().__init__(kind)
        children = cast("list[tuple[str, DuckDBPyType]]", kind.children)
        nodes = named_children(node, [name for name, _ in children])
        self._read = [name for name, _ in children]
        self._parts = {
            name: shape_of(of, inner, f"{path}.{name}")
            for (name, inner), (_, of) in zip(require_unique_names(nodes, path), children, strict=True)
        }

    def columns(self, name: str) -> dict[str, str | None]:
        columns: dict[str, str | None] = {}
        for inner, shape in self._parts.items():
            columns |= shape.columns(f"{name}_{inner}")
        return columns

    def sql(self, value: str, depth: int = 0) -> str:
        selected = [
            (name, f"{value}.{quoted(name)}", shape)
            for name, shape in zip(self._read, self._parts.values(), strict=True)
        ]
        if all(shape.sql(inner, depth) == inner for _, inner, shape in selected):
            return value
        parts = ", ".join(f"{quoted(name)} := {shape.sql(inner, depth)}" for name, inner, shape in selected)
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({parts}) END"

    def json(self, value: dict[str, Any] | None) -> Any:
        if value is None:
            return None
        return {
            name: shape.json(inner) for (name, shape), inner in zip(self._parts.items(), value.values(), strict=True)
        }

    def with_struct_nulls(self, value: Any) -> Any:
        return {
            name: shape.with_struct_nulls(None if value is None else value[name]) for name, shape in self._parts.items()
        }

    def wide_decimals(self, name: str, value: str, depth: int = 0) -> Iterator[WideDecimal]:
        for read, (inner, shape) in zip(self._read, self._parts.items(), strict=True):
            yield from shape.wide_decimals(f"{name}_{inner}", f"{value}.{quoted(read)}", depth)


class _List(Shape):
    def __init__(self, kind: DuckDBPyType, node: Node | None, path: str) -> None:
        super().__init__(kind)
        element_type = cast("list[tuple[str, DuckDBPyType]]", kind.children)[0][1]
        self._of = shape_of(element_type, node.element if node is not None else None, f"{path}[]")

    def sql(self, value: str, depth: int = 0) -> str:
        name = f"__sluice_{depth}"
        inner = self._of.sql(name, depth + 1)
        return value if inner == name else f"list_transform({value}, lambda {name}: {inner})"

    def json(self, value: Any) -> Any:
        return None if value is None else [self._of.json(inner) for inner in value]

    def wide_decimals(self, name: str, value: str, depth: int = 0) -> Iterator[WideDecimal]:
        yield from _within_list(self._of, name, value, depth)


def _within_list(element_shape: Shape, name: str, values: str, depth: int) -> Iterator[WideDecimal]:
    element = f"__sluice_{depth}"
    for decimal in element_shape.wide_decimals(name, element, depth + 1):
        listed = f"list_transform({values}, lambda {element}: {decimal.sql})"
        yield replace(decimal, sql=f"flatten({listed})" if decimal.listed else listed, listed=True)


class _Map(Shape):
    """A map. Its keys become columns when they occur, as those of any JSON object."""

    def __init__(self, kind: DuckDBPyType, node: Node | None, path: str) -> None:
        super().__init__(kind)
        nodes = named_children(node.children[0] if node is not None and node.children else None, ["key", "value"])
        kinds = [of for _, of in cast("list[tuple[str, DuckDBPyType]]", kind.children)]
        self._key, self._value = (
            shape_of(of, inner, f"{path}.{name}") for of, (name, inner) in zip(kinds, nodes, strict=True)
        )

    def columns(self, name: str) -> dict[str, str | None]:
        return {}

    def sql(self, value: str, depth: int = 0) -> str:
        entry = f"__sluice_{depth}"
        key, inner = f"{entry}.key", f"{entry}.value"
        parts = self._key.sql(key, depth + 1), self._value.sql(inner, depth + 1)
        if parts == (key, inner):
            return value
        entries = f"list_transform(map_entries({value}), lambda {entry}: struct_pack(k := {parts[0]}, v := {parts[1]}))"
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE map_from_entries({entries}) END"

    def json(self, value: dict[Any, Any] | None) -> Any:
        if value is None:
            return None
        return {str(self._key.json(key)): self._value.json(inner) for key, inner in value.items()}

    def wide_decimals(self, name: str, value: str, depth: int = 0) -> Iterator[WideDecimal]:
        yield from _within_list(self._value, name, f"map_values({value})", depth)


def shape_of(kind: DuckDBPyType, node: Node | None, path: str) -> Shape:
    """The shape of a type.

    Args:
        kind: DuckDB's type.
        node: the field in the file's schema, if it is known.
        path: the column's name, for errors.

    Raises:
        UnreadableData: a struct has two fields with the same name.
    """
    text = str(kind).lower()
    if kind.id == "struct" and kind.children:
        return _Struct(kind, node, path)
    if kind.id in ("list", "array"):
        return _List(kind, node, path)
    if kind.id == "map":
        return _Map(kind, node, path)
    if text in _TIMES:
        return _Time(kind)
    if text in _TIMES_OF_DAY:
        return _TimeOfDay(kind)
    if text == "double" and node is not None and node.decimal is not None:
        return _WideDecimal(kind, node.decimal)
    return Shape(kind)


def named_children(node: Node | None, read: list[str]) -> list[tuple[str, Node | None]]:
    """Map the names that DuckDB gave to the fields of the file's schema.

    DuckDB compares names without case: of `A` and `a` it renames the second one to `a_1`.

    Args:
        node: the parent field, if it is known.
        read: DuckDB's names of its children, in order.

    Returns:
        The name in the file and the field of each child; DuckDB's name and None if they cannot be matched.
    """
    inner = node.children if node is not None else []
    matches = len(inner) == len(read) and all(
        name.lower().startswith(child.name.lower()) for name, child in zip(read, inner, strict=True)
    )
    return [(child.name, child) for child in inner] if matches else [(name, None) for name in read]


def require_unique_names(nodes: list[tuple[str, Node | None]], path: str) -> list[tuple[str, Node | None]]:
    """Refuse duplicate names.

    Returns:
        The same nodes.

    Raises:
        UnreadableData: two nodes have the same name.
    """
    names = [name for name, _ in nodes]
    for name in names:
        if names.count(name) > 1:
            raise UnreadableData(f"{path} has two columns named {name!r}.")
    return nodes


def quoted(name: str) -> str:
    """The name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _json(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(Decimal(value))
        case dict():
            return {str(key): _json(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_json(inner) for inner in value]
        case date():
            return value.isoformat()
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case _:
            return str(value)
