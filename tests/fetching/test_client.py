"""Requests to servers that mean no good."""

import asyncio
import gzip
import time
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import pytest

from sluice.errors import AddressForbidden, DataTooLarge, SluiceError, SourceRefused, UnreadableData
from sluice.sources.address import AddressPolicy
from sluice.sources.http.auth import Credentials
from sluice.sources.http.client import Request, Response, SourceClient, vetted_transport
from support.server import Server, send

LOOPBACK = "127.0.0.0/8"


def fetch(
    url: str,
    *,
    allowed: str = LOOPBACK,
    emulator: str = "",
    own: tuple[str, ...] = (),
    max_bytes: int = 1_000_000,
    credentials: Credentials | None = None,
    timeout: float = 5,
    headers: dict[str, str] | None = None,
) -> tuple[Response, bytes]:
    async def run() -> tuple[Response, bytes]:
        client = SourceClient(vetted_transport(AddressPolicy(allowed, own, emulator)), max_bytes)
        try:
            request = Request("GET", url, url, {}, headers or {}, None, timeout)
            received = await client.send(request, credentials or Credentials())
            with received.body:
                return received, received.body.read()
        finally:
            await client.aclose()

    return asyncio.run(run())


@pytest.mark.parametrize(
    "encode",
    [gzip.compress, zlib.compress, lambda body: gzip.compress(body[:3]) + gzip.compress(body[3:])],
    ids=["gzip", "deflate", "two members"],
)
def test_compressed_bodies_are_kept_decoded(server: Server, encode: Callable[[bytes], bytes]) -> None:
    body = b'[{"a": 1}]'
    server.answer("/a", encode(body), content_encoding="deflate" if encode is zlib.compress else "gzip")
    assert fetch(f"{server.url}/a")[1] == body


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        (gzip.compress(b"\0" * 50_000_000), {"content_encoding": "gzip"}, DataTooLarge),
        (b"x" * 2_000_000, {}, DataTooLarge),
        (b"not gzip", {"content_encoding": "gzip"}, UnreadableData),
        (gzip.compress(b"x" * 1000)[:-20], {"content_encoding": "gzip"}, httpx.RemoteProtocolError),
        (b"\x8b", {"content_encoding": "br"}, UnreadableData),
        (b"short", {"content_length": "500"}, httpx.RemoteProtocolError),
    ],
    ids=["bomb", "large", "no gzip", "cut gzip", "br", "cut body"],
)
def test_broken_encodings_and_oversized_bodies_are_refused(
    server: Server, body: bytes, headers: dict[str, str], error: type[Exception]
) -> None:
    def lie(handler: BaseHTTPRequestHandler) -> None:
        send(handler, body, status=200, **headers)
        handler.close_connection = True

    server.routes["/a"] = lie
    started = time.monotonic()
    with pytest.raises(error):
        fetch(f"{server.url}/a")
    assert time.monotonic() - started < 5


def test_slow_response_reaches_the_time_limit(server: Server) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "1000")
        handler.end_headers()
        try:
            for _ in range(100):
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            return

    server.routes["/a"] = drip
    started = time.monotonic()
    with pytest.raises((TimeoutError, httpx.TimeoutException)):
        fetch(f"{server.url}/a", timeout=0.5)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("/a", SourceRefused),
        ("file:///etc/passwd", SourceRefused),
        ("http://[bad", SourceRefused),
        ("javascript:alert(1)", SourceRefused),
        ("http://0177.0.0.1/", SourceRefused),
        ("//\u24dbocalhost/".encode().decode("latin-1"), SourceRefused),
        ("http://xn--zzzz--/", SourceRefused),
        ("http://a:99999/", SourceRefused),
    ],
    ids=["circle", "file", "no address", "script", "octal", "letters that look alike", "no IDN", "no port"],
)
def test_invalid_redirects_are_refused(server: Server, location: str, error: type[SluiceError]) -> None:
    server.answer("/a", b"", 302, location=location)
    with pytest.raises(error):
        fetch(f"{server.url}/a")


