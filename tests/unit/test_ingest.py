"""Ingest runs from the first request to the published version."""

import gzip
import json
from typing import Any

import httpx
import orjson
import pytest

from sluice.container import Container
from sluice.domain.dataset import Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.lake import object_keys
from support.client import Client
from support.documents import http_source, ingest, paged_source, rows
from support.upstream import StubResponse, Upstream, ok, raw
from support.workflows import LocalWorkflows

RECORDS = [{"id": number, "name": f"n{number}"} for number in range(25)]


def test_unpaged_source_is_one_complete_page(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1, "price": 1.5, "tags": ["a"], "quote": {"usd": {"price": 2}}}, {"id": 2, "price": None}])
    admin.post("/datasources", http_source())
    run = ingest(admin, "coins")
    assert {name: run[name] for name in ("status", "completeness", "version", "rows", "requests", "trigger")} == {
        "status": "succeeded",
        "completeness": "complete",
        "version": 1,
        "rows": 2,
        "requests": 1,
        "trigger": "api",
    }
    assert rows(admin, "datasources/coins") == [
        {"id": 1, "price": 1.5, "tags": ["a"], "quote_usd_price": 2},
        {"id": 2, "price": None, "tags": None, "quote_usd_price": None},
    ]
    version = admin.get("/datasources/coins/versions").json()["items"][0]
    assert [(column["name"], column["type"], column["nullable"]) for column in version["schema"]] == [
        ("id", "bigint", False),
        ("price", "double", True),
        ("tags", "json", True),
        ("quote_usd_price", "bigint", True),
    ]
    assert version["run"] == run["id"]


def test_each_page_is_stored_as_received_with_a_receipt(
    services: Container, admin: Client, editor: Client, viewer: Client, upstream: Upstream
) -> None:
    upstream.serve_pages(RECORDS)
    admin.post("/datasources", paged_source())
    run = ingest(admin, "coins")
    receipts = admin.get(f"/runs/{run['id']}/pages").json()["items"]
    assert [receipt["rows"] for receipt in receipts] == [10, 10, 5]
    assert [receipt["url"].partition("?")[2] for receipt in receipts] == [
        f"start={offset}&limit=10" for offset in (0, 10, 20)
    ]
    body = json.dumps({"data": RECORDS[20:], "total": 25})
    content = editor.get(f"/runs/{run['id']}/pages/3/content")
    assert (content.status, content.text, content.headers["Content-Type"]) == (200, body, "application/octet-stream")
    assert editor.get(f"/pages/{receipts[2]['hash']}").text == body
    assert viewer.get(f"/pages/{receipts[2]['hash']}").status == 403
    stored = services.s3.get_object(Bucket="lake", Key="main/" + object_keys.raw(receipts[2]["hash"]))["Body"].read()
    assert gzip.decompress(stored).decode() == body
    assert stored[4:8] == b"\0\0\0\0", "gzip's mtime must not change the bytes"
    index = services.lake.find_json(f"raw-index/coins/{run['created_at'][:10]}/{run['id']}.json")
    assert index is not None
    assert [page["hash"] for page in index["pages"]] == [receipt["hash"] for receipt in receipts]


@pytest.mark.parametrize(
    ("pagination", "serve", "completeness", "status", "count"),
    [
        ({}, {}, "complete", "succeeded", 25),
        ({"total": None}, {"total": False}, "unproven", "succeeded", 25),
        ({}, {"lie": 3}, "partial", "partial", 25),
        ({}, {"lie": -3}, "unproven", "succeeded", 25),
        ({"max_pages": 2}, {}, "partial", "partial", 20),
        ({"total": None, "has_more": "length(data) == `10`"}, {}, "complete", "succeeded", 25),
        ({"total": None, "stop_when": "length(data) < `10`"}, {}, "complete", "succeeded", 25),
    ],
    ids=["total", "short page", "total too high", "total too low", "max_pages", "has_more", "stop_when"],
)
def test_version_is_complete_only_if_proven(
    admin: Client,
    upstream: Upstream,
    pagination: dict[str, Any],
    serve: dict[str, Any],
    completeness: str,
    status: str,
    count: int,
) -> None:
    upstream.serve_pages(RECORDS, **serve)
    admin.post("/datasources", paged_source(pagination=pagination))
    run = ingest(admin, "coins")
    assert (run["completeness"], run["status"], run["rows"]) == (completeness, status, count)
    assert bool(run["completeness_reasons"]) == (completeness != "complete")
    assert bool(run["warnings"]) == (completeness != "complete")
    assert len(rows(admin, "datasources/coins")) == count


