"""Conversion of JSON values to the types of their columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sluice.domain.json_text import loads_with_digits
from sluice.domain.schema import duckdb_type, is_decimal
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.columnar.conversion import Conversion, EngineCast
from sluice.extract.columnar.pages import Cell
from sluice.extract.columnar.text_classes import CLASSES, engine_cast

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXACT = 2**53
_EXAMPLES = {"boolean": True, "bigint": 1, "double": 0.5, "string": "", "json": []}
# The range of numbers that the engine formats as Python's JSON does.
_PLAIN = "({0} = 0 OR abs({0}) BETWEEN 0.0001 AND 1e15)"
_CASTS = {
    ("bigint", "string"): EngineCast("{0}::VARCHAR"),
    ("bigint", "double"): EngineCast("{0}::DOUBLE"),
    ("bigint", "json"): EngineCast("{0}::VARCHAR"),
    ("boolean", "string"): EngineCast("{0}::VARCHAR"),
    ("boolean", "json"): EngineCast("{0}::VARCHAR"),
    ("double", "string"): EngineCast("to_json({0})::VARCHAR", _PLAIN),
    ("double", "json"): EngineCast("to_json({0})::VARCHAR", _PLAIN),
    ("string", "json"): EngineCast("to_json({0})::VARCHAR"),
    ("json", "string"): EngineCast("({0}->>'$')"),
}


def examples_of(kinds: set[str], present: int, count: int, *, wide: bool) -> list[tuple[Any, int]]:
    """Values that together determine a column's type as all of its values would.

    Args:
        kinds: the kinds of the values other than null.
        present: the number of values that are not null.
        count: the number of values.
        wide: whether there is an integer that a double cannot represent.

    Returns:
        Pairs of a value and the number of values it stands for.
    """
    examples: list[Any] = [_EXAMPLES[kind] for kind in sorted(kinds - {"bigint"})]
    if "bigint" in kinds:
        examples.append(EXACT + 1 if wide else 1)
    examples_with_counts = [(value, 0) for value in examples[1:]] + [(value, present) for value in examples[:1]]
    return [*examples_with_counts, (None, count - present)]


def cell_of(
    connection: DuckDBPyConnection,
    types: ColumnTypes,
    name: str,
    cell: str,
    source_type: str,
    target_type: str,
    rows: str,
    number: int,
) -> Cell:
    """Convert a column's values to its type.

    Args:
        connection: the engine, which may get a temporary table.
        types: is told of values that are not of the type.
        name: the column's name in warnings.
        cell: the SQL of the value.
        source_type: the kind of the values.
        target_type: the type of the column.
        rows: the SQL of the rows.
        number: identifies the column, for the names of temporary tables.

    Returns:
        The SQL of the converted value.
    """
    if source_type == target_type:
        return Cell(cell)
    cast = _engine_cast(cell, source_type, target_type)
    text = cell if source_type == "string" else f"{cell}::VARCHAR"
    parsers: dict[str, Callable[[str], Any]] = {"string": str, "double": _double}
    parsed = parsers.get(source_type, _parse)
    return Conversion(text, rows, number, cast, parsed, _unchanged).cell(connection, types, name, target_type)


def _engine_cast(cell: str, source_type: str, target_type: str) -> EngineCast:
    cast = _CASTS.get((source_type, target_type))
    if cast is not None:
        return EngineCast(cast.sql.format(cell), cast.condition.format(cell) if cast.condition else None)
    if source_type == "string":
        return engine_cast(target_type, cell, set(CLASSES))
    if source_type == "bigint" and is_decimal(target_type):
        decimal = f"TRY_CAST({cell} AS {duckdb_type(target_type)})"
        return EngineCast(decimal, f"{decimal} IS NOT NULL")
    return EngineCast("NULL", "false")


def _parse(text: str) -> Any:
    return loads_with_digits(text.encode())


def _double(text: str) -> Any:
    """Parse a double; if it is not finite, the result is a word, as formats return it."""
    number = float(text)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _unchanged(value: Any) -> Any:
    return value
