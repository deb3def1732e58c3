"""The values of JSON as the types of their columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sluice.domain.json_text import loads_with_digits
from sluice.domain.schema import duckdb_type, is_decimal
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.columnar.conversion import Conversion, Sure
from sluice.extract.columnar.pages import Cell
from sluice.extract.columnar.text_classes import CLASSES, sure_reading

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXACT = 2**53
_EXAMPLES = {"boolean": True, "bigint": 1, "double": 0.5, "string": "", "json": []}
# Numbers that the engine writes as Python's JSON does.
_PLAIN = "({0} = 0 OR abs({0}) BETWEEN 0.0001 AND 1e15)"
_SURE = {
    ("bigint", "string"): Sure("{0}::VARCHAR"),
    ("bigint", "double"): Sure("{0}::DOUBLE"),
    ("bigint", "json"): Sure("{0}::VARCHAR"),
    ("boolean", "string"): Sure("{0}::VARCHAR"),
    ("boolean", "json"): Sure("{0}::VARCHAR"),
    ("double", "string"): Sure("to_json({0})::VARCHAR", _PLAIN),
    ("double", "json"): Sure("to_json({0})::VARCHAR", _PLAIN),
    ("string", "json"): Sure("to_json({0})::VARCHAR"),
    ("json", "string"): Sure("({0}->>'$')"),
}


def examples_of(kinds: set[str], present: int, given: int, *, wide: bool) -> list[tuple[Any, int]]:
    """Values that say about a column's type what all of its values say.

    Args:
        kinds: of the values, null excepted.
        present: how many are not null.
        given: how many there are.
        wide: whether a whole number has more digits than a double.
    """
    examples: list[Any] = [_EXAMPLES[kind] for kind in sorted(kinds - {"bigint"})]
    if "bigint" in kinds:
        examples.append(EXACT + 1 if wide else 1)
    counted = [(value, 0) for value in examples[1:]] + [(value, present) for value in examples[:1]]
    return [*counted, (None, given - present)]


def cell_of(
    connection: DuckDBPyConnection,
    types: ColumnTypes,
    name: str,
    cell: str,
    have: str,
    want: str,
    rows: str,
    number: int,
) -> Cell:
    """The values of a column as its type; `types` hears of those that are not of it.

    Args:
        cell: the SQL of the value.
        have: the kind of the values.
        want: the type of the column.
        rows: the SQL of the rows.
        number: tells the column from others.
    """
    if have == want:
        return Cell(cell)
    sure = _sure(cell, have, want)
    text = cell if have == "string" else f"{cell}::VARCHAR"
    parsers: dict[str, Callable[[str], Any]] = {"string": str, "double": _double}
    parsed = parsers.get(have, _parsed)
    return Conversion(text, rows, number, sure, parsed, _itself).cell(connection, types, name, want)


def _sure(cell: str, have: str, want: str) -> Sure:
    found = _SURE.get((have, want))
    if found is not None:
        return Sure(found.sql.format(cell), found.condition.format(cell) if found.condition else None)
    if have == "string":
        return sure_reading(want, cell, set(CLASSES))
    if have == "bigint" and is_decimal(want):
        made = f"TRY_CAST({cell} AS {duckdb_type(want)})"
        return Sure(made, f"{made} IS NOT NULL")
    return Sure("NULL", "false")


def _parsed(text: str) -> Any:
    return loads_with_digits(text.encode())


def _double(text: str) -> Any:
    """A double as formats give it: what is not finite is a word."""
    number = float(text)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _itself(value: Any) -> Any:
    return value
