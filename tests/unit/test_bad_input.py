"""Invalid documents, values and upstream responses: each gives a clear problem, never a crash."""

from typing import Any

import pytest

from sluice.container import Container
from support.client import Client
from support.documents import drop, http_source, ingest, paged_source, rows
from support.upstream import Upstream, ok, raw


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "change",
    [
        {"http": {"url": "http://[bad/"}},
        {"http": {"url": "http://example.com:99999/"}},
        {"http": {"url": "http://example.com:port/"}},
        {"http": {"url": "http://" + "a" * 70 + ".example.com/"}},
        {"http": {"url": "http:///nothing"}},
        {"http": {"url": "https://example.com", "method": "POST", "body": [nested(300)]}},
        {"records": "(" * 2000},
        {"records": "nope(@)"},
        {"records": "length()"},
        {"records": "length(a, b)"},
        {"fields": {"a": "foo[?bar(@)]"}},
        {"fields": {"_PAGE": "a"}},
        {"fields": {"a": "a"}, "types": {"b": "bigint"}},
        {"primary_key": ["a", "a"]},
        {"http": {"url": "https://e.com", "method": "GET", "body": {}}},
        {"kind": "file"},
        {"name": "???", "slug": ""},
    ],
    ids=lambda change: str(change)[:50],
)
def test_invalid_datasources_are_refused(admin: Client, change: dict[str, Any]) -> None:
    answer = admin.post("/datasources", {**http_source("a"), **change})
    assert (answer.status, answer.json()["status"]) == (422, 422), answer.text


@pytest.mark.parametrize(
    "change",
    [
        {"merge": {"strategy": "join", "key": []}},
        {"merge": {"strategy": "join", "key": ["a", "a"]}},
        {"merge": {"strategy": "join", "key": ["a"], "fields": {"a": {"rule": "priority"}}}},
        {"merge": {"strategy": "join", "key": ["a"], "fields": {"b": {"rule": "newest"}}}},
        {"merge": {"strategy": "join", "key": ["a"], "fields": {"b": {"rule": "priority", "by": "c"}}}},
        {"merge": {"strategy": "join", "key": ["a"], "fields": {"b": {"rule": "best"}}}},
        {"merge": {"strategy": "mix"}},
        {"refresh_on": "schedule"},
        {"schedule": {"expression": "cron(99 6 ? * 1 *)"}},
    ],
    ids=lambda change: str(change)[:70],
)
def test_invalid_projects_are_refused(admin: Client, change: dict[str, Any]) -> None:
    answer = admin.post("/projects", {"name": "p", **change})
    assert (answer.status, bool(answer.json()["errors"])) == (422, True), answer.text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'[{"n": 123456789012345678901234567890}]', [{"n": "123456789012345678901234567890"}]),
        (b'[{"n": 12345678901234567890123456789012345678901234567890}]', None),
        (b'[{"n": 1e400}]', None),
        (b'[{"at": "0001-01-01T00:00:00+10:00"}]', [{"at": "0001-01-01T00:00:00+10:00"}]),
        (b'[{"a": {"b": []}}, {"a": {}}]', None),
        (b'["a", "b"]', [{"value": "a"}, {"value": "b"}]),
        (b"[1, [2], null]", [{"value": 1}, {"value": [2]}, {"value": None}]),
        (b"5", [{"value": 5}]),
        (b"null", []),
        (b"[]", []),
        (b'[{"s": "\\u0000 \\ud83d\\ude00 \\"q\\" \\n"}]', [{"s": '\0 😀 "q" \n'}]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_unusual_json_is_ingested_or_refused(admin: Client, upstream: Upstream, body: bytes, expected: Any) -> None:
    upstream.answer = lambda request: raw(body)
    admin.post("/datasources", http_source("a"))
    run = ingest(admin, "a")
    if run["status"] == "failed":
        assert run["error"]["type"] != "urn:sluice:problem:run-stopped", run["error"]
        assert expected is None
        return
    stored = rows(admin, "datasources/a")
    assert expected is None or stored == expected
    assert admin.get("/datasources/a/data?format=csv").status == 200


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("timestamp", ["0001-01-01T00:00:00+05:00", 1e300, "2026-13-01", True]),
        ("decimal(38,9)", ["1e40", "12345678901234567890123456789.123456789", "abc", [1]]),
        ("bigint", ["9" * 5000, 1e40, 1.5, True, "1.0"]),
        ("double", ["1e99999", "1,5", "x", False]),
        ("boolean", ["yes", 1, {}]),
        ("date", ["2026-02-30", 5, "2026-01-01T00:00:00Z"]),
    ],
)
def test_values_of_another_type_become_null_and_are_counted(
    admin: Client, upstream: Upstream, kind: str, values: list[Any]
) -> None:
    upstream.serve([{"v": value} for value in values])
    admin.post("/datasources", http_source("a", types={"v": kind}))
    run = ingest(admin, "a")
    assert run["status"] == "succeeded", run["error"]
    valid = [row["v"] for row in rows(admin, "datasources/a") if row["v"] is not None]
    assert len(valid) <= 1
    assert run["warnings"][0].startswith(f"v: {len(values) - len(valid)} values are not {kind}")


