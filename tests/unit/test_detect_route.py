"""`POST /datasources/detect`: its answers, who may ask, and that nothing is stored."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from sluice.container import Container
from support.client import Client
from support.documents import ingest, rows
from support.public_apis import APIS
from support.upstream import Upstream, ok, raw

URL = "https://coins.example.com/v1/coins"


@pytest.mark.parametrize("name", ["GitHub", "Open-Meteo", "Socrata as CSV", "an object of objects"])
def test_proposed_document_is_saved_as_it_is_and_ingested(
    services: Container, admin: Client, upstream: Upstream, name: str
) -> None:
    api = APIS[name]
    upstream.answer = api.answer
    answer = admin.post("/datasources/detect", {"url": api.url})
    assert answer.status == 200, answer.text
    body = answer.json()
    assert body["sample"]["warnings"] == body["warnings"] == []
    assert len(body["sample"]["records"]) == min(10, api.rows)
    assert body["requests"] == len(upstream.requests)
    assert list(services.runs.newest()) == []
    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket="lake")
    assert admin.get("/datasources").json()["items"] == []
    saved = admin.post("/datasources", body["document"])
    assert saved.status == 201, saved.text
    run = ingest(admin, body["document"]["slug"])
    assert (run["status"], run["rows"], run["completeness"]) == ("succeeded", api.rows, api.end)
    first = rows(admin, f"datasources/{body['document']['slug']}")[0]
    assert first.keys() == body["sample"]["records"][0].keys()


def test_slug_is_free(editor: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1}, {"id": 2}])
    documents = []
    for _ in range(2):
        documents.append(editor.post("/datasources/detect", {"url": URL}).json()["document"])
        assert editor.post("/datasources", documents[-1]).status == 201
    assert [document["slug"] for document in documents] == ["example-coins", "example-coins-2"]


def test_credentials_of_the_document(admin: Client, upstream: Upstream) -> None:
    admin.put("/secrets/coins", {"value": "s3cr3t", "hosts": ["coins.example.com"]})
    auth = {"type": "api_key", "in": "header", "name": "X-Key", "secret": "coins"}
    upstream.answer = lambda request: (
        ok([{"id": 1}, {"id": 2}]) if request.headers.get("x-key") == "s3cr3t" else raw(b"", 401)
    )
    answer = admin.post("/datasources/detect", {"url": URL, "auth": auth})
    assert answer.json()["document"]["http"]["auth"] == auth
    assert "s3cr3t" not in answer.text
    refused = admin.post("/datasources/detect", {"url": "https://other.example.com/", "auth": auth})
    assert (refused.status, refused.json()["type"]) == (422, "urn:sluice:problem:secret-forbidden")
    missing = admin.post("/datasources/detect", {"url": URL, "auth": auth | {"secret": "none"}})
    assert (missing.status, missing.json()["type"]) == (422, "urn:sluice:problem:secret-missing")
    assert len(upstream.requests) == 1, "without its secret, no request is sent"


def test_errors_of_the_upstream_are_problems(editor: Client, upstream: Upstream) -> None:
    upstream.answer = lambda request: raw(b"", 401)
    answer = editor.post("/datasources/detect", {"url": f"{URL}?api_key=s3cr3tvalue"})
    assert (answer.status, answer.json()["type"]) == (422, "urn:sluice:problem:source-refused")
    assert answer.json()["detail"] == "The upstream answered 401; check the secret."
    assert "s3cr3tvalue" not in answer.text


@pytest.mark.parametrize(
    ("body", "pointer", "message"),
    [
        ({}, "/url", "required"),
        ({"url": "ftp://x.example.com"}, "/url", "Give a whole address such as https://"),
        ({"url": "foo"}, "/url", "Give a whole address such as https://"),
        ({"url": "https://user:pass@x.example.com/"}, "/url", "name it in `auth`"),
        ({"url": "http://0177.0.0.1/"}, "/url", "dotted-decimal"),
        ({"url": URL, "auth": {"type": "bearer"}}, "/auth/secret", "required"),
        ({"url": URL, "pages": 2}, "/pages", "Unknown field"),
    ],
)
def test_invalid_requests(editor: Client, upstream: Upstream, body: Any, pointer: str, message: str) -> None:
    answer = editor.post("/datasources/detect", body)
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert message in answer.json()["errors"][0]["message"]
    assert "pass@" not in answer.text
    assert upstream.requests == []


def test_permissions(editor: Client, viewer: Client, upstream: Upstream) -> None:
    assert viewer.post("/datasources/detect", {"url": URL}).status == 403
    assert editor.post("/datasources/detect", "{").status == 400
    assert upstream.requests == []
