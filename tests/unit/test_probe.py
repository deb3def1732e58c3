"""Check and preview: one live look, and nothing stored."""

from typing import Any

import boto3
import httpx
import pytest

from sluice.container import Container
from support.client import Client
from support.documents import http_source, paged_source
from support.upstream import Upstream, ok, raw


def nothing_is_stored(services: Container, upstream: Upstream, requests: int) -> None:
    assert len(upstream.requests) == requests
    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket="lake")
    assert list(services.runs.newest()) == []


@pytest.mark.parametrize("saved", [True, False])
def test_check(services: Container, editor: Client, upstream: Upstream, saved: bool) -> None:
    upstream.serve({"data": [{"id": 1}, {"id": 2}], "total": 2})
    document = paged_source()
    if saved:
        editor.post("/datasources", document)
    answer = editor.post("/datasources/coins/check") if saved else editor.post("/datasources/check", document)
    assert answer.status == 200, answer.text
    body = answer.json()
    elapsed = body.pop("elapsed_ms")
    assert body == {"ok": True, "status": 200, "records": 2, "reason": None}
    assert isinstance(elapsed, int)
    nothing_is_stored(services, upstream, 1)


def broken(request: httpx.Request) -> Any:
    raise httpx.ConnectError("the name coins.example.com does not resolve")


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (lambda request: raw(b"", 403), 403, "answered 403"),
        (lambda request: raw(b"", 503), 503, "answered 503"),
        (lambda request: ok({"x": 1}), 200, "selects nothing"),
        (lambda request: raw(b"<html>"), 200, "HTML"),
        (broken, None, "does not resolve"),
    ],
)
def test_a_check_that_fails_says_why(
    services: Container, editor: Client, upstream: Upstream, answer: Any, status: int | None, message: str
) -> None:
    upstream.answer = answer
    body = editor.post("/datasources/check", http_source(records="data")).json()
    assert (body["ok"], body["status"], body["records"]) == (False, status, None)
    assert message in body["reason"]
    nothing_is_stored(services, upstream, 1)


def test_a_check_without_its_secret(services: Container, admin: Client, upstream: Upstream) -> None:
    document = http_source(http={"auth": {"type": "bearer", "secret": "none"}})
    body = admin.post("/datasources/check", document).json()
    assert (body["ok"], "There is no secret" in body["reason"]) == (False, True)
    nothing_is_stored(services, upstream, 0)


@pytest.mark.parametrize("saved", [True, False])
def test_preview(services: Container, editor: Client, upstream: Upstream, saved: bool) -> None:
    records = [{"id": number, "at": "2026-01-31T12:00:00Z", "tags": [1]} for number in range(25)]
    upstream.serve_pages(records)
    document = paged_source(types={"at": "timestamp"})
    if saved:
        editor.post("/datasources", document)
    path, body = ("/datasources/coins/preview", None) if saved else ("/datasources/preview", document)
    preview = editor.post(f"{path}?pages=2", body).json()
    assert (preview["pages"], len(preview["records"])) == (2, 20)
    assert preview["records"][0] == {"id": 0, "at": "2026-01-31T12:00:00Z", "tags": [1]}
    assert preview["schema"] == [
        {"name": "id", "type": "bigint", "nullable": False},
        {"name": "at", "type": "timestamp", "nullable": False},
        {"name": "tags", "type": "json", "nullable": False},
    ]
    assert preview["warnings"] == []
    assert editor.post(f"{path}?pages=9", body).json()["pages"] == 3
    assert editor.post(f"{path}?pages=11", body).status == 422
    nothing_is_stored(services, upstream, 5)


def test_a_preview_shows_a_hundred_records_at_most(services: Container, editor: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": number, "odd": None if number < 150 else 1.5} for number in range(200)])
    body = editor.post("/datasources/preview", http_source()).json()
    assert len(body["records"]) == 100
    assert body["schema"][1] == {"name": "odd", "type": "double", "nullable": True}, "all records decide the types"


def test_a_preview_without_a_name_and_of_text(services: Container, editor: Client, upstream: Upstream) -> None:
    upstream.answer = lambda request: raw(b"a;b\n1;2,5\n", media_type="text/csv")
    body = editor.post("/datasources/preview", {"kind": "http", "http": {"url": "https://x.example.com"}}).json()
    assert body["records"] == [{"a": 1, "b": 2.5}]


def test_a_preview_that_fails_is_a_problem(services: Container, editor: Client, upstream: Upstream) -> None:
    upstream.answer = lambda request: raw(b"", 401)
    answer = editor.post("/datasources/preview", http_source())
    assert (answer.status, answer.json()["type"]) == (422, "urn:sluice:problem:source-refused")


def test_permissions_and_validation_of_probes(services: Container, admin: Client, viewer: Client) -> None:
    for name in ("check", "preview"):
        assert viewer.post(f"/datasources/{name}", http_source()).status == 403
        assert admin.post(f"/datasources/{name}", "{").status == 400
        assert admin.post(f"/datasources/{name}", {"kind": "http"}).status == 422
        assert admin.post(f"/datasources/{name}", {"kind": "file"}).status == 409
        assert admin.post(f"/datasources/none/{name}").status == 404
        assert admin.post("/datasources", http_source(name)).status == 422, "the name is a route's"