def test_nesting_beyond_the_limit_names_the_setting(admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"v": nested(300)}])
    admin.post("/datasources", http_source("a"))
    assert "nested more than 200" in ingest(admin, "a")["error"]["detail"]


@pytest.mark.parametrize(
    "pagination",
    [{"has_more": "abs(total)"}, {"total": "sum(data)"}, {"stop_when": "starts_with(total, 'x')"}],
    ids=str,
)
def test_inapplicable_expression_fails_the_run(admin: Client, upstream: Upstream, pagination: dict[str, str]) -> None:
    upstream.serve({"data": [{"a": 1}], "total": "x" if "has_more" in pagination else [1]})
    admin.post("/datasources", paged_source("a", pagination=pagination))
    run = ingest(admin, "a")
    assert run["error"]["type"] == "urn:sluice:problem:unreadable-data"
    receipts = admin.get(f"/runs/{run['id']}/pages").json()["items"]
    assert [(receipt["ok"], bool(receipt["hash"])) for receipt in receipts] == [(False, True)], "its bytes are stored"


def test_end_before_the_total_is_not_complete(admin: Client, upstream: Upstream) -> None:
    upstream.serve({"data": [{"a": 1}], "total": 50, "more": False})
    admin.post("/datasources", paged_source("a", pagination={"has_more": "more"}))
    assert ingest(admin, "a")["completeness"] == "partial"
    admin.patch("/datasources/a", {"http": {"pagination": {"has_more": "mistyped"}}})
    assert ingest(admin, "a")["completeness"] == "unproven"
    admin.put(
        "/datasources/b", http_source("b", http={"pagination": {"type": "none", "has_more": "total"}}, records="data")
    )
    assert ingest(admin, "b")["completeness"] == "partial"


def test_body_without_a_known_end_is_unproven(admin: Client, upstream: Upstream) -> None:
    upstream.answer = lambda request: raw(b"a\n1\n", media_type="text/csv", framed=False)
    admin.post("/datasources", http_source("a"))
    run = ingest(admin, "a")
    assert (run["status"], run["completeness"]) == ("succeeded", "unproven")


def test_metadata_and_numbers_of_csv(services: Container, admin: Client) -> None:
    fields = {"pos": "$position", "n": "to_number(b)", "a": "a"}
    admin.post("/datasources", {"name": "notes", "kind": "file", "fields": fields})
    run = drop(services, "notes/a.csv", b"a,b\n007,1\n8,2\n")
    assert run is not None
    assert run["error"] is None
    assert rows(admin, "datasources/notes") == [{"pos": 1, "n": 1, "a": "007"}, {"pos": 2, "n": 2, "a": "8"}]


def test_html_labelled_as_csv_is_refused(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "format": "csv"})
    run = drop(services, "notes/a.csv", b"<!DOCTYPE html>\n<html></html>\n")
    assert run is not None
    assert "HTML" in run["error"]["detail"]


def test_secret_invalid_in_a_header_is_named_but_not_shown(admin: Client, upstream: Upstream) -> None:
    upstream.answer = lambda request: ok([])
    admin.post("/datasources", http_source("a", http={"auth": {"type": "bearer", "secret": "s"}}))
    admin.put("/secrets/s", {"value": "sup3r\nsecret"})
    run = ingest(admin, "a")
    assert run["error"]["type"] == "urn:sluice:problem:secret-unusable"
    assert "sup3r" not in str(run)
    admin.put("/secrets/s", {"value": "sup3rsecret\n"})
    assert ingest(admin, "a")["status"] == "succeeded"
    assert upstream.requests[-1].headers["authorization"] == "Bearer sup3rsecret"
