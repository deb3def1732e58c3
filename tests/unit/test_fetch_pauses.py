"""The pauses that an upstream asks for hold for all requests of a run, and for its next call."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from sluice.sources.base import HandOver
from support.slow import Slow, stage_of
from support.upstream import StubResponse, raw


class Clock:
    """A time that passes only while the fetch stage waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        self.waited: list[float] = []
        monkeypatch.setattr("sluice.sources.http.requester.time.time", lambda: self.now)

    async def pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


class Limited(Slow):
    """Says once, at one page, that everybody is to wait for 60 seconds; notes when it was asked."""

    def __init__(self, count: int, clock: Clock, busy_at: int, status: int) -> None:
        super().__init__(count)
        self.clock = clock
        self.busy_at, self.status = busy_at, status
        self.times: list[tuple[int, float]] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.times.append((int(request.url.params["at"]), self.clock.now))
        return await super().answer(request)

    def page(self, at: int, times: int) -> StubResponse:
        if at == self.busy_at and times == 1:
            return raw(b"slow down", self.status, retry_after="60")
        return super().page(at, times)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("busy_at", [3, 9, 12])
def test_retry_after_pauses_all_requests(monkeypatch: pytest.MonkeyPatch, status: int, busy_at: int) -> None:
    clock = Clock(monkeypatch)
    upstream = Limited(60, clock, busy_at, status)
    stage = stage_of(upstream, 4, fetch_max_retry_after_seconds=120.0)
    stage._pause = clock.pause  # type: ignore[method-assign]
    index = stage.fetch()
    assert (index.completeness, index.requests) == ("complete", 21)
    assert clock.waited == [60], "once, for all of them"
    before = {at for at, moment in upstream.times if moment < 1_000_060}
    assert before == set(range(0, max(before) + 1, 3)), "what was under way"
    assert max(before) <= busy_at + 9


def test_requests_are_sequential_after_429(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else those that have waited would all come at once, and be refused again."""
    clock = Clock(monkeypatch)
    upstream = Limited(600, clock, 9, 429)
    under_way: list[tuple[int, int]] = []
    page = upstream.page

    def noted(at: int, times: int) -> StubResponse:
        under_way.append((at, upstream.under_way))
        return page(at, times)

    upstream.page = noted  # type: ignore[method-assign]
    stage = stage_of(upstream, 4, fetch_max_retry_after_seconds=120.0)
    stage._pause = clock.pause  # type: ignore[method-assign]
    stage.fetch()
    assert {count for at, count in under_way if 30 < at <= 120} == {1}
    assert max(count for at, count in under_way if at > 300) == 4, "until it has been calm for a while"


def test_later_pause_extends_an_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page waits for its next try, and the one after it is refused meanwhile."""
    clock = Clock(monkeypatch)
    upstream = Limited(60, clock, 6, 429)

    async def answer(request: httpx.Request) -> httpx.Response:
        at = int(request.url.params["at"])
        if at == 3 and not upstream.asked[3]:
            upstream.asked[3] += 1
            return raw(b"", 500).response()
        while at == 6 and not clock.waited:
            await asyncio.sleep(0)
        return await upstream.answer(request)

    async def pause(seconds: float) -> None:
        clock.waited.append(seconds)
        while upstream.under_way or not upstream.asked[6]:
            await asyncio.sleep(0)
        for _ in range(20):  # until its answer is read
            await asyncio.sleep(0.001)
        clock.now += seconds

    stage = stage_of(upstream, 2, fetch_max_retry_after_seconds=120.0, fetch_backoff_seconds=5.0)
    stage.transport = httpx.MockTransport(answer)
    stage._pause = pause  # type: ignore[method-assign]
    assert stage.fetch().completeness == "complete"
    assert [moment for at, moment in upstream.times if at == 3] == [pytest.approx(1_000_060, abs=2)]


def test_next_call_continues_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the page that the upstream was busy for is not the next one."""
    clock = Clock(monkeypatch)
    upstream = Limited(60, clock, 6, 429)

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params["at"] == "3" and not upstream.asked[3]:
            while not upstream.asked[6] or upstream.under_way:  # until the page after it was refused
                await asyncio.sleep(0)
            upstream.asked[3] += 1
            raise httpx.ConnectError("gone")
        return await upstream.answer(request)

    stage = stage_of(upstream, 4, fetch_max_retry_after_seconds=120.0)
    stage.transport = httpx.MockTransport(answer)
    stage._seconds_left = lambda: 60.0  # type: ignore[method-assign]
    for _ in range(2):
        clock.now = 1_000_000.0
        with pytest.raises(HandOver):
            asyncio.run(stage._call())
    assert upstream.asked[3] == 1, "not before its time"
    clock.now = 1_000_061.0
    assert stage.fetch().completeness == "complete"
