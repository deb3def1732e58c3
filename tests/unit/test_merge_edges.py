"""Merges of values that are easily mistaken: times with offsets, large numbers, keys of two types."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from sluice.container import Container
from support.client import Client
from support.documents import http_source, refresh, rows
from support.upstream import Upstream, ok

JOIN: dict[str, Any] = {"strategy": "join", "key": ["id"]}


def sources(admin: Client, upstream: Upstream, merge: dict[str, Any], *records: Any, **more: Any) -> dict[str, Any]:
    """The run that merges datasources s0, s1 and so on, best ranked first."""
    given = {f"s{rank}": some for rank, some in enumerate(records)}
    upstream.answer = lambda request: ok(given[request.url.host.partition(".")[0]])
    assert admin.put("/projects/p", {"name": "p", "merge": merge, "refresh_on": "manual"}).status in (200, 201)
    for rank, name in enumerate(given):
        assert admin.put(f"/datasources/{name}", http_source(name, **more.get(name, {}))).status in (200, 201)
        admin.put(f"/projects/p/datasources/{name}", {"priority": rank})
    return refresh(admin, "p", ingest="all")


def test_a_time_in_a_text_keeps_its_offset_when_it_is_cast(admin: Client, upstream: Upstream) -> None:
    merge = {**JOIN, "sources": {"s0": {"cast": {"at": "timestamp", "n": "timestamp"}}}}
    sources(admin, upstream, merge, [{"id": 1, "at": "2026-01-02T00:00:00+02:00", "n": 1767312000}])
    assert rows(admin, "projects/p") == [{"id": 1, "at": "2026-01-01T22:00:00Z", "n": "2026-01-02T00:00:00Z"}]


@pytest.mark.parametrize(
    ("values", "newest", "oldest"),
    [
        (["2026-01-01T10:00:00+02:00", "2026-01-01T09:00:00Z"], 1, 0),
        (["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z"], 1, 0),
        (["not a time", "2026-01-01T00:00:00Z"], 1, 1),
        (["b", "a"], 0, 1),
        ([None, 9, 10], 2, 1),
        (["2026-01-01T00:00:00Z", "2026-01-01T02:00:00+02:00"], 0, 0),
    ],
)
def test_newest_and_oldest_by_times_in_texts(
    admin: Client, upstream: Upstream, values: list[Any], newest: int, oldest: int
) -> None:
    records = [[{"id": 1, "v": rank, "w": rank, "at": value}] for rank, value in enumerate(values)]
    fields = {"v": {"rule": "newest", "by": "at"}, "w": {"rule": "oldest", "by": "at"}}
    sources(admin, upstream, {**JOIN, "fields": fields}, *records)
    row = rows(admin, "projects/p")[0]
    assert (row["v"], row["w"]) == (newest, oldest)


def test_a_time_and_seconds_are_compared(admin: Client, upstream: Upstream) -> None:
    fields = {"v": {"rule": "newest", "by": "at"}}
    records = [[{"id": 1, "v": "a", "at": "2026-01-01T00:00:00Z"}], [{"id": 1, "v": "b", "at": 1767312000}]]
    sources(admin, upstream, {**JOIN, "fields": fields}, *records, s0={"types": {"at": "timestamp"}})
    assert rows(admin, "projects/p")[0]["v"] == "b"


def test_large_whole_numbers_keep_their_digits_beside_a_double(admin: Client, upstream: Upstream) -> None:
    records = [[{"id": 1, "v": 9007199254740993, "top": 9007199254740993}], [{"id": 2, "v": 1.5, "top": 1.5}]]
    sources(admin, upstream, {**JOIN, "fields": {"top": {"rule": "max"}}}, *records)
    assert [row["v"] for row in rows(admin, "projects/p")] == ["9007199254740993", "1.5"]
    assert [row["top"] for row in rows(admin, "projects/p")] == ["9007199254740993", "1.5"]


def test_keys_that_are_equal_after_a_cast_are_merged(admin: Client, upstream: Upstream) -> None:
    records = [[{"id": 1, "v": "num"}, {"id": "1", "v": "text"}], [{"id": "1", "w": 5}]]
    run = sources(admin, upstream, JOIN, *records)
    assert rows(admin, "projects/p") == [{"id": "1", "v": "text", "w": 5}]
    assert any("1 row has a key that a later row has again" in warning for warning in run["warnings"])


def test_a_decimal_key_beside_a_double_is_refused(admin: Client, upstream: Upstream) -> None:
    records = [[{"id": "12345678901234567890123", "v": 1}], [{"id": 1.5, "w": 1}]]
    run = sources(admin, upstream, JOIN, *records, s0={"types": {"id": "decimal(38,2)"}})
    assert "decimal(38,2) in some datasources and double in others" in run["error"]["detail"]


def test_normalized_keys_of_look_alike_names_stay_apart(admin: Client, upstream: Upstream) -> None:
    """Alias site and column unit_code, alias site_unit and column code."""
    given = {"site": [{"unit_code": "Ä", "code": "Ö"}], "site-unit": [{"unit_code": "Ü", "code": "ß"}]}
    upstream.answer = lambda request: ok(given[request.url.host.partition(".")[0]])
    both = {"unit_code": ["case_fold"], "code": ["case_fold"]}
    merge = {"strategy": "join", "key": ["unit_code", "code"], "normalizers": both}
    assert admin.put("/projects/p", {"name": "p", "merge": merge, "refresh_on": "manual"}).status == 201
    for name in given:
        admin.put(f"/datasources/{name}", http_source(name))
        admin.put(f"/projects/p/datasources/{name}", {})
    assert refresh(admin, "p")["warnings"] == []
    assert [(row["unit_code"], row["code"]) for row in rows(admin, "projects/p")] == [("ä", "ö"), ("ü", "ss")]


@pytest.mark.parametrize("rule", ["union", "all"])
def test_non_finite_numbers_are_left_out_of_lists(admin: Client, upstream: Upstream, rule: str) -> None:
    records = [[{"id": 1, "v": "NaN"}], [{"id": 1, "v": "1.5"}]]
    double = {"types": {"v": "double"}}
    run = sources(admin, upstream, {**JOIN, "fields": {"v": {"rule": rule}}}, *records, s0=double, s1=double)
    assert run["status"] == "succeeded", run
    assert rows(admin, "projects/p")[0]["v"] == [1.5]


def test_a_sum_of_decimals_may_be_wider_than_they_are(admin: Client, upstream: Upstream) -> None:
    records = [[{"id": 1, "v": "9.99"}], [{"id": 1, "v": "9.99"}]]
    narrow = {"types": {"v": "decimal(3,2)"}}
    sources(admin, upstream, {**JOIN, "fields": {"v": {"rule": "sum"}}}, *records, s0=narrow, s1=narrow)
    assert rows(admin, "projects/p")[0]["v"] == "19.98"


def test_majority_of_many_sources(admin: Client, upstream: Upstream) -> None:
    records = [[{"id": 1, "v": rank % 7 if rank % 2 else 3, "n": None}] for rank in range(30)]
    sources(admin, upstream, {**JOIN, "default_rule": "majority"}, *records)
    assert rows(admin, "projects/p") == [{"id": 1, "v": 3, "n": None}]


def test_result_is_independent_of_the_machine_time_zone(
    admin: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    merge = {**JOIN, "result": {"compute": {"at": "to_timestamp(ep)"}}}
    sources(admin, upstream, merge, [{"id": 1, "ep": 1767312000}])
    assert rows(admin, "projects/p")[0]["at"] == "2026-01-02T00:00:00Z"


def test_a_diff_of_very_large_numbers(admin: Client, upstream: Upstream) -> None:
    sources(admin, upstream, JOIN, [{"id": 1, "v": [10**30]}])
    sources(admin, upstream, JOIN, [{"id": 1, "v": [10**30 + 1]}])
    changed = admin.get("/projects/p/diff").json()["items"][0]
    assert changed["fields"] == {"v": [[10**30], [10**30 + 1]]}


def explained(admin: Client, key: str) -> Any:
    answer = admin.get(f"/projects/p/explain?key={key}")
    assert answer.status == 200, answer.text
    return answer.json()["fields"]


def test_rows_of_earlier_runs_are_explained_by_the_document_of_their_time(
    admin: Client, upstream: Upstream, services: Container
) -> None:
    more = {"write_disposition": "append", "records": "old", "fields": {"id": "id", "v": "a"}}
    sources(admin, upstream, JOIN)
    admin.put("/datasources/s0", http_source("s0", **more))
    admin.put("/projects/p/datasources/s0", {})
    upstream.answer = lambda request: ok({"old": [{"id": 1, "a": "x", "b": "WRONG"}]})
    first = refresh(admin, "p", ingest="all")
    assert first["status"] == "succeeded", first
    admin.put("/datasources/s0", http_source("s0", **{**more, "records": "new", "fields": {"id": "id", "v": "b"}}))
    upstream.answer = lambda request: ok({"new": [{"id": 2, "a": "WRONG", "b": "y"}]})
    refresh(admin, "p", ingest="all")
    cited = [explained(admin, key)["v"]["winners"][0] for key in ("1", "2")]
    assert [(one["value"], one["pointer"], one["exact"]) for one in cited] == [
        ("x", "/old/0/a", True),
        ("y", "/new/0/b", True),
    ]
    table = services.settings.pages_table
    schema = services.clients.dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
    for item in services.clients.dynamodb.scan(TableName=table)["Items"]:
        key = {attribute["AttributeName"]: item[attribute["AttributeName"]] for attribute in schema}
        services.clients.dynamodb.delete_item(TableName=table, Key=key)
    assert explained(admin, "1")["v"]["winners"][0] == cited[0], "receipts are forgotten; what is in the lake is not"


def test_computed_column_is_never_missing(admin: Client, upstream: Upstream) -> None:
    merge = {**JOIN, "sources": {"s0": {"compute": {"price": "coalesce(price, 0)"}}}}
    sources(admin, upstream, merge, [{"id": 1, "price": 5}, {"id": 2}])
    assert explained(admin, "2")["price"]["winners"][0]["expression"] == "coalesce(price, 0)"


def test_later_of_two_overrides_of_the_same_key_applies(admin: Client, upstream: Upstream) -> None:
    merge = {**JOIN, "key": ["s"], "normalizers": {"s": ["case_fold"]}}
    sources(admin, upstream, merge, [{"s": "btc", "v": 1}])
    for key, value, reason in (("btc", 10, "older"), ("BTC", 20, "newer")):
        assert admin.put(f"/projects/p/overrides/v?key={key}", {"value": value, "reason": reason}).status == 201
    refresh(admin, "p", ingest="none")
    field = explained(admin, "btc")["v"]
    assert (field["value"], field["override"]["value"], field["override"]["reason"]) == (20, 20, "newer")


@pytest.mark.parametrize("name", ["price usd", "größe", "v:w", "x%", "$p"])
def test_a_field_of_any_name_can_be_overridden(admin: Client, upstream: Upstream, name: str) -> None:
    sources(admin, upstream, JOIN, [{"id": 1, name: 1}])
    response = admin.put(f"/projects/p/overrides/{quote(name)}?key=1", {"value": 2, "reason": "by hand"})
    assert response.status == 201, response.text
    refresh(admin, "p", ingest="none")
    assert rows(admin, "projects/p")[0][name] == 2
    assert admin.delete(response.headers["Location"].partition("/v1")[2]).status == 204


def test_diff_from_null_shows_the_new_type(admin: Client, upstream: Upstream) -> None:
    sources(admin, upstream, JOIN, [{"id": 1, "v": None}])
    sources(admin, upstream, JOIN, [{"id": 1, "v": 5}])
    assert admin.get("/projects/p/diff").json()["items"][0]["fields"] == {"v": [None, 5]}


def test_selecting_a_column_twice_is_refused(admin: Client, upstream: Upstream) -> None:
    sources(admin, upstream, JOIN, [{"id": 1}])
    for form in ("json", "csv", "xlsx"):
        assert admin.get(f"/projects/p/data?select=id,id&format={form}").status == 422


def test_a_constant_beyond_64_bits_is_refused(admin: Client) -> None:
    merge = {**JOIN, "fields": {"v": {"rule": "constant", "value": 2**63}}}
    assert admin.put("/projects/p", {"name": "p", "merge": merge}).status == 422
