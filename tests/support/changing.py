"""An upstream with records in pages, which change between two requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from support.documents import http_source
from support.upstream import StubResponse, Upstream, ok

Ids = list[int]
OFFSET = {"type": "offset", "offset_param": "at", "limit_param": "n", "limit": 10, "total": "total"}
MORE = {"type": "offset", "offset_param": "at", "limit_param": "n", "limit": 10, "has_more": "more"}
PAGE = {"type": "page", "page_param": "page", "total_pages": "pages"}
NEXT = {"type": "next_url", "path": "next"}
CURSOR = {"type": "cursor", "path": "cursor", "param": "c"}
PAGINATIONS: dict[str, dict[str, Any]] = {"offset": OFFSET, "has_more": MORE, "page": PAGE, "next_url": NEXT}


class Changing:
    """Records with these ids; `before` says what happens before which request."""

    def __init__(self, upstream: Upstream, count: int = 25) -> None:
        self.ids = list(range(count))
        self.size = 10
        self.before: dict[int, Callable[[Ids], Any]] = {}
        self.total: Callable[[], Any] = lambda: len(self.ids)
        self.asked = 0
        upstream.answer = self.answer

    def answer(self, request: httpx.Request) -> StubResponse:
        self.asked += 1
        if self.asked in self.before:
            self.before[self.asked](self.ids)
        params = request.url.params
        at = self.size * (int(params["page"]) - 1) if "page" in params else int(params.get("at", 0))
        ids = self.ids[at : at + self.size]
        more = at + len(ids) < len(self.ids)
        return ok(
            {
                "data": [{"id": number, "v": f"v{number}"} for number in ids],
                "total": self.total(),
                "pages": -(-len(self.ids) // self.size),
                "more": more,
                "next": f"?at={at + len(ids)}" if more else None,
            }
        )


def paged(pagination: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The datasource that reads it."""
    return http_source(http={"pagination": pagination}, records="data", primary_key=["id"]) | more


def delete_first(ids: Ids) -> None:
    del ids[0]


def insert_first(ids: Ids) -> None:
    ids.insert(0, 1000)


def delete_and_insert(ids: Ids) -> None:
    del ids[0]
    ids.append(1000)
