"""An upstream whose answers come in any order, and the fetch stage that reads it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import httpx

from sluice.domain.run import PageReceipt
from support.fetch_stage import FetchStage, MemoryPages
from support.upstream import StubResponse, ok, raw

OFFSET = {"type": "offset", "offset_param": "at", "limit_param": "n", "limit": 3, "total": "total"}
PAGE = {"type": "page", "page_param": "page", "total_pages": "pages"}
URL = "https://d.example.com/v1"


class Slow:
    """An upstream whose answers come in any order; each depends on its address, and how often that was asked before.

    Args:
        faults: what is wrong with the pages at these places, and for how many requests.
    """

    def __init__(self, count: int, faults: dict[int, tuple[str, int]] | None = None, seed: int = 0) -> None:
        self.count = count
        self.faults = faults or {}
        self.asked: Counter[int] = Counter()
        self.order: list[int] = []
        self.under_way = self.most_under_way = 0
        self._random = random.Random(seed)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        at = 3 * (int(params["page"]) - 1) if "page" in params else int(params["at"])
        self.asked[at] += 1
        self.order.append(at)
        times = self.asked[at]
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            for _ in range(self._random.randrange(12)):
                await asyncio.sleep(0)
            return self.page(at, times).response()
        finally:
            self.under_way -= 1

    def page(self, at: int, times: int) -> StubResponse:
        fault, lasts = self.faults.get(at // 3, ("", 0))
        if times > lasts:
            fault = ""
        if fault in ("busy", "broken", "refused"):
            return raw(b"", {"busy": 503, "broken": 500, "refused": 403}[fault])
        if fault == "lost":
            raise httpx.ConnectError("gone")
        if fault == "error":
            return ok({"error": "slow down"})
        size = {"short": 2, "long": 5, "empty": 0}.get(fault, 3)
        first = 0 if fault == "again" else at
        total: int | None = self.count + {"fewer": -4, "more": 4}.get(fault, 0)
        total = None if fault == "uncounted" else total
        data = [{"id": number} for number in range(self.count)[first : first + size]]
        return ok({"data": data, "total": total, "pages": None if total is None else -(-total // 3)})


def stage_of(upstream: Slow, concurrency: int, pagination: dict[str, Any] = OFFSET, **more: Any) -> FetchStage:
    document = {
        "name": "d",
        "kind": "http",
        "http": {"url": URL, "pagination": pagination, "concurrency": concurrency},
        "records": "data",
        "primary_key": ["id"],
    }
    stage = FetchStage(document, httpx.MockTransport(upstream.answer), **more)
    stage.pages = OrderlyPages(stage)
    return stage


class OrderlyPages(MemoryPages):
    """Refuses the receipt of a page that is not in the lake, or before those of the pages in front of it."""

    def __init__(self, stage: FetchStage) -> None:
        super().__init__()
        self._stage = stage

    def put(self, run_id: str, receipt: PageReceipt) -> None:
        if receipt.ok:
            assert f"raw/{receipt.hash}" in self._stage.lake.objects
            assert all(number in self.receipts for number in range(1, receipt.number))
        super().put(run_id, receipt)
