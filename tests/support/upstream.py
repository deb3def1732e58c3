"""Upstreams for tests without sockets: their responses, and the requests that they have received."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class StubResponse:
    """A response of an upstream.

    Args:
        framed: whether it has a `Content-Length`.
    """

    status: int
    body: bytes
    headers: dict[str, str]
    framed: bool = True

    def response(self) -> httpx.Response:
        framed = {"content-length": str(len(self.body))} if self.framed else {}
        return httpx.Response(self.status, headers=framed | self.headers, stream=httpx.ByteStream(self.body))


class Upstream:
    """An HTTP API in this process; `answer` may be changed at any time."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer: Callable[[httpx.Request], StubResponse] = lambda request: ok([])

    def transport(self) -> httpx.MockTransport:
        def handle(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return self.answer(request).response()

        return httpx.MockTransport(handle)

    def serve(self, document: Any) -> None:
        self.answer = lambda request: ok(document)

    def serve_pages(self, records: list[Any], *, start: int = 0, total: bool = True, lie: int = 0) -> None:
        def answer(request: httpx.Request) -> StubResponse:
            offset = int(request.url.params["start"]) - start
            limit = int(request.url.params["limit"])
            page: dict[str, Any] = {"data": records[offset : offset + limit]}
            if total:
                page["total"] = len(records) + lie
            return ok(page)

        self.answer = answer


def ok(document: Any, **headers: str) -> StubResponse:
    return raw(json.dumps(document).encode(), status=200, framed=True, **headers)


def raw(
    body: bytes, status: int = 200, media_type: str = "application/json", framed: bool = True, **headers: str
) -> StubResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return StubResponse(status, body, {"content-type": media_type, **named}, framed)
