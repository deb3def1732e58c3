"""The document of a MongoDB source: what is refused when it is written."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sluice.domain.datasource.mongo_source import MongoSource, hosts_of
from sluice.sources.mongo.documents import query_of

SOURCE: dict[str, Any] = {"uri": "shop-uri", "database": "shop", "collection": "orders"}


def nested(levels: int) -> Any:
    return {"a": nested(levels - 1)} if levels else 1


@pytest.mark.parametrize(
    "filter_",
    [
        {},
        {"a": {"$gt": 1}, "$or": [{"b": None}, {"c": {"$in": [1, "x", 2.5]}}]},
        {"_id": {"$oid": "5f0000000000000000000001"}},
        {"at": {"$gte": {"$date": "2026-01-31T00:00:00Z"}}},
        {"at": {"$lt": {"$date": {"$numberLong": "-1"}}}},
        {"n": {"$numberDecimal": "1.50"}, "m": {"$numberLong": "9223372036854775807"}},
        {"$expr": {"$gt": ["$a", "$b"]}},
        {"name": {"$regex": "^a", "$options": "i"}},
        {"name": {"$regularExpression": {"pattern": "^a", "options": "i"}}, "of": {"$ref": "shops", "$id": 1}},
        {"a": {"$lt": {"$maxKey": 1}}, "b": {"$timestamp": {"t": 4294967295, "i": 0}}},
    ],
)
def test_filters_of_mongodb_are_accepted(filter_: dict[str, Any]) -> None:
    assert MongoSource.model_validate(SOURCE | {"filter": filter_}).filter == filter_


_WRAPPED = {
    "$oid": st.from_regex(r"[0-9a-f]{24}", fullmatch=True),
    "$date": st.datetimes().map(lambda time: time.isoformat() + "Z")
    | st.integers(-(2**63), 2**63 - 1).map(lambda number: {"$numberLong": str(number)}),
    "$numberInt": st.integers(-(2**63), 2**63 - 1).map(str),
    "$numberLong": st.integers(-(2**63), 2**63 - 1).map(str),
    "$numberDouble": st.floats().map(str) | st.just("1e999"),
    "$numberDecimal": st.decimals().map(str) | st.from_regex(r"[0-9]{1,40}(e[+-]?[0-9]{1,5})?", fullmatch=True),
    "$uuid": st.uuids().map(str),
    "$binary": st.fixed_dictionaries({"base64": st.sampled_from(["", "YQ==", "YWI="]), "subType": st.just("4")}),
    "$timestamp": st.fixed_dictionaries({"t": st.integers(-1, 2**32), "i": st.integers(-1, 2**32)}),
    "$regularExpression": st.fixed_dictionaries({"pattern": st.text(max_size=4), "options": st.sampled_from("imsx")}),
    "$regex": st.text(max_size=4) | st.none(),
    "$ref": st.text(max_size=4),
    "$minKey": st.sampled_from([1, 0, True]),
}
_QUERIES = st.dictionaries(
    st.text(max_size=3) | st.sampled_from(["$ref", "$id", "$db", "$options", "$oid", "$in", "id"]),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(allow_nan=False) | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.text(max_size=2), inner, max_size=2)
            | st.one_of([st.fixed_dictionaries({key: value}) for key, value in _WRAPPED.items()])
            | st.fixed_dictionaries({"$ref": inner, "$id": inner}, optional={"$db": inner})
        ),
        max_leaves=6,
    ),
    max_size=3,
)


@given(_QUERIES)
def test_a_query_that_is_taken_has_a_form_in_bson(query: dict[str, Any]) -> None:
    try:
        taken = MongoSource.model_validate(SOURCE | {"filter": query}).filter
    except ValidationError:
        return
    bson.encode(query_of(taken))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"filter": {"$where": "sleep(1000)"}}, "JavaScript"),
        ({"filter": {"$and": [{"a": 1}, {"$or": [{"$where": "1"}]}]}}, "JavaScript"),
        ({"filter": {"$expr": {"$function": {"body": "f", "args": [], "lang": "js"}}}}, "JavaScript"),
        ({"filter": {"a": {"$code": "1"}}}, "JavaScript"),
        ({"projection": {"a": {"$accumulator": {}}}}, "JavaScript"),
        ({"filter": nested(60)}, "levels deep"),
        ({"filter": {"a": "x" * 200_000}}, "bytes"),
        ({"filter": {"a": 2**70}}, "64 bits"),
        ({"filter": {"a": [2**63]}}, "64 bits"),
        ({"filter": {"a": -(2**63) - 1}}, "64 bits"),
        ({"filter": {"a": "\ud800"}}, "Unicode"),
        ({"filter": {"$numberInt": "0"}}, "must be a document"),
        ({"filter": {"$regex": "a", "$options": ""}}, "must be a document"),
        ({"projection": {"$oid": "5f0000000000000000000001"}}, "must be a document"),
        ({"projection": {"$minKey": 1}}, "must be a document"),
        ({"projection": {"$ref": "a", "$id": 1}}, "must be a document"),
        ({"filter": {"$undefined": True}}, "deprecated"),
        ({"filter": {"a": {"$dbPointer": {}}}}, "deprecated"),
        ({"filter": {"a": {"$oid": "5f0000000000000000000001", "b": 1}}}, r"\$oid is not Extended JSON"),
        ({"filter": {"a": {"$regex": "a\0b"}}}, r"\$regex is not Extended JSON"),
        ({"filter": {"a": {"$regex": "a", "$options": 5}}}, r"\$regex is not Extended JSON"),
        ({"filter": {"a": {"$regularExpression": {"pattern": "a\0", "options": ""}}}}, r"is not Extended JSON"),
        ({"filter": {"a": {"$timestamp": {"t": -1, "i": 1}}}}, r"\$timestamp is not Extended JSON"),
        ({"filter": {"a": {"$timestamp": {"t": 1, "i": 2**32}}}}, r"\$timestamp is not Extended JSON"),
        ({"filter": {"a": {"$date": "2026-99-99T99:99:99Z"}}}, r"\$date is not Extended JSON"),
        ({"filter": {"a": {"$date": "0001-01-01T00:00:00+23:59"}}}, r"\$date is not Extended JSON"),
        ({"filter": {"a": {"$numberDecimal": "1e999999999"}}}, r"\$numberDecimal is not Extended JSON"),
        ({"filter": {"a": {"$numberDecimal": "1" * 35}}}, r"\$numberDecimal is not Extended JSON"),
        ({"filter": {"a": {"$binary": {"base64": "!!", "subType": "00"}}}}, r"\$binary is not Extended JSON"),
        ({"filter": {"a": {"$binary": {"base64": "YQ==", "subType": "zz"}}}}, r"\$binary is not Extended JSON"),
        ({"filter": {"a": {"$minKey": True}}}, r"\$minKey is not Extended JSON"),
        ({"filter": {"a": {"$ref": "x", "$id": 1, "id": 2}}}, r"\$ref is not Extended JSON"),
        ({"filter": {"_id": {"$oid": "5f"}}}, r"\$oid is not Extended JSON"),
        ({"filter": {"at": {"$date": "yesterday"}}}, r"\$date is not Extended JSON"),
        ({"filter": {"n": {"$numberLong": "9223372036854775808"}}}, r"\$numberLong is not Extended JSON"),
        ({"filter": [1]}, "dictionary"),
        ({"projection": {"_id.a": 1}}, "_id in the projection must be"),
        ({"projection": {"_id": {"$toString": "$_id"}}}, "_id in the projection must be"),
        ({"database": "a.b"}, "pattern"),
        ({"database": "$external"}, "pattern"),
        ({"collection": "a$b"}, "pattern"),
        ({"collection": "a..b"}, "dot"),
        ({"uri": "mongodb://localhost/"}, "pattern"),
        ({"max_time_seconds": 0}, "greater"),
    ],
)
def test_unsupported_queries_are_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        MongoSource.model_validate(SOURCE | change)


@pytest.mark.parametrize(
    ("uri", "hosts"),
    [
        ("mongodb://h/", [("h", 27017)]),
        ("mongodb://u:p%40x@H1:1,[::1]:2,h3/db?tls=true", [("h1", 1), ("::1", 2), ("h3", 27017)]),
        ("mongodb+srv://u:p@shop.example.com/", [("shop.example.com", 27017)]),
        ("https://h/", []),
        ("mongodb://u:p[a]ss@h/", [("h", 27017)]),
        ("mongodb://u:p[ass@h/", [("h", 27017)]),
        ("mongodb://u:p\u2100@h/", [("h", 27017)]),
        ("mongodb://h?tls=true", [("h", 27017)]),
        ("mongodb://h/?appName=a@b", [("h", 27017)]),
        ("mongodb+srv://shop.example.com#@evil.example.net/", []),
        ("mongodb+srv://shop.example.com?@evil.example.net/", []),
        ("mongodb+srv://shop.example.com?tls=true@evil.example.net/", []),
        ("mongodb://[::1/", []),
        ("mongodb://h:x/", []),
        ("", []),
    ],
)
def test_hosts_of_a_uri(uri: str, hosts: list[tuple[str, int]]) -> None:
    assert hosts_of(uri) == hosts
