"""Requests by POST, PUT and DELETE: their bodies, redirects and repetitions."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from support.client import Client
from support.documents import http_source, ingest, rows
from support.upstream import StubResponse, Upstream, ok, raw

WRITING = ["POST", "PUT", "DELETE"]
BODY = {"query": {"size": 2}}


def source(admin: Client, **http: Any) -> None:
    answer = admin.post("/datasources", http_source(records="data", http=http))
    assert answer.status == 201, answer.text


@pytest.mark.parametrize("method", WRITING)
def test_method_and_body_reach_the_upstream(admin: Client, upstream: Upstream, method: str) -> None:
    upstream.serve({"data": [{"id": 1}]})
    source(admin, method=method, body=BODY)
    run = ingest(admin, "coins")
    assert (run["status"], rows(admin, "datasources/coins")) == ("succeeded", [{"id": 1}])
    assert [(request.method, json.loads(request.content)) for request in upstream.requests] == [(method, BODY)]
    assert [page["method"] for page in admin.get(f"/runs/{run['id']}/pages").json()["items"]] == [method]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_method_without_a_body(admin: Client, upstream: Upstream, method: str) -> None:
    upstream.serve({"data": []})
    source(admin, method=method)
    assert ingest(admin, "coins")["status"] == "succeeded"
    assert [(request.method, request.content) for request in upstream.requests] == [(method, b"")]


@pytest.mark.parametrize("method", WRITING)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_within_the_host(admin: Client, upstream: Upstream, method: str, status: int) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        return ok({"data": []}) if request.url.path == "/new" else raw(b"", status, location="/new")

    upstream.answer = answer
    source(admin, method=method, body=BODY)
    assert ingest(admin, "coins")["status"] == "succeeded"
    followed = upstream.requests[1]
    becomes_get = status == 303 or (method == "POST" and status in (301, 302))
    expected = ("GET", b"") if becomes_get else (method, upstream.requests[0].content)
    assert (followed.method, followed.content) == expected


@pytest.mark.parametrize("method", WRITING)
def test_body_is_not_sent_to_another_host(admin: Client, upstream: Upstream, method: str) -> None:
    upstream.answer = lambda request: raw(b"", 307, location="https://other.example.com/")
    source(admin, method=method, body=BODY)
    error = ingest(admin, "coins")["error"]
    assert "another host" in error["detail"]
    assert [one.url.host for one in upstream.requests] == ["coins.example.com"]


@pytest.mark.parametrize("method", WRITING)
def test_failed_request_is_repeated_with_its_body(admin: Client, upstream: Upstream, method: str) -> None:
    upstream.answer = lambda request: raw(b"", 503) if len(upstream.requests) == 1 else ok({"data": []})
    source(admin, method=method, body=BODY)
    assert ingest(admin, "coins")["status"] == "succeeded"
    assert [(one.method, json.loads(one.content)) for one in upstream.requests] == [(method, BODY)] * 2


def test_receipt_of_a_failed_request_names_its_method(admin: Client, upstream: Upstream) -> None:
    upstream.answer = lambda request: raw(b"", 400)
    source(admin, method="PUT", body=BODY)
    run = ingest(admin, "coins")
    (page,) = admin.get(f"/runs/{run['id']}/pages").json()["items"]
    assert (page["ok"], page["method"]) == (False, "PUT")


@pytest.mark.parametrize("method", WRITING)
def test_pages_in_the_body(admin: Client, upstream: Upstream, method: str) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        at = json.loads(request.content)["query"].get("at", 0)
        return ok({"data": [{"id": at}], "next": at + 1 if at < 2 else None})

    upstream.answer = answer
    pagination = {"type": "cursor", "path": "next", "body_path": "/query/at"}
    source(admin, method=method, body=BODY, pagination=pagination)
    run = ingest(admin, "coins")
    assert (run["status"], run["completeness"], run["rows"]) == ("succeeded", "complete", 3)


def test_get_has_no_body_and_other_methods_are_refused(admin: Client) -> None:
    refused = admin.post("/datasources", http_source(http={"method": "GET", "body": BODY}))
    assert refused.status == 422
    assert "a body needs the method POST, PUT or DELETE" in refused.text.replace("A body", "a body")
    for method in ("PATCH", "HEAD", "put"):
        answer = admin.post("/datasources", http_source(http={"method": method}))
        assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/http/method")
