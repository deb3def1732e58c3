"""The order in which MongoDB sorts values of all types, and the part of its query language that tests use.

Written from the documentation of MongoDB's comparison order and query operators.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from bson.binary import Binary
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

_RANKS: tuple[tuple[Any, int], ...] = (
    (MinKey, 0),
    (type(None), 1),
    (bool, 8),  # before int
    ((int, float, Decimal128), 2),
    (Binary, 6),
    (str, 3),
    (dict, 4),
    (list, 5),
    (bytes, 6),
    (ObjectId, 7),
    ((datetime, DatetimeMS), 9),
    (Timestamp, 10),
    (Regex, 11),
    (MaxKey, 13),
)
_NAMES = {
    "minKey": 0, "null": 1, "undefined": 1, "double": 2, "int": 2, "long": 2, "decimal": 2, "number": 2, "string": 3,
    "symbol": 3, "object": 4, "array": 5, "binData": 6, "objectId": 7, "bool": 8, "date": 9, "timestamp": 10,
    "regex": 11, "dbPointer": 12, "javascript": 12, "javascriptWithScope": 12, "maxKey": 13,
}  # fmt: skip


class QueryError(Exception):
    """The query is not one that the server knows."""


def rank(value: Any) -> int:
    """The place of a value's type in the order."""
    return next(place for classes, place in _RANKS if isinstance(value, classes))


def order(value: Any) -> tuple[Any, ...]:
    """A key that sorts as the server sorts values."""
    place = rank(value)
    if place == 2:
        number: Any = value.to_decimal() if isinstance(value, Decimal128) else value
        return (place, 0, Decimal(0)) if number != number else (place, 1, number)
    if place == 3:
        return (place, value.encode())
    if place == 4:
        return (place, *((rank(inner), key.encode(), order(inner)) for key, inner in value.items()))
    if place == 5:
        return (place, *map(order, value))
    if place == 6:
        return (place, len(value), value.subtype if isinstance(value, Binary) else 0, bytes(value))
    if place == 9:
        return (place, int(value) if isinstance(value, DatetimeMS) else int(DatetimeMS(value)))
    if place == 10:
        return (place, value.time, value.inc)
    return (place, value.binary if isinstance(value, ObjectId) else int(value is True))


def matches(query: dict[str, Any], document: dict[str, Any]) -> bool:
    """Whether a document is what a query asks for.

    Raises:
        QueryError: the query has an operator that is not known.
    """
    for key, wanted in query.items():
        if key in ("$and", "$or"):
            found = [matches(part, document) for part in wanted]
            if not (all(found) if key == "$and" else any(found)):
                return False
        elif key.startswith("$"):
            raise QueryError(f"unknown top level operator: {key}")
        elif not _field_matches(wanted, *_value(document, key)):
            return False
    return True


def _value(document: Any, path: str) -> tuple[bool, Any]:
    for key in path.split("."):
        if not isinstance(document, dict) or key not in document:
            return False, None
        document = document[key]
    return True, document


def _field_matches(wanted: Any, present: bool, value: Any) -> bool:
    if not (isinstance(wanted, dict) and any(key.startswith("$") for key in wanted)):
        wanted = {"$eq": wanted}
    return all(_operator(name, operand, present, value) for name, operand in wanted.items())


def _operator(name: str, operand: Any, present: bool, value: Any) -> bool:
    match name:
        case "$eq":
            return order(value) == order(operand)
        case "$ne":
            return order(value) != order(operand)
        case "$in":
            return any(order(value) == order(one) for one in operand)
        case "$exists":
            return present == bool(operand)
        case "$type":
            kinds = operand if isinstance(operand, list) else [operand]
            return present and rank(value) in {_NAMES[kind] for kind in kinds}
        case "$gt" | "$gte" | "$lt" | "$lte":
            return present and _compares(name, value, operand)
        case _:
            raise QueryError(f"unknown operator: {name}")


def _compares(name: str, value: Any, operand: Any) -> bool:
    """A comparison, which finds values of the operand's own type only, and of NaN nothing but itself."""
    if rank(value) != rank(operand):
        return False
    here, there = order(value), order(operand)
    if (2, 0, Decimal(0)) in (here, there):
        return here == there and name in ("$gte", "$lte")
    return {"$gt": here > there, "$gte": here >= there, "$lt": here < there, "$lte": here <= there}[name]