def test_upstream_that_ignores_the_offset_is_detected(admin: Client, upstream: Upstream) -> None:
    upstream.serve({"data": RECORDS[:10], "total": 30})
    admin.post("/datasources", paged_source())
    run = ingest(admin, "coins")
    assert (run["status"], run["rows"]) == ("partial", 10)
    assert "repeats" in run["completeness_reasons"][0]


def test_failed_page_makes_the_run_partial_and_a_redrive_continues_with_it(admin: Client, upstream: Upstream) -> None:
    upstream.serve_pages(RECORDS)
    healthy = upstream.answer
    upstream.answer = lambda request: raw(b"", 403) if request.url.params["start"] == "20" else healthy(request)
    admin.post("/datasources", paged_source())
    run = ingest(admin, "coins")
    assert (run["status"], run["rows"], run["version"]) == ("partial", 20, 1)
    upstream.answer = healthy
    upstream.requests.clear()
    again = admin.post(f"/runs/{run['id']}/redrive")
    assert again.status == 202
    ended = admin.get(f"/runs/{run['id']}").json()
    assert (ended["status"], ended["rows"], ended["version"], ended["attempt"]) == ("succeeded", 25, 2, 2)
    starts = [request.url.params["start"] for request in upstream.requests]
    assert starts == ["10", "20"], "the last page is compared with what it was"
    assert ended["requests"] == 5
    assert len(rows(admin, "datasources/coins")) == 25


def test_redrive_fetches_contradictory_pages_again(admin: Client, upstream: Upstream) -> None:
    upstream.serve_pages(RECORDS, lie=3)
    admin.post("/datasources", paged_source())
    run = ingest(admin, "coins")
    assert (run["status"], run["rows"]) == ("partial", 25)
    upstream.serve_pages([*RECORDS, *({"id": number, "name": "late"} for number in (25, 26, 27))])
    upstream.requests.clear()
    admin.post(f"/runs/{run['id']}/redrive")
    ended = admin.get(f"/runs/{run['id']}").json()
    assert (ended["status"], ended["rows"], ended["attempt"]) == ("succeeded", 28, 2), ended
    assert [request.url.params["start"] for request in upstream.requests] == ["20"]


def test_partial_version_does_not_replace_a_complete_one(admin: Client, upstream: Upstream) -> None:
    upstream.serve_pages(RECORDS)
    admin.post("/datasources", paged_source())
    assert ingest(admin, "coins")["version"] == 1
    upstream.serve_pages(RECORDS, lie=9)
    run = ingest(admin, "coins")
    assert (run["status"], run["version"]) == ("partial", 2)
    assert "version 1 stays published" in run["warnings"][-1]
    assert admin.get("/datasources/coins/data").json()["version"] == 1
    assert admin.get("/datasources/coins/data?version=2").json()["completeness"] == "partial"


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (raw(b"", 401), "source-refused", "check the secret"),
        (raw(b"no", 404), "source-refused", "check the address"),
        (raw(b"busy", 503), "source-busy", "Try again later"),
        (raw(b"<!DOCTYPE html><html>login</html>", 200), "unreadable-data", "HTML"),
        (raw(b"<html>", 200, "text/html"), "unreadable-data", "HTML"),
        (raw(b'[{"a": 1}, {"a"'), "unreadable-data", "truncated"),
        (raw(b'{"a": NaN}'), "unreadable-data", "not JSON"),
        (raw(b"  "), "empty-data", "empty"),
        (ok({"rows": []}), "records-not-found", "the keys rows"),
        (ok([{"a": {"b": 1}, "a_b": 2}]), "unreadable-data", "both become the column"),
        (ok([{"usd": 1, "USD": 2}]), "unreadable-data", "differ only in case"),
        (ok([{"_page": 1}]), "unreadable-data", "cannot be a column"),
        (raw(b"[" * 100_000), "unreadable-data", "JSON"),
    ],
    ids=[
        "401",
        "404",
        "503",
        "html",
        "html type",
        "truncated",
        "NaN",
        "empty",
        "no records",
        "a.b",
        "case",
        "ours",
        "deep",
    ],
)
def test_unreadable_data_fails_the_run_and_publishes_nothing(
    admin: Client, upstream: Upstream, answer: StubResponse, code: str, says: str
) -> None:
    records = "data" if code == "records-not-found" else "@"
    admin.post("/datasources", http_source(records="@"))
    upstream.serve([{"id": 1}])
    ingest(admin, "coins")
    admin.patch("/datasources/coins", {"records": records})
    upstream.answer = lambda request: answer
    run = ingest(admin, "coins")
    assert run["status"] == "failed", run
    assert run["error"]["type"] == f"urn:sluice:problem:{code}"
    assert says in run["error"]["detail"]
    assert (run["version"], run["completeness"]) == (None, None)
    assert rows(admin, "datasources/coins") == [{"id": 1}]


