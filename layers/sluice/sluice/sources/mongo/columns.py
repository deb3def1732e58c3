"""The columns that documents become, and the types that hold their values: BSON says the types itself.

The members of an embedded document are columns, `address.city` as `address_city`, as in all records of JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from bson.binary import Binary
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId

from sluice.domain.page_columns import PageColumn
from sluice.domain.schema import common_type
from sluice.formats.extended_json import MAX_DIGITS, TIMESTAMPS
from sluice.sources.mongo.documents import decimal_text, has_odd_doubles

Kinds = dict[str, set[type]]

# BSON's name of each type, and the column type that holds its values; the others stay Extended JSON.
_TYPES: dict[type, tuple[str, str]] = {
    str: ("string", "string"),
    int: ("int", "bigint"),
    Int64: ("long", "bigint"),
    float: ("double", "double"),
    bool: ("bool", "boolean"),
    ObjectId: ("objectId", "string"),
    bytes: ("binData", "string"),
    Binary: ("binData", "string"),
    DatetimeMS: ("date", "timestamp"),
    Decimal128: ("decimal", "decimal(38,0)"),
    list: ("array", "json"),
    dict: ("object", "json"),  # an empty one, which has no members
}
_EXACT = 2**53
# The types whose values say more than their type does.
_LOOKED_AT = frozenset({dict, list, float, DatetimeMS, Decimal128, Int64})


class ColumnTally:
    """Notes which values the columns of a page have."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}
        self._types: dict[str, set[str]] = {}
        self._wide: set[str] = set()

    def add(self, documents: Iterable[dict[str, Any]], prefix: str = "") -> bool:
        """Take documents into account; returns whether they may have doubles that are not finite."""
        documents = list(documents)
        seen: set[tuple[str, type]] = set()
        for document in documents:
            seen.update(zip(document, map(type, document.values()), strict=True))
        odd = False
        for key, kind in seen:
            name = prefix + key
            if kind is type(None):
                continue
            values = (
                [document[key] for document in documents if type(document.get(key)) is kind]
                if kind in _LOOKED_AT
                else []
            )
            if kind is dict:
                odd = self.add(values, f"{name}_") or odd
                if not all(values):
                    self._note(name, *_TYPES[dict])
                continue
            if kind is float or kind is list:
                odd = odd or has_odd_doubles(values)
            self._add_values(name, kind, values)
        return odd

    def _add_values(self, name: str, kind: type, values: list[Any]) -> None:
        server_type, column_type = _TYPES.get(kind, (kind.__name__.lower(), "json"))
        if kind is DatetimeMS:
            times = list(map(int, values))
            column_type = "timestamp" if min(times) in TIMESTAMPS and max(times) in TIMESTAMPS else "string"
        elif kind is Decimal128:
            column_type = _decimal_type(set(map(decimal_text, values)))
        elif kind is Int64 and max(map(abs, values)) > _EXACT:
            self._wide.add(name)
        self._note(name, server_type, column_type)

    def _note(self, name: str, server_type: str, column_type: str) -> None:
        self._names.setdefault(name, set()).add(server_type)
        self._types.setdefault(name, set()).add(column_type)

    def columns(self) -> dict[str, PageColumn]:
        """The columns that had values, in the order of their names."""
        return {
            name: PageColumn(
                server_type=" | ".join(sorted(names)), type=self._type(name, len(names)), wide=name in self._wide
            )
            for name, names in sorted(self._names.items())
        }

    def _type(self, name: str, kinds: int) -> str:
        types = self._types[name]
        kind = common_type(sorted(types))
        loses = kind == "string" and types != {"string"} and kinds > 1
        return "json" if loses or (kind == "double" and name in self._wide) else kind


def _decimal_type(texts: Iterable[str]) -> str:
    """The decimal that holds all of these; text where there is none."""
    whole = scale = 0
    for text in texts:
        if text.lstrip("-").replace(".", "", 1).isdigit():
            before, _, behind = text.lstrip("-").partition(".")
            whole, scale = max(whole, len(before)), max(scale, len(behind))
            continue
        number = Decimal(text)
        if not number.is_finite():
            return "string"
        exponent = number.as_tuple().exponent
        assert isinstance(exponent, int), "finite"
        whole, scale = max(whole, number.adjusted() + 1, 1), max(scale, -exponent)
    return f"decimal({whole + scale},{scale})" if whole + scale <= MAX_DIGITS else "string"
