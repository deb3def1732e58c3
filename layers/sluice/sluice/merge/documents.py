"""Merges of whole documents: side by side, or folded into one. Inputs are never changed."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from typing import Any

from sluice.domain.json_text import WHOLE, keeps_digits, number_text

_EXACT = 2**53


def concatenation(documents: list[Any]) -> dict[str, Any]:
    """The documents side by side: `{"0": first, "1": second, …}`, nulls included."""
    return {str(position): document for position, document in enumerate(documents)}


def recursive(documents: list[Any]) -> Any:
    """The documents folded into one, the best ranked first; null without any.

    Null is ignored and equal values are kept once. Objects become one with the keys of both,
    lists one with the elements of both in the order first seen. What cannot become one becomes
    a list of both; to a list, anything else is appended unless it is there.
    """
    merged: Any = None
    for document in documents:
        merged = _folded(merged, document)
    return merged


def _folded(first: Any, second: Any) -> Any:
    if second is None:
        return first
    if first is None or identity(first) == identity(second):
        return second if first is None else first
    if isinstance(first, dict) and isinstance(second, dict):
        return {key: _folded(first.get(key), second.get(key)) for key in {**first, **second}}
    return distinct(_elements(first) + _elements(second))


def _elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def distinct(values: list[Any]) -> list[Any]:
    """Each value once, where it was first seen."""
    seen: dict[Hashable, Any] = {}
    for value in values:
        seen.setdefault(identity(value), value)
    return list(seen.values())


def identity(value: Any) -> Hashable:
    """What two values have in common exactly if they are equal: 1 is 1.0, and neither is true."""
    match value:
        case bool() | None:
            return (type(value).__name__, value)
        case int() | float() | Decimal():
            return ("number", _comparable(value))
        case dict():
            return ("object", frozenset((key, identity(inner)) for key, inner in value.items()))
        case list():
            return ("list", tuple(identity(inner) for inner in value))
        case _:
            return ("text", value)


def _comparable(number: int | float | Decimal) -> int | float | Decimal:
    """What numbers of the same value have in common; a double stands for what its shortest text says."""
    if isinstance(number, Decimal) or abs(number) >= WHOLE:
        exact = Decimal(number) if not isinstance(number, float) else Decimal(repr(number))
        if not keeps_digits(exact):
            return exact
        number = float(exact)
    if isinstance(number, float) and _EXACT <= abs(number) < WHOLE:
        return int(number_text(number))
    return number


def size(document: Any) -> int:
    """How many elements a document has: of a list or object its own, of null none, else one."""
    if isinstance(document, list | dict):
        return len(document)
    return 0 if document is None else 1
