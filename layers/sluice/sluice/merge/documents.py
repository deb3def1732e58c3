"""Merges of whole documents: side by side, or recursively into one. The functions do not change their inputs."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from typing import Any

from sluice.domain.json_text import WHOLE, keeps_digits, number_text

# Beyond 2⁵³ a double cannot hold every whole number.
_EXACT = 2**53


def concatenate(documents: list[Any]) -> dict[str, Any]:
    """Return the documents side by side: `{"0": first, "1": second, …}`, nulls included."""
    return {str(position): document for position, document in enumerate(documents)}


def merge_recursively(documents: list[Any]) -> Any:
    """Merge documents, the best ranked first, into one; None if there are none.

    Nulls are ignored and equal values are kept once. Two objects become an object with the keys of both, two
    lists a list of the distinct elements of both in order. Two other values become a list of both; a value
    that meets a list is appended to it unless the list has it.
    """
    merged: Any = None
    for document in documents:
        merged = _merge_two(merged, document)
    return merged


def _merge_two(first: Any, second: Any) -> Any:
    if second is None:
        return first
    if first is None or identity(first) == identity(second):
        return second if first is None else first
    if isinstance(first, dict) and isinstance(second, dict):
        return {key: _merge_two(first.get(key), second.get(key)) for key in {**first, **second}}
    return distinct(_elements(first) + _elements(second))


def _elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def distinct(values: list[Any]) -> list[Any]:
    """Return each value once, in the order of first occurrence; values are compared by `identity`."""
    seen: dict[Hashable, Any] = {}
    for value in values:
        seen.setdefault(identity(value), value)
    return list(seen.values())


def identity(value: Any) -> Hashable:
    """Return a hashable key that two JSON values share if and only if they are equal.

    1 equals 1.0, and neither equals true. The order of an object's keys does not count.
    """
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
    """Return a key that numbers of the same value share; a double has the value of its shortest decimal text."""
    if isinstance(number, Decimal) or abs(number) >= WHOLE:
        exact = Decimal(number) if not isinstance(number, float) else Decimal(repr(number))
        if not keeps_digits(exact):
            return exact
        number = float(exact)
    if isinstance(number, float) and _EXACT <= abs(number) < WHOLE:
        return int(number_text(number))
    return number


def size(document: Any) -> int:
    """Return the number of elements of a list or object; 0 for null, 1 for any other value."""
    if isinstance(document, list | dict):
        return len(document)
    return 0 if document is None else 1
