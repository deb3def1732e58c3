"""Plain Python values as DynamoDB has them, and back."""

from __future__ import annotations

from base64 import b64decode
from decimal import Decimal
from typing import Any


def encode(values: dict[str, Any]) -> dict[str, Any]:
    """Values with their DynamoDB types."""
    return {key: _typed(value) for key, value in values.items()}


def _typed(value: Any) -> dict[str, Any]:
    """A value with its DynamoDB type."""
    # The TypeSerializer of boto3 would import all of boto3; without it, a cold function starts 0.5 s sooner.
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case float():
            return {"N": repr(value)}
        case None:
            return {"NULL": True}
        case dict():
            return {"M": {str(key): _typed(inner) for key, inner in value.items()}}
        case list() | tuple():
            return {"L": [_typed(inner) for inner in value]}
        case set():
            return {"SS": sorted(value)}
        case bytes():
            return {"B": value}
        case _:
            raise TypeError(f"DynamoDB cannot store a {type(value).__name__}")


def decode(item: dict[str, Any] | None) -> dict[str, Any] | None:
    """The plain values of an item; None if there is none."""
    if not item:
        return None
    return {key: _plain(value) for key, value in item.items()}


def _plain(typed: dict[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    match kind:
        case "N":
            return int(value) if value.lstrip("-").isdigit() else _number(value)
        case "NULL":
            return None
        case "M":
            return {key: _plain(inner) for key, inner in value.items()}
        case "L":
            return [_plain(inner) for inner in value]
        case "B":  # `DirectDynamoDB` returns base64
            return b64decode(value) if isinstance(value, str) else value
        case _:
            return value


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number
