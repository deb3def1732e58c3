"""The order of `_id`: what comes behind a value, whatever the types of others are.

MongoDB sorts values of all types in one order, but `$gt` finds values of its own type only. So what comes
behind is what is greater, or of a type that is sorted behind this one. Both can be read from the index of `_id`.
"""

from __future__ import annotations

import math
from typing import Any

from bson.binary import Binary
from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

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
    (dict, "object"),
    (list, "array"),
    (ObjectId, "objectId"),
    (DatetimeMS, "date"),
    (Timestamp, "timestamp"),
    (Regex, "regex"),
    (MinKey, "minKey"),
    (MaxKey, "maxKey"),
)
# Values of these are not told apart by `$gt`, and there can be one of each.
_SINGLE = ("minKey", "null", "maxKey")


def after(last: Any) -> dict[str, Any]:
    """The filter for documents whose `_id` comes behind a value in the order of the server."""
    kind = next((name for classes, name in _CLASSES if isinstance(last, classes)), "null")
    place = next(index for index, group in enumerate(_GROUPS) if kind in group)
    later = [name for group in _GROUPS[place + 1 :] for name in group]
    alternatives: list[dict[str, Any]] = []
    if _is_nan(last):
        alternatives.append({"_id": {"$gte": -math.inf}})  # NaN comes before all numbers, and `$gt` finds none
    elif kind not in _SINGLE:
        alternatives.append({"_id": {"$gt": last}})
    if later:
        alternatives.append({"_id": {"$type": later}})
    return {"$or": alternatives} if alternatives else {"_id": {"$in": []}}


def _is_nan(value: Any) -> bool:
    if isinstance(value, Decimal128):
        return bool(value.to_decimal().is_nan())
    return isinstance(value, float) and math.isnan(value)
