"""Requests of the Python client: addresses, redirects, hostile servers, and the key, which stays secret."""

from __future__ import annotations

import gzip
import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

import sluice_client
from sluice_client import (
    ApiError,
    ConfigurationError,
    InvalidResponse,
    Sluice,
    SluiceError,
    Unreachable,
)
from sluice_client._connection import text_of
from support.scripted_server import KEY, URL, Server, answer

STORAGE = "https://lake.s3.test/object?X-Amz-Signature=abcdef"


def redirect(location: str, status: int = 303) -> httpx.Response:
    return httpx.Response(status, headers={"Location": location}, json={"location": location})


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "ApiError"),
        (401, "AuthenticationError"),
        (403, "PermissionDenied"),
        (404, "NotFound"),
        (405, "ApiError"),
        (409, "Conflict"),
        (412, "PreconditionFailed"),
        (413, "PayloadTooLarge"),
        (422, "ValidationError"),
        (500, "ServerError"),
        (504, "ServerError"),
    ],
)
def test_class_of_an_error_follows_from_the_status(status: int, name: str) -> None:
    with pytest.raises(ApiError) as raised:
        Server(answer(status)).client().get("/x")
    assert type(raised.value) is getattr(sluice_client, name)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"<html><head><title>502 Bad &lt;Gateway</title></head><body>...</body></html>", "web page, '502 Bad"),
        (b'{"message": "Forbidden"}', "Forbidden"),
        (b'{"detail": "cut', "cut"),
        (b"[1]", "[1]"),
        (b"", "Bad Gateway"),
        (b"\xff\xfe", "answered 502"),
        (b'{"detail": null, "errors": "x"}', "no details"),
        (b'{"detail": "d", "errors": [1, {"pointer": 2}]}', "d\n    2: "),
        (b"[" * 100_000, "[["),
    ],
)
def test_errors_that_are_no_problems(content: bytes, expected: str) -> None:
    server = Server(httpx.Response(502, content=content))
    with pytest.raises(sluice_client.ServerError) as raised:
        server.client().get("/x")
    assert expected in str(raised.value)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize(
    "odd",
    [
        httpx.Response(200, text="<html><title>Sign in</title></html>", headers={"Content-Type": "text/html"}),
        httpx.Response(200, content=b'{"items": [1, 2'),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, content=b"\xff\xfe\x00"),
        httpx.Response(200, content=b"\x1f\x8b", headers={"X-Encoding": "gzip"}),
        redirect("https://elsewhere.test/v1/x", 301),
        redirect("https://elsewhere.test/v1/x", 307),
        redirect("file:///etc/passwd"),
        redirect("gopher://x.test/"),
        redirect("https:///nohost"),
        redirect(STORAGE),
        httpx.Response(303),
    ],
    ids=lambda odd: f"{odd.status_code} {odd.headers.get('Location', '')}{odd.content[:8]!r}",
)
def test_answers_of_other_servers_are_refused(odd: httpx.Response) -> None:
    server = Server(odd)
    with pytest.raises(InvalidResponse) as raised:
        server.client().get("/x")
    assert "Signature" not in str(raised.value), "a presigned address is a secret"
    assert KEY not in str(raised.value)
    assert len(server.requests) <= 6


def test_redirect_to_an_address_that_cannot_be_read() -> None:
    with pytest.raises(Unreachable, match="location header"):
        Server(redirect("http://storage.test:port/")).client().get("/x")


def test_broken_compression_is_an_invalid_response() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip"))

    with pytest.raises(InvalidResponse, match="cannot be decoded"):
        Sluice(URL, KEY, transport=httpx.MockTransport(handle)).get("/x")


