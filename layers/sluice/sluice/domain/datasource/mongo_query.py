"""Filters and projections of MongoDB: what is checked when a datasource is written.

The function `api` does not have MongoDB's driver, so the values of Extended JSON are checked here by its specification.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, DecimalException, Inexact, InvalidOperation, Overflow
from typing import Any

import orjson

from sluice.domain.json_text import depth

_MOST_BYTES = 100_000
_DEEPEST = 50
# Operators and types with JavaScript, which would run on the server.
_JAVASCRIPT = frozenset({"$where", "$function", "$accumulator", "$code", "$scope"})
_DEPRECATED = frozenset({"$symbol", "$undefined", "$dbPointer"})
_INTEGERS = range(-(2**63), 2**63)
_UNSIGNED = range(2**32)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})")
_DECIMAL_128 = Context(
    prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, clamp=1, traps=[Inexact, InvalidOperation, Overflow]
)


def check_query(query: dict[str, Any]) -> dict[str, Any]:
    """Check a filter or projection before it is sent to the server.

    Returns:
        The query, unchanged.

    Raises:
        ValueError: it is too large or nested too deeply, runs JavaScript, is a value instead of a document, or has a
            value that is not Extended JSON.
    """
    if depth(query) > _DEEPEST:
        raise ValueError(f"it is nested more than {_DEEPEST} levels deep")
    wrapper = next((key for key in query if key in _WRAPPERS), None)
    if wrapper is not None:
        raise ValueError(f"it must be a document, not a value of {wrapper}")
    _check_values(query)
    try:
        size = len(orjson.dumps(query))
    except TypeError:
        raise ValueError("it has text that is not Unicode") from None
    if size > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES} bytes of JSON")
    return query


def _check_values(query: dict[str, Any]) -> None:
    for value in _values(query):
        if type(value) is int and value not in _INTEGERS:
            raise ValueError("it has an integer of more than 64 bits")
        if not isinstance(value, dict):
            continue
        for key in value:
            if key in _JAVASCRIPT:
                raise ValueError(f"{key} runs JavaScript on the server, which is not allowed; use $expr")
            if key in _DEPRECATED:
                raise ValueError(f"{key} is a deprecated type, which is not supported")
            if "\0" in key:
                raise ValueError("a key has a zero byte")
        for key in value.keys() & _WRAPPERS:
            if not _WRAPPERS[key](value):
                raise ValueError(f"the value of {key} is not Extended JSON")


def _values(value: Any) -> Iterator[Any]:
    """A value and all values within it."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _values(inner)


def _single(key: str, is_valid: Callable[[Any], bool]) -> Callable[[dict[str, Any]], bool]:
    """Accept objects with this key only."""
    return lambda wrapper: len(wrapper) == 1 and is_valid(wrapper[key])


def _matches(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_whole_number(value: Any) -> bool:
    return _matches(r"-?[0-9]{1,19}")(value) and int(value) in _INTEGERS


def _is_date(value: Any) -> bool:
    if isinstance(value, dict):
        return list(value) == ["$numberLong"] and _is_whole_number(value["$numberLong"])
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def _is_decimal(value: Any) -> bool:
    if not _matches(r"[+-]?(Infinity|NaN|[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?)")(value):
        return False
    try:
        _DECIMAL_128.create_decimal(value)
    except DecimalException:
        return False
    return True


def _is_binary(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"base64", "subType"}:
        return False
    try:
        b64decode(value["base64"], validate=True)
    except (TypeError, ValueError):
        return False
    return isinstance(value["base64"], str) and _matches(r"[0-9a-fA-F]{1,2}")(value["subType"])


def _is_timestamp(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"t", "i"}
        and all(type(part) is int and part in _UNSIGNED for part in value.values())
    )


def _is_text(value: Any) -> bool:
    """Whether it is text that BSON can hold in a regular expression."""
    return isinstance(value, str) and "\0" not in value


def _is_regular_expression(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"pattern", "options"} and all(map(_is_text, value.values()))


def _is_regex_operator(operators: dict[str, Any]) -> bool:
    pattern = operators["$regex"]
    return (_is_text(pattern) or isinstance(pattern, dict)) and _is_text(operators.get("$options", ""))


def _is_reference(value: dict[str, Any]) -> bool:
    return value.keys() - {"$ref", "$db"} == {"$id"} and _is_text(value["$ref"]) and _is_text(value.get("$db", ""))


def _is_one(value: Any) -> bool:
    return type(value) is int and value == 1


# The objects of Extended JSON that stand for a value, by the key that tells them.
_WRAPPERS: dict[str, Callable[[dict[str, Any]], bool]] = {
    key: _single(key, is_valid)
    for key, is_valid in {
        "$oid": _matches(r"[0-9a-fA-F]{24}"),
        "$date": _is_date,
        "$numberInt": _is_whole_number,
        "$numberLong": _is_whole_number,
        "$numberDouble": _matches(r"-?Infinity|NaN|-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?"),
        "$numberDecimal": _is_decimal,
        "$uuid": _matches(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
        "$binary": _is_binary,
        "$timestamp": _is_timestamp,
        "$regularExpression": _is_regular_expression,
        "$minKey": _is_one,
        "$maxKey": _is_one,
    }.items()
} | {"$regex": _is_regex_operator, "$ref": _is_reference}