def test_throttled_request_is_retried_and_each_response_is_in_the_receipt(admin: Client, upstream: Upstream) -> None:
    answers = iter([raw(b"slow down", 429, retry_after="0"), raw(b"oops", 500), ok([{"id": 1}])])
    upstream.answer = lambda request: next(answers)
    admin.post("/datasources", http_source())
    run = ingest(admin, "coins")
    assert (run["status"], run["requests"]) == ("succeeded", 3)
    failures = admin.get(f"/runs/{run['id']}/pages").json()["items"][0]["failures"]
    assert [failure["status"] for failure in failures] == [429, 500]
    assert admin.get(f"/pages/{failures[0]['hash']}").text == "slow down"


def test_error_names_an_unreachable_host(admin: Client, upstream: Upstream) -> None:
    def refuse(request: httpx.Request) -> StubResponse:
        raise httpx.ConnectError("the name coins.example.com does not resolve")

    upstream.answer = refuse
    admin.post("/datasources", http_source())
    run = ingest(admin, "coins")
    assert run["error"]["type"] == "urn:sluice:problem:source-unreachable"
    assert "does not resolve" in run["error"]["detail"]
    assert len(upstream.requests) == 5


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "api_key", "in": "header", "name": "X-Key", "secret": "s"}, "x-key", "hunter2"),
        ({"type": "bearer", "secret": "s"}, "authorization", "Bearer hunter2"),
        ({"type": "basic", "username": "me", "secret": "s"}, "authorization", "Basic bWU6aHVudGVyMg=="),
    ],
    ids=["api_key", "bearer", "basic"],
)
def test_secrets_are_sent_to_the_upstream_only(
    services: Container, admin: Client, upstream: Upstream, auth: dict[str, Any], header: str, value: str
) -> None:
    admin.post("/datasources", http_source(http={"auth": auth}))
    missing = ingest(admin, "coins")
    assert missing["error"]["type"] == "urn:sluice:problem:secret-missing"
    assert admin.put("/secrets/s", {"value": "hunter2"}).status == 201
    upstream.serve([{"id": 1}])
    run = ingest(admin, "coins")
    assert upstream.requests[-1].headers[header] == value
    output = json.dumps([run, admin.get(f"/runs/{run['id']}/pages").json(), admin.get("/secrets").json()])
    assert "hunter2" not in output
    assert admin.get("/secrets").json()["items"][0]["used_by"] == ["coins"]


def test_secret_in_a_query_parameter_is_masked(admin: Client, upstream: Upstream) -> None:
    auth = {"type": "api_key", "in": "query", "name": "token", "secret": "s"}
    admin.put("/secrets/s", {"value": "hunter2"})
    admin.post("/datasources", http_source(http={"auth": auth, "params": {"a": True}}))
    upstream.serve([{"id": 1}])
    run = ingest(admin, "coins")
    assert str(upstream.requests[-1].url) == "https://coins.example.com/v1?a=true&token=hunter2"
    assert admin.get(f"/runs/{run['id']}/pages").json()["items"][0]["url"] == "https://coins.example.com/v1?a=true"


def test_fields_types_and_metadata(admin: Client, upstream: Upstream) -> None:
    upstream.serve(
        [{"s": "BTC", "p": "1.10", "t": 1700000000}, {"s": "X", "p": "abc", "t": "2026-01-02T03:04:05+01:00"}]
    )
    fields = {"symbol": "s", "price": "p", "at": "t", "rank": "$position", "page": "$page", "run": "$run"}
    admin.post("/datasources", http_source(fields=fields, types={"price": "decimal(10,2)", "at": "timestamp"}))
    run = ingest(admin, "coins")
    assert rows(admin, "datasources/coins") == [
        {"symbol": "BTC", "price": "1.10", "at": "2023-11-14T22:13:20Z", "rank": 1, "page": 1, "run": run["id"]},
        {"symbol": "X", "price": None, "at": "2026-01-02T02:04:05Z", "rank": 2, "page": 1, "run": run["id"]},
    ]
    assert "price: 1 values are not decimal(10,2)" in run["warnings"][0]


