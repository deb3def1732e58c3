"""Documents as lines of Extended JSON, from which each comes back with the types that it had.

A JSON number without a point is an integer of 32 bits, one with a point or an exponent a double; every other
type is written in its canonical form, such as `{"$numberLong": "7"}`. So a page is Extended JSON (version 2),
and nothing of a document is lost.
"""

from __future__ import annotations

import math
import struct
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any

import bson
import orjson
from bson.binary import Binary
from bson.code import Code
from bson.codec_options import DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.dbref import DBRef
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.json_util import JSONMode, JSONOptions, loads
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

from sluice.errors import UnreadableData

Documents = Sequence[dict[str, Any]]

_OPTIONS = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_APPEND_NEWLINE
_READING = JSONOptions(json_mode=JSONMode.CANONICAL, datetime_conversion=DatetimeConversion.DATETIME_MS)
_HALVES = struct.Struct("<QQ").unpack
_FLAGS = {"i": 2, "l": 4, "m": 8, "s": 16, "u": 32, "x": 64}  # those of `re`, in the order of the alphabet


def lines_of(documents: Documents, *, odd: bool = True) -> bytes:
    """Documents as JSON Lines.

    Args:
        odd: whether there may be doubles that are not finite.

    Raises:
        UnreadableData: one is nested too deeply.
    """
    if odd:  # JSON has no number for these, and orjson would write null
        documents = [_with_odd_doubles(document) for document in documents]
    try:
        return b"".join(map(orjson.dumps, documents, repeat(_canonical), repeat(_OPTIONS)))
    except TypeError as error:  # orjson's own limit of nesting, 254 levels; MongoDB's is 100
        raise UnreadableData(f"A document cannot be written as Extended JSON: {error}.") from None


def text_of(value: Any) -> str:
    """One value as Extended JSON."""
    return lines_of([{"value": value}]).decode().strip()


def value_of(text: str) -> Any:
    """The value that `text_of` was given."""
    return loads(text, json_options=_READING)["value"]


def query_of(document: dict[str, Any]) -> dict[str, Any]:
    """A query that is written as Extended JSON, with the types that it names.

    Raises:
        UnreadableData: it is no document of Extended JSON, or BSON has no form for it.
    """
    try:
        query: Any = loads(orjson.dumps(document), json_options=_READING)
        bson.encode(query)
    except Exception as error:  # whatever a converter of one of the types raises
        raise UnreadableData(f"The filter or projection is not Extended JSON: {error}.") from None
    return dict(query)


def has_odd_doubles(values: Iterable[Any]) -> bool:
    """Whether among values, at any depth, is a double that is not finite; at times also where there is none."""
    level = list(values)
    while level:
        # A sum of finite numbers may overflow: then the slower way finds out.
        if not math.isfinite(sum([value for value in level if type(value) is float])):
            return True
        containers = [value for value in level if type(value) is dict or type(value) is list]
        level = [inner for value in containers for inner in (value.values() if type(value) is dict else value)]
    return False


def decimal_text(value: Decimal128) -> str:
    """A decimal as `str` writes it, which takes three times as long."""
    low, high = _HALVES(value.bid)
    exponent = (high >> 49 & 0x3FFF) - 6176
    digits = str((high & 0x1FFFFFFFFFFFF) << 64 | low)
    # Other forms of the bits; and what is written with an exponent.
    if high >> 61 & 3 == 3 or exponent > 0 or len(digits) + exponent < -5 or len(digits) > 34:
        return str(value)
    sign = "-" if high >> 63 else ""
    if not exponent:
        return sign + digits
    digits = digits.zfill(1 - exponent)
    return f"{sign}{digits[:exponent]}.{digits[exponent:]}"


def _with_odd_doubles(value: Any) -> Any:
    if type(value) is float and not math.isfinite(value):
        return {"$numberDouble": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    if type(value) is dict:
        return {key: _with_odd_doubles(inner) for key, inner in value.items()}
    return [_with_odd_doubles(inner) for inner in value] if type(value) is list else value


def _canonical(value: Any) -> dict[str, Any]:
    """The canonical form of a value that is no string, number, boolean, null, list or document."""
    form = _FORMS.get(type(value))
    if form is None:
        raise TypeError(f"there is no form for {type(value).__name__}")
    return form(value)


def _binary(value: bytes) -> dict[str, Any]:
    subtype = value.subtype if isinstance(value, Binary) else 0
    return {"$binary": {"base64": b64encode(value).decode(), "subType": f"{subtype:02x}"}}


def _regex(value: Regex[Any]) -> dict[str, Any]:
    options = "".join(letter for letter, flag in _FLAGS.items() if value.flags & flag)
    pattern = value.pattern.decode() if isinstance(value.pattern, bytes) else value.pattern
    return {"$regularExpression": {"pattern": pattern, "options": options}}


def _code(value: Code) -> dict[str, Any]:
    # `str()` of a subclass that orjson is told to pass on.
    scope = {} if value.scope is None else {"$scope": value.scope}
    return {"$code": str.__str__(value), **scope}


_FORMS: dict[type, Callable[[Any], dict[str, Any]]] = {
    Int64: lambda value: {"$numberLong": str(int(value))},
    ObjectId: lambda value: {"$oid": str(value)},
    DatetimeMS: lambda value: {"$date": {"$numberLong": str(int(value))}},
    Decimal128: lambda value: {"$numberDecimal": decimal_text(value)},
    bytes: _binary,
    Binary: _binary,
    Timestamp: lambda value: {"$timestamp": {"t": value.time, "i": value.inc}},
    Regex: _regex,
    Code: _code,
    DBRef: lambda value: dict(value.as_doc()),
    MinKey: lambda _: {"$minKey": 1},
    MaxKey: lambda _: {"$maxKey": 1},
}
