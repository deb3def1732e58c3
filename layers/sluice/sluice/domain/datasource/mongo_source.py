"""How MongoDB is queried: the secret with the URI, the collection, and a filter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Self
from urllib.parse import unquote

import orjson
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sluice.domain.base import Document
from sluice.domain.datasource.sql_source import Certificate
from sluice.domain.json_text import depth
from sluice.domain.names import SecretName

PORT = 27017
# `#`, and `?` before `@`, are refused: parsers differ in whether the host ends there.
_URI = re.compile(r"mongodb(?:\+srv)?://(?:[^/?#]*@)?(?P<hosts>[^/?#@]+)(?:/.*|\?[^@]*)?", re.DOTALL)
_HOST = re.compile(r"(\[[^\[\]]+\]|[^:\[\]]+)(?::(\d{1,5}))?")
_MOST_BYTES = 100_000
_DEEPEST = 50
# Operators and types with JavaScript, which would run on the server.
_JAVASCRIPT = frozenset({"$where", "$function", "$accumulator", "$code", "$scope"})
_INTEGERS = range(-(2**63), 2**63)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)")


def _is_whole_number(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value) is not None and int(value) in _INTEGERS


def _is_date(value: Any) -> bool:
    if isinstance(value, dict):
        return list(value) == ["$numberLong"] and _is_whole_number(value["$numberLong"])
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def _is_binary(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"base64", "subType"} and all(map(_is_text, value.values()))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _matches(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


# How the values of Extended JSON that occur in filters must look.
_VALUES: dict[str, Callable[[Any], bool]] = {
    "$oid": _matches(r"[0-9a-fA-F]{24}"),
    "$date": _is_date,
    "$numberInt": _is_whole_number,
    "$numberLong": _is_whole_number,
    "$numberDouble": _matches(r"-?Infinity|NaN|-?\d+(\.\d*)?([eE][+-]?\d+)?"),
    "$numberDecimal": _matches(r"[+-]?(Infinity|NaN|\d+(\.\d*)?([eE][+-]?\d+)?)"),
    "$uuid": _matches(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "$binary": _is_binary,
}


def _check_query(query: dict[str, Any]) -> dict[str, Any]:
    """Check a filter or projection before it is sent to the server.

    Raises:
        ValueError: it is too large or nested too deeply, runs JavaScript, or has a value that is not Extended JSON.
    """
    if depth(query) > _DEEPEST:
        raise ValueError(f"it is nested more than {_DEEPEST} levels deep")
    try:
        size = len(orjson.dumps(query))
    except TypeError:
        raise ValueError("it has an integer of more than 64 bits") from None
    if size > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES} bytes of JSON")
    for key, value in _members(query):
        if key in _JAVASCRIPT:
            raise ValueError(f"{key} runs JavaScript on the server, which is not allowed; use $expr")
        if key in _VALUES and not _VALUES[key](value):
            raise ValueError(f"the value of {key} is not Extended JSON")
        if "\0" in key:
            raise ValueError("a key has a zero byte")
    return query


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """The keys and values of all objects within a value."""
    if isinstance(value, dict):
        yield from value.items()
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _members(inner)


DatabaseName = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r'^[^\x00-\x20/\\."$*<>:|?]+$')]
CollectionName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00$]+$")]
Query = Annotated[dict[str, Any], AfterValidator(_check_query)]


class MongoSource(Document):
    """How MongoDB is queried: the documents of one collection that match a filter, in the order of `_id`."""

    uri: SecretName = Field(
        description="The name of the secret that holds the URI, `mongodb://…` or `mongodb+srv://…`."
    )
    database: DatabaseName
    collection: CollectionName
    filter: Query = Field(
        default_factory=dict, description="Which documents to read: a MongoDB query as Extended JSON."
    )
    projection: Query | None = Field(
        None,
        description="Which fields to read; null: all. `_id` is excluded unless the projection includes it with `1`.",
    )
    ca_certificate: Certificate | None = Field(
        None,
        description="The trusted certificate authorities as PEM; null: the public ones.",
    )
    page_documents: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        10_000, description="The most documents of a raw page."
    )
    max_time_seconds: Annotated[int, Field(ge=1, le=840)] = Field(
        600,
        description="The most seconds that the server may work for one cursor; each call of the run opens a new one.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.collection.startswith(".") or self.collection.endswith(".") or ".." in self.collection:
            raise ValueError("a collection name must not begin or end with a dot, or have two dots in a row")
        for key, value in (self.projection or {}).items():
            if key.startswith("_id.") or (key == "_id" and value not in (0, 1)):
                raise ValueError("_id in the projection must be 1 or 0")
        return self

    @property
    def keeps_id(self) -> bool:
        """Whether the records have an `_id`."""
        return bool((self.projection or {}).get("_id"))


def hosts_of(uri: str) -> list[tuple[str, int]]:
    """The hosts in a MongoDB URI, in lower case, with their ports; empty if the text is not such a URI.

    The password may contain any character, so general parsers of URLs do not fit: they raise errors that quote it.
    """
    match = _URI.fullmatch(uri.strip())
    if match is None:
        return []
    hosts = []
    for text in match["hosts"].split(","):
        host = _HOST.fullmatch(unquote(text))
        if host is None:
            return []
        hosts.append((host[1].strip("[]").lower(), int(host[2] or PORT)))
    return hosts