@pytest.mark.parametrize(
    "target",
    [STORAGE, "https://sluice.test/lake/object?X-Amz-Signature=a", "/lake/object"],
    ids=["host", "same host", "relative"],
)
def test_redirects_are_followed_without_the_key(target: str) -> None:
    server = Server(redirect(target), redirect("https://region.s3.test/object", 307), answer(200, {"items": [1]}))
    assert server.client().get("/projects/p/data", format="json") == {"items": [1]}
    asked, *others = server.requests
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert [str(request.url) for request in others] == [
        str(httpx.URL(URL).join(target)),
        "https://region.s3.test/object",
    ]
    for request in others:
        assert request.method == "GET"
        assert KEY not in str(request.headers.raw)


def test_cookies_and_bodies_do_not_reach_the_storage() -> None:
    first = httpx.Response(303, headers={"Location": STORAGE, "Set-Cookie": "session=1"})
    server = Server(first, answer(200, {"items": []}))
    server.client().post("/projects/p/query", {"sql": "SELECT 1"})
    assert server.requests[1].content == b""
    assert not {"cookie", "content-type", "idempotency-key"} & set(server.requests[1].headers)


def test_refusal_of_the_storage_is_not_one_of_the_api() -> None:
    server = Server(redirect(STORAGE), httpx.Response(403, text="<Error><Code>AccessDenied</Code></Error>"))
    with pytest.raises(InvalidResponse, match=r"the storage answered 403.*AccessDenied"):
        server.client().get("/x")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "cannot be reached .*make up"),
        (httpx.ReadTimeout("late"), "did not answer within 60 s"),
        (httpx.RemoteProtocolError("Server disconnected"), "Server disconnected"),
    ],
)
def test_unreachable_api_says_what_to_do(error: httpx.TransportError, expected: str) -> None:
    server = Server(error)
    with pytest.raises(Unreachable, match=expected) as raised:
        server.client().get("/projects/p", key="x")
    assert "https://sluice.test/" in str(raised.value)
    assert len(server.requests) == 3
    storage = Server(redirect(STORAGE), error)
    with pytest.raises(Unreachable) as lost:
        storage.client().get("/x")
    assert "Signature" not in str(lost.value)


def test_key_is_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = httpx.Response(500, text=f"<pre>GET /x\nAuthorization: Bearer {KEY}</pre>")
    server = Server(answer(503), httpx.ReadError("cut"), echo)
    client = server.client()
    assert KEY not in repr(client) + repr(client._connection) + repr(client.project("p")) + str(vars(client))
    with pytest.raises(SluiceError) as raised:
        client.get("/x")
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + str(vars(raised.value))
    assert KEY not in shown
    assert "[key]" in shown
    assert KEY not in caplog.text
    assert "Sending a request again" in caplog.text


@pytest.mark.parametrize("key", [f"{KEY}\nX: 1", f"two {KEY}", "schlüssel", "", "  "])
def test_unusable_key_is_refused_without_showing_it(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="SLUICE_API_KEY") as raised:
        Sluice(URL, key)
    assert not key.strip() or key not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["", "sluice.test/v1", "ftp://sluice.test/v1", "https://sluice.test", "https:///v1", "http://[v1", "/v1"]
)
def test_unusable_address_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_API", raising=False)
    with pytest.raises(ConfigurationError, match=r"SLUICE_API|cannot be read"):
        Sluice(url, KEY)


def test_password_in_the_address_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigurationError) as raised:
        Sluice(f"https://user:{KEY}@sluice.test/v1", "key")
    assert KEY not in str(raised.value)


def test_address_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_API", f"{URL}/")
    monkeypatch.setenv("SLUICE_API_KEY", f"{KEY}\n")
    server = Server(answer())
    with Sluice(transport=httpx.MockTransport(server.handle)) as client:
        assert client.url == URL
        client.get("me")
    assert str(server.requests[0].url) == f"{URL}/me"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    with pytest.raises(RuntimeError, match="closed"):
        client.get("me")


