"""Webhooks that misbehave on a real connection."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

from sluice.domain.subscription import Delivery
from sluice.sources.address import AddressPolicy
from sluice.sources.http.client import vetted_transport
from sluice.subscriptions.sending import Outcome, send
from support.server import Server
from support.server import send as answer

DELIVERY = Delivery(
    id="dlv_1",
    event="run.failed",
    event_id="evt_1",
    created_at="2026-01-01T00:00:00.000Z",
    tries_left=1,
    body=json.dumps({"id": "evt_1"}),
)


PRIVATE = ("127.0.0.1", "localhost", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.1")


def deliver(url: str, allowed: str = "127.0.0.0/8", seconds: float = 5) -> Outcome:
    return send(vetted_transport(AddressPolicy(allowed)), url, "s", DELIVERY, seconds)


def test_private_addresses_are_not_called(server: Server) -> None:
    server.answer("/hook", b"")
    for host in PRIVATE:
        outcome = deliver(f"http://{host}:{server.port}/hook", allowed="")
        assert outcome.error is not None
        assert "private network" in outcome.error, host
    assert server.requests == []


def test_allowed_address_gets_the_body(server: Server) -> None:
    bodies: list[bytes] = []

    def accept(handler: BaseHTTPRequestHandler) -> None:
        bodies.append(handler.rfile.read(int(handler.headers["content-length"])))
        answer(handler, b"", 202)

    server.routes["/hook"] = accept
    assert deliver(f"{server.url}/hook") == Outcome(202, None)
    assert bodies == [DELIVERY.body.encode()]


def test_redirect_is_not_followed(server: Server) -> None:
    server.answer("/hook", b"", 302, location="/other")
    server.answer("/other", b"")
    assert deliver(f"{server.url}/hook").status == 302
    assert [path for path, _ in server.requests] == ["/hook"]


def test_huge_and_endless_answers_are_not_read(server: Server) -> None:
    ended = threading.Event()

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        except OSError:
            ended.set()

    server.routes["/hook"] = flood
    assert deliver(f"{server.url}/hook") == Outcome(200, None)
    assert ended.wait(5), "the connection was closed"


def test_huge_headers_are_refused(server: Server) -> None:
    def boast(handler: BaseHTTPRequestHandler) -> None:
        with suppress(OSError):  # the sender hangs up
            answer(handler, b"", x_large="x" * 5_000_000)

    server.routes["/hook"] = boast
    outcome = deliver(f"{server.url}/hook")
    assert outcome == Outcome(None, "There was no response: RemoteProtocolError.")


def test_silent_webhook_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        assert deliver(url, seconds=0.2) == Outcome(None, "There was no response within 0.2 seconds.")


def test_webhook_that_sends_headers_slowly_is_given_up(server: Server) -> None:
    stop = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        try:
            while not stop.wait(0.05):
                handler.wfile.write(b"x: y\r\n")
        except OSError:
            return

    server.routes["/hook"] = trickle
    outcome = deliver(f"{server.url}/hook", seconds=0.3)
    stop.set()
    assert outcome == Outcome(None, "There was no response within 0.3 seconds.")


def test_name_that_does_not_resolve() -> None:
    assert deliver("https://nowhere.invalid/hook") == Outcome(None, "There was no response: ConnectError.")
