"""JSON columns that hold lists, as lists of a type, for the formats that have such types.

The type depends on all rows of a version and on nothing else: neither on the rows nor on the columns of a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from sluice.domain.json_text import loads_with_digits
from sluice.domain.schema import JsonTypeGuess, duckdb_type
from sluice.lake.json_values import json_of
from sluice.lake.parquet import finite_or_null, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The types that JSON values have without a conversion, so that a list of them has what its JSON shows.
ELEMENT_TYPES = ("string", "bigint", "double", "boolean")
_BATCH = 10_000
_WHITESPACE = "E' \\t\\n\\r'"


def element_type(connection: DuckDBPyConnection, source: str, name: str) -> str | None:
    """The type of the elements of a JSON column's lists.

    Nulls count neither as values nor as elements. If all lists are empty, the elements are strings.

    Args:
        connection: the engine.
        source: the SQL of the version's rows.
        name: the column.

    Returns:
        One of `ELEMENT_TYPES`; None if a value is no list, a list has elements of other or several types, or there
        are no values.
    """
    text = f"{quoted(name)}::VARCHAR"
    values = f"SELECT {text} AS value FROM {source} WHERE {text} IS DISTINCT FROM 'null' AND {text} IS NOT NULL"
    # First without Python: most JSON columns hold objects.
    are_lists = f"bool_and(starts_with(ltrim(value, {_WHITESPACE}), '['))"
    if connection.execute(f"SELECT {are_lists} FROM ({values})").fetchall() != [(True,)]:
        return None
    guess = JsonTypeGuess()
    with connection.cursor() as cursor:  # of its own, since it may be left before its end
        lists = cursor.execute(f"SELECT DISTINCT value FROM ({values})")
        while batch := lists.fetchmany(_BATCH):
            for (value,) in batch:
                for element in _elements(value):
                    guess.observe(element)
            if guess.type not in ELEMENT_TYPES:
                return None
    return guess.type


def _elements(text: str) -> list[Any]:
    """The elements of a list; the engine's NaN and infinities, which JSON lacks, count as doubles."""
    try:
        elements: list[Any] = loads_with_digits(text.encode())
    except orjson.JSONDecodeError:
        return [*json_of(text), 0.5]
    return elements


def list_cell(name: str, element: str) -> str:
    """The SQL of a JSON column as lists.

    Args:
        name: the column.
        element: the type of the elements, from `element_type`.
    """
    cell = f"{quoted(name)}::{duckdb_type(element)}[]"
    return f"list_transform({cell}, lambda x: {finite_or_null('x')})" if element == "double" else cell
