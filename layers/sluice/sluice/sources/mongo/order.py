"""The order of `_id`: what comes behind a value, and how two values compare, whatever their types are.

MongoDB sorts values of all types in one order, but `$gt` finds values of its own type only. So what comes
behind is what is greater, or of a type that is sorted behind this one. Both can be read from the index of `_id`.
"""

from __future__ import annotations

import math
from typing import Any

from bson.binary import Binary
from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.dbref import DBRef
from bson.decimal128 import Decimal128
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

from sluice.sources.mongo.documents import text_of

# The types in the server's order, by the names that `$type` knows; those of a group are compared with each other.
_GROUPS: tuple[tuple[str, ...], ...] = (
    ("minKey",),
    ("undefined", "null"),
    ("double", "int", "long", "decimal"),
    ("symbol", "string"),
    ("object",),
    ("array",),
    ("binData",),
    ("objectId",),
    ("bool",),
    ("date",),
    ("timestamp",),
    ("regex",),
    ("dbPointer", "javascript", "javascriptWithScope"),
    ("maxKey",),
)
_CLASSES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "bool"),  # before int, of which it is a subclass
    (Code, "javascript"),  # before str, likewise
    ((Binary, bytes), "binData"),
    ((int, float, Decimal128), "double"),
    (str, "string"),
    ((dict, DBRef), "object"),
    (list, "array"),
    (ObjectId, "objectId"),
    (DatetimeMS, "date"),
    (Timestamp, "timestamp"),
    (Regex, "regex"),
    (MinKey, "minKey"),
    (MaxKey, "maxKey"),
)
_PLACES = {name: place for place, group in enumerate(_GROUPS) for name in group}
# Values of these are not told apart by `$gt`, and there can be one of each.
_SINGLE = ("minKey", "null", "maxKey")


def after(last: Any) -> dict[str, Any]:
    """The filter for documents whose `_id` comes behind a value in the order of the server."""
    kind = _kind(last)
    place = _PLACES[kind]
    later = [name for group in _GROUPS[place + 1 :] for name in group]
    alternatives: list[dict[str, Any]] = []
    if _is_nan(last):
        alternatives.append({"_id": {"$gte": -math.inf}})  # NaN comes before all numbers, and `$gt` finds none
    elif kind not in _SINGLE:
        alternatives.append({"_id": {"$gt": last}})
    if later:
        alternatives.append({"_id": {"$type": later}})
    return {"$or": alternatives} if alternatives else {"_id": {"$in": []}}


def sort_key(value: Any) -> tuple[Any, ...]:
    """A key that sorts as the server sorts values without a collation; keys of equal values are equal."""
    kind = _kind(value)
    place = _PLACES[kind]
    if kind == "double":
        number = value.to_decimal() if isinstance(value, Decimal128) else value
        return (place, 0, 0) if _is_nan(value) else (place, 1, number)
    if kind == "object":
        members = (value.as_doc() if isinstance(value, DBRef) else value).items()
        keys = [(key, sort_key(inner)) for key, inner in members]
        return (place, *((key[0], name, key) for name, key in keys))
    return (place, *_within(kind, value))


def _within(kind: str, value: Any) -> tuple[Any, ...]:
    """What tells values of one type apart."""
    if kind == "array":
        return tuple(map(sort_key, value))
    if kind == "binData":
        return (len(value), value.subtype if isinstance(value, Binary) else 0, bytes(value))
    if kind == "objectId":
        return (value.binary,)
    if kind == "date":
        return (int(value),)
    if kind == "timestamp":
        return (value.time, value.inc)
    if kind in ("string", "bool"):
        return (value,)
    return () if kind in _SINGLE else (text_of(value),)


def is_order_certain(first: Any, second: Any) -> bool:
    """Whether the server's order of two values must be that of their keys.

    A collation sorts text by rules of its own, arrays are sorted by one of their elements, and regular expressions
    and code are not compared here.
    """
    return not (_has(first, ("string",)) and _has(second, ("string",))) and not any(
        _has(value, ("array", "regex", "javascript")) for value in (first, second)
    )


def _has(value: Any, kinds: tuple[str, ...]) -> bool:
    inner = value.as_doc().values() if isinstance(value, DBRef) else value.values() if isinstance(value, dict) else ()
    return _kind(value) in kinds or any(_has(member, kinds) for member in inner)


def _kind(value: Any) -> str:
    return next((name for classes, name in _CLASSES if isinstance(value, classes)), "null")


def _is_nan(value: Any) -> bool:
    if isinstance(value, Decimal128):
        return bool(value.to_decimal().is_nan())
    return isinstance(value, float) and math.isnan(value)