def test_credentials_do_not_follow_a_redirect_to_another_host(server: Server) -> None:
    with Server().running() as other:
        server.answer("/same", b"", 302, location="/there")
        server.answer("/other", b"", 302, location=f"{other.url}/there")
        for one in (server, other):
            one.answer("/there", b"[]")
        secret = Credentials(headers={"X-Key": "hunter2"}, params={"token": "hunter2"})
        mine = {"Authorization": "mine", "Accept": "application/json"}
        fetch(f"{server.url}/same", credentials=secret, headers=mine)
        fetch(f"{server.url}/other", credentials=secret, headers=mine)
        path, headers = server.requests[1]
        assert (path, headers["x-key"], headers["authorization"]) == ("/there?token=hunter2", "hunter2", "mine")
        path, headers = other.requests[0]
        assert path == "/there"
        assert "hunter2" not in str(headers)
        assert "authorization" not in headers


def test_private_addresses_are_not_called(server: Server) -> None:
    server.answer("/a", b"[]")
    with pytest.raises(AddressForbidden, match="PRIVATE_NETWORKS"):
        fetch(f"{server.url}/a", allowed="")
    with pytest.raises(AddressForbidden):
        fetch(f"http://localhost:{server.port}/a", allowed="10.0.0.0/8")
    assert server.requests == []


def test_a_redirect_into_a_private_network_is_not_followed(server: Server) -> None:
    server.answer("/a", b"", 302, location="http://10.0.0.1/admin")
    with pytest.raises(AddressForbidden):
        fetch(f"{server.url}/a")


UNUSABLE = [
    "http://0177.0.0.1/",
    "http://\u24dbocalhost/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://xn--zzzz--/",
    "http://\u2603\u00ad.net/",
    "http://999.1.1.1/",
    "http://[::1",
    "http://a:99999/",
]


@pytest.mark.parametrize("url", UNUSABLE, ids=ascii)
def test_invalid_addresses_are_refused(url: str) -> None:
    with pytest.raises(AddressForbidden, match="not a valid HTTP address"):
        fetch(url)


def test_emulator_is_never_called(server: Server) -> None:
    server.answer("/a", b"[]")
    for name in ("127.0.0.1", "localhost", "127.0.0.2", "0.0.0.0", "[::ffff:127.0.0.1]"):
        with pytest.raises(AddressForbidden, match="this stack"):
            fetch(f"http://{name}:{server.port}/a", allowed="0.0.0.0/0,::/0", emulator=server.url)
    with Server().running() as other:
        other.answer("/to", b"", 302, location=f"http://localhost:{server.port}/a")
        with pytest.raises(AddressForbidden, match="this stack"):
            fetch(f"{other.url}/to", emulator=server.url)
        assert len(other.requests) == 1, "other ports of this machine may be called where the setting allows it"
    assert server.requests == []


def test_own_names_of_the_stack_are_never_called(server: Server) -> None:
    with pytest.raises(AddressForbidden, match="this stack"):
        fetch(f"http://LOCALHOST:{server.port}/a", own=(f"http://localhost:{server.port}/v1",))
    assert server.requests == []


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("fec0::1", False),
        ("feff::1", False),
        ("192.88.99.1", False),
        ("3fff::1", False),
        ("3fff:fff::1", False),
        ("2a00:1450:4001::1", True),
        ("::ffff:192.88.99.1", False),
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("2002:7f00:1::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
    ],
)
def test_which_addresses_are_public(address: str, allowed: bool) -> None:
    assert AddressPolicy().allows(address) is allowed
    assert AddressPolicy("0.0.0.0/0,::/0").allows(address) or ":" in address


def test_retry_after_is_parsed(server: Server) -> None:
    server.answer("/seconds", b"", 429, retry_after="7")
    server.answer("/date", b"", 503, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
    server.answer("/nothing", b"", 503, retry_after="soon")
    waits: list[Any] = [fetch(f"{server.url}/{name}")[0].retry_after() for name in ("seconds", "date", "nothing")]
    assert waits == [7.0, 0.0, None]


def test_a_name_that_does_not_resolve() -> None:
    for host in ("no-such-host.invalid", "a" * 70 + ".invalid"):
        with pytest.raises(httpx.ConnectError, match="does not resolve"):
            fetch(f"http://{host}/", timeout=20)