def test_metadata_fields_are_added_to_inferred_columns(admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"a": 1}, 7])
    admin.post("/datasources", http_source(fields={"n": "$position"}))
    ingest(admin, "coins")
    assert rows(admin, "datasources/coins") == [{"n": 1, "a": 1, "value": None}, {"n": 2, "a": None, "value": 7}]


def test_same_pages_give_the_same_bytes(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.serve_pages([{"id": number, "x": number / 3, "o": {"k": [number]}} for number in range(25)])
    admin.post("/datasources", paged_source())
    objects = []
    for _ in range(2):
        run = ingest(admin, "coins")
        version = admin.get(f"/datasources/coins/versions/{run['version']}").json()
        objects.append([(part["sha256"], part["rows"]) for part in version["objects"]])
        assert version["fingerprint"] == run["fingerprint"]
    assert objects[0] == objects[1]


def test_replay_sends_no_requests(admin: Client, upstream: Upstream) -> None:
    upstream.serve_pages(RECORDS)
    admin.post("/datasources", paged_source())
    ingest(admin, "coins")
    admin.patch("/datasources/coins", {"fields": {"number": "id"}})
    upstream.requests.clear()
    run = ingest(admin, "coins", {"replay": 1})
    assert (run["status"], run["version"], run["requests"], upstream.requests) == ("succeeded", 2, 0, [])
    assert rows(admin, "datasources/coins")[:2] == [{"number": 0}, {"number": 1}]
    assert admin.post("/datasources/coins/runs", {"replay": 99}).status == 404


def test_run_that_began_earlier_and_ended_later_is_not_published(
    services: Container, workflows: LocalWorkflows, admin: Client, upstream: Upstream
) -> None:
    upstream.serve([{"id": "old"}])
    admin.post("/datasources", http_source())
    workflows.hold = True
    early = admin.post("/datasources/coins/runs").json()
    workflows.hold = False
    upstream.serve([{"id": "new"}])
    ingest(admin, "coins")
    workflows.outcomes.clear()
    workflows.start(services.runs.get(early["id"]))
    late = admin.get(f"/runs/{early['id']}").json()
    assert (late["status"], late["version"]) == ("succeeded", 2)
    assert rows(admin, "datasources/coins") == [{"id": "new"}]


def test_manifest_describes_the_version(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source())
    run = ingest(admin, "coins")
    version = services.datasets.version(DatasetId.of_datasource("coins"), 1)
    manifest = Manifest.model_validate(orjson.loads(services.lake.get(version.manifest_key)))
    assert (manifest.dataset, manifest.run, manifest.rows) == ("datasource/coins", run["id"], 1)
    assert manifest.engine.startswith("duckdb ")
    body = services.lake.get(manifest.objects[0].key)
    assert len(body) == manifest.objects[0].bytes == manifest.bytes


def test_next_call_continues_when_the_time_is_over(
    services: Container, workflows: LocalWorkflows, admin: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.serve_pages(RECORDS)
    admin.post("/datasources", paged_source(pagination={"limit": 5}))
    serve = upstream.answer

    def answer(request: httpx.Request) -> StubResponse:
        spent = len(upstream.requests) % 2 == 0
        monkeypatch.setattr(
            "support.workflows.Context.get_remaining_time_in_millis", lambda _: 10 if spent else 900_000
        )
        return serve(request)

    upstream.answer = answer
    before = workflows.before_task

    def refill(function: str, payload: dict[str, Any]) -> None:
        monkeypatch.setattr("support.workflows.Context.get_remaining_time_in_millis", lambda _: 900_000)
        before(function, payload)

    workflows.before_task = refill
    run = ingest(admin, "coins")
    assert (run["status"], run["rows"]) == ("succeeded", 25)
    assert workflows.tasks.count("fetch") > 1
    assert len(upstream.requests) == 5, "no page is asked for twice"