@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        ("/runs?limit=3", {}, "/runs?limit=3"),
        ("runs?limit=3", {"status": "failed"}, "/runs?limit=3&status=failed"),
        (f"{URL}/runs/1", {}, "/runs/1"),
        ("https://evil.test/v1/x", {}, "/https://evil.test/v1/x"),
        ("//evil.test/x", {}, "/evil.test/x"),
        ("/a b\n", {}, "/a%20b%0A"),
        ("/x", {"a": None, "b": [], "c": True, "d": ["1", "2"], "e": 1.5}, "/x?c=true&d=1&d=2&e=1.5"),
        ("/x", {"since": datetime(2026, 1, 31, 13, tzinfo=UTC)}, "/x?since=2026-01-31T13%3A00%3A00Z"),
    ],
)
def test_addresses_of_requests(path: str, params: dict[str, Any], expected: str) -> None:
    server = Server(answer())
    server.client().get(path, **params)
    assert str(server.requests[0].url) == URL + expected


def test_naive_times_are_utc() -> None:
    assert text_of(datetime(2026, 1, 31, 12, 0, 0, 5)) == "2026-01-31T12:00:00.000005Z"
    assert text_of(datetime.fromisoformat("2026-01-31T12:00:00+02:00")) == "2026-01-31T10:00:00Z"


def test_bodies_and_headers() -> None:
    server = Server(answer(200, {"a": 1}, ETag='"7"'))
    client = server.client()
    assert client.put("/x", {"é": 1}, headers={"If-Match": '"6"'}) == {"a": 1}
    assert client.patch("/x", {"a": None}) == {"a": 1}
    client.delete("/x", force=True)
    client.post("/x")
    put, patch, delete, post = server.requests
    assert (put.content, put.headers["if-match"]) == ('{"é":1}'.encode(), '"6"')
    assert (patch.content, patch.headers["content-type"]) == (b'{"a":null}', "application/merge-patch+json")
    assert str(delete.url) == f"{URL}/x?force=true"
    assert post.content == b""
    assert put.headers["user-agent"].startswith(f"sluice-client/{sluice_client.__version__} ")
    with pytest.raises(ValueError, match="not JSON compliant"):
        client.post("/x", {"a": float("nan")})
    assert Server(httpx.Response(204)).client().get("/x") is None


def test_fault_that_the_detail_describes_is_shown_once() -> None:
    faults = [{"pointer": "/sql", "message": "There is no table x."}, {"pointer": "/a", "message": "Unknown field."}]
    problem = {"detail": "There is no table x.", "errors": faults}
    with pytest.raises(ApiError) as raised:
        Server(answer(422, problem)).client().get("/x")
    assert str(raised.value) == "GET /x answered 422: There is no table x. (/sql)\n    /a: Unknown field."


def test_lists_end_even_if_the_server_never_ends_them() -> None:
    server = Server(answer(200, {"items": [1], "next": "same"}))
    items = server.client().items("/x")
    assert next(items) == 1
    with pytest.raises(InvalidResponse, match="again and again"):
        list(items)
    alternating = [answer(200, {"items": [n], "next": cursor}) for n, cursor in enumerate(["a", "b"] * 3)]
    with pytest.raises(InvalidResponse, match="again and again"):
        list(Server(*alternating).client().items("/x"))
    with pytest.raises(InvalidResponse, match="not a list"):
        list(Server(answer(200, {"items": None})).client().items("/x"))
    over = Server(answer(200, {"items": [1, 2, 3], "next": "more"}))
    assert list(over.client().items("/x", limit=2)) == [1, 2], "a server that ignores the limit"


def test_compressed_answers_are_read() -> None:
    body = gzip.compress(json.dumps({"a": 1}).encode())

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(body))

    assert Sluice(URL, KEY, transport=httpx.MockTransport(handle)).get("/x") == {"a": 1}


def test_proxies_of_the_environment_serve_other_machines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
    for url, proxied in ((URL, True), ("http://127.0.0.1:4566/v1", False), ("http://localhost:4566/v1", False)):
        client = Sluice(url, KEY)
        assert bool([mount for mount in client._connection._http._mounts.values() if mount]) == proxied
        client.close()
