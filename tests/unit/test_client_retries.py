"""Which requests the Python client sends again, and when."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

import sluice_client
from sluice.errors import RequestRunning
from sluice_client import (
    ApiError,
    NotFound,
    RateLimited,
    Sluice,
    Unreachable,
)
from sluice_client._retries import Retries
from support.scripted_server import KEY, URL, Answer, Server, answer


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("busy", [answer(429), answer(503), httpx.ReadError("cut"), httpx.ConnectTimeout("late")])
def test_busy_and_lost_requests_are_sent_again(method: str, busy: Answer) -> None:
    server = Server(busy, busy, answer())
    assert server.client().request(method, "/x", json={"a": 1}).status_code == 200
    assert len(server.requests) == 3
    assert 0.1 < server.pauses[0] < server.pauses[1] < 1
    assert {request.content for request in server.requests} == {b'{"a":1}'}
    keys = {request.headers.get("idempotency-key") for request in server.requests}
    assert len(keys) == 1
    assert (keys != {None}) == (method == "POST")


def test_each_post_has_a_key_of_its_own() -> None:
    server = Server(answer())
    client = server.client()
    client.post("/x")
    client.post("/x")
    client.post("/x", idempotency_key="mine")
    client.request("POST", "/x", headers={"idempotency-key": "mine"})
    first, second, third, fourth = [request.headers.get_list("idempotency-key") for request in server.requests]
    assert first != second
    assert third == fourth == ["mine"]


def test_retry_after_is_obeyed() -> None:
    server = Server(answer(429, Retry_After="7"), answer())
    server.client().get("/x")
    assert 7 <= server.pauses[0] < 8
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    server = Server(answer(503, Retry_After=moment), answer())
    server.client().get("/x")
    assert 25 < server.pauses[0] < 31
    server = Server(answer(503, Retry_After="soon"), answer())
    server.client().get("/x")
    assert server.pauses[0] < 1


@pytest.mark.parametrize("busy", [answer(429), answer(429, Retry_After="1000")])
def test_retries_of_a_busy_api_end(busy: httpx.Response) -> None:
    server = Server(busy)
    with pytest.raises(RateLimited) as limited:
        server.client().get("/x")
    assert sum(server.pauses) <= 120
    assert limited.value.retry_after == (1000 if "Retry-After" in busy.headers else None)


def test_post_waits_for_its_lost_first_attempt() -> None:
    # The API's answer while the first attempt still runs: tests/unit/test_requests.py.
    running = answer(409, RequestRunning("still running").problem())
    server = Server(httpx.ReadTimeout("late"), running, running, answer(201, {"id": 1}))
    assert server.client().post("/x") == {"id": 1}
    other = Server(answer(409, {"type": "urn:sluice:problem:conflict", "detail": "taken"}))
    with pytest.raises(sluice_client.Conflict, match="taken"):
        other.client().post("/x")
    assert len(other.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 422, 500, 502, 504])
def test_other_errors_are_not_retried(status: int) -> None:
    problem = {
        "type": "urn:sluice:problem:x",
        "title": "T",
        "status": status,
        "detail": "D",
        "errors": [{"pointer": "/a", "message": "M"}],
    }
    server = Server(answer(status, problem))
    with pytest.raises(ApiError) as raised:
        server.client().put("/projects/x", {})
    error = raised.value
    assert (error.status, error.type, error.title, error.detail) == (status, "urn:sluice:problem:x", "T", "D")
    assert error.errors == [{"pointer": "/a", "message": "M"}]
    assert str(error).startswith(f"PUT /projects/x answered {status}: D\n    /a: M")
    assert ("SLUICE_API_KEY" in str(error)) == (status == 401)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert (len(server.requests), server.pauses) == (1, [])


@pytest.mark.parametrize("first", [httpx.ReadError("cut off"), answer(503)], ids=["lost", "503"])
def test_deletion_whose_answer_was_lost_is_done(first: Answer) -> None:
    server = Server(first, answer(404, {"detail": "There is no x."}))
    server.client().delete("/x")
    assert [request.method for request in server.requests] == ["DELETE", "DELETE"]
    with pytest.raises(NotFound):
        Server(answer(404)).client().delete("/x")
    with pytest.raises(NotFound):
        Server(answer(429), answer(404)).client().delete("/x")
    with pytest.raises(NotFound):
        Server(first, answer(404)).client().get("/x")


def test_broken_download_begins_again_and_leaves_no_part(tmp_path: Path) -> None:
    def cut() -> Iterator[bytes]:
        yield b"a,b\n1"
        raise httpx.ReadError("cut")

    bodies: list[Callable[[], Any]] = [cut, lambda: [b"a,b\n", b"1,2\n"], cut]

    def handle(request: httpx.Request) -> httpx.Response:
        body = bodies.pop(0) if len(bodies) > 1 else bodies[0]
        return httpx.Response(200, content=iter(body()))

    client = Sluice(URL, KEY, transport=httpx.MockTransport(handle))
    client._connection.retries = Retries(sleep=lambda _: None)
    file = client.project("p").to_csv(tmp_path / "data.csv")
    assert file.read_text() == "a,b\n1,2\n"
    with pytest.raises(Unreachable):
        client.project("p").to_csv(file)
    assert file.read_text() == "a,b\n1,2\n"
    assert list(tmp_path.iterdir()) == [file]
