"""Rows of Parquet as JSON values."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import orjson

from sluice.domain.json_text import dumps, loads_with_digits
from sluice.domain.schema import Column


def json_row(columns: list[Column], values: tuple[Any, ...]) -> dict[str, Any]:
    """A row of a `display_query` as JSON values; Decimal stands for numbers that a double would change.

    Args:
        columns: the columns of the row.
        values: its values.
    """
    return {
        column.name: json_of(value) if column.type == "json" and value else json_value(column.type, value)
        for column, value in zip(columns, values, strict=True)
    }


def json_of(text: str) -> Any:
    """Parse the engine's JSON with all digits. NaN and infinities, which it may contain, become null.

    Raises:
        ValueError: the text is not JSON.
    """
    try:
        return loads_with_digits(text.encode())
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text, parse_constant=lambda _: None, parse_float=Decimal)
    except ValueError:
        raise ValueError(f"{text[:80]!r} is not JSON") from None


def _finite(text: str) -> str:
    """Rewrite the engine's JSON as standard JSON: it may contain NaN, infinities and trailing commas."""
    try:
        orjson.loads(text)
        return text
    except orjson.JSONDecodeError:
        return dumps(json_of(text)).decode()


def json_value(kind: str, value: Any) -> Any:
    """Convert a value of a `display_query` for orjson.

    Decimals and times become text, JSON a fragment, and NaN and infinities null.

    Args:
        kind: the column type.
        value: the value.
    """
    match value:
        case None:
            return None
        case Decimal():
            return format(value, "f")
        case str() if kind == "json":
            return orjson.Fragment(_finite(value))
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
