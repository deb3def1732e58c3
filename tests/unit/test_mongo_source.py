"""The document of a MongoDB source: what is refused when it is written."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sluice.domain.datasource.mongo_source import MongoSource, hosts_of

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
    ],
)
def test_filters_of_mongodb_are_accepted(filter_: dict[str, Any]) -> None:
    assert MongoSource.model_validate(SOURCE | {"filter": filter_}).filter == filter_


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
