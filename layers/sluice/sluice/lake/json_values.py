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
    """A row of a `shown_query`, as JSON values; Decimal stands for what a double would change."""
    return {
        column.name: json_of(value) if column.type == "json" and value else json_value(column.type, value)
        for column, value in zip(columns, values, strict=True)
    }


def json_of(text: str) -> Any:
    """The value of the engine's JSON, with every digit; NaN and the infinities, which it has, are null.

    Raises:
        ValueError: it is no JSON at all.
    """
    try:
        return loads_with_digits(text.encode())
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text, parse_constant=lambda _: None, parse_float=Decimal)
    except ValueError:
        raise ValueError(f"{text[:80]!r} is no JSON") from None


def _finite(text: str) -> str:
    """JSON of the engine as JSON: in its own NaN and the infinities stand as words, and lists may end in a comma."""
    try:
        orjson.loads(text)
        return text
    except orjson.JSONDecodeError:
        return dumps(json_of(text)).decode()


def json_value(kind: str, value: Any) -> Any:
    """A value of a `shown_query` as JSON has it: decimals as text, like times, and JSON as it is.

    JSON has no number for NaN and the infinities: they are null.
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
