"""Pages that are asked for ahead and stored behind: whatever the order of the answers, the run ends as one page
after the other would end it.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter, defaultdict
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.errors import RunStopped, Unavailable
from sluice.sources import identities, page_reader
from sluice.sources.requester import HandOver
from support.fetch_stage import FetchStage, MemoryPages, MemoryRuns
from support.upstream import Canned, ok, raw

EXAMPLES = 6000 if os.environ.get("PROOF") else 120
OFFSET = {"type": "offset", "offset_param": "at", "limit_param": "n", "limit": 3, "total": "total"}
PAGE = {"type": "page", "page_param": "page", "total_pages": "pages"}
URL = "https://d.example.com/v1"
# What an address may answer instead of its page: other contents for ever, failures also once or twice.
CONTENTS = ["short", "long", "empty", "uncounted", "fewer", "more", "error", "again"]
FAILURES = ["busy", "broken", "refused", "lost"]
faults_of_a_page = st.one_of(
    st.tuples(st.sampled_from(CONTENTS), st.just(99)), st.tuples(st.sampled_from(FAILURES), st.sampled_from([1, 2, 99]))
)


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

    def page(self, at: int, times: int) -> Canned:
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


TIMES = {"fetched_at", "run", "failures"}


def plain(receipt: PageReceipt) -> dict[str, Any]:
    """A receipt without what differs between two runs alike."""
    failures = [(failure["status"], failure["reason"], failure["hash"]) for failure in receipt.failures]
    return {**receipt.model_dump(exclude=TIMES), "failures": failures}


def outcome(stage: FetchStage) -> Any:
    """All that a run has to say of its pages."""
    index: FetchIndex | None = None
    error = None
    try:
        index = stage.fetch()
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    receipts = [plain(receipt) for receipt in stage.pages.of_run("")]
    if index is None:
        return error, receipts
    pages = [[plain(page) for page in some] for some in (index.pages, index.unused_pages)]
    return index.model_dump(exclude={*TIMES, "pages", "unused_pages"}), pages, receipts


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(0, 32),
    st.dictionaries(st.integers(0, 10), faults_of_a_page, max_size=3),
    st.sampled_from([OFFSET, PAGE, {**OFFSET, "max_pages": 4}, {**PAGE, "verify": "always"}, {**OFFSET, "limit": 5}]),
    st.integers(2, 8),
    st.integers(0, 9999),
)
def test_pages_end_as_one_after_the_other(
    count: int, faults: dict[int, tuple[str, int]], pagination: dict[str, Any], concurrency: int, seed: int
) -> None:
    expected = outcome(stage_of(Slow(count, faults), 1, pagination))
    upstream = Slow(count, faults, seed)
    assert outcome(stage_of(upstream, concurrency, pagination)) == expected
    assert upstream.most_under_way <= concurrency


@pytest.mark.parametrize("pagination", [OFFSET, PAGE], ids=["offset", "page"])
@pytest.mark.parametrize("count", [0, 3, 30, 31])
def test_several_requests_are_under_way_and_none_is_past_the_end(count: int, pagination: dict[str, Any]) -> None:
    upstream = Slow(count)
    index = stage_of(upstream, 4, {**pagination, "verify": "never"}).fetch()
    assert (index.completeness, sum(page.rows or 0 for page in index.pages)) == ("complete", count)
    assert upstream.asked == Counter(range(0, max(count, 1), 3)), "each page once"
    assert upstream.most_under_way == (4 if count >= 15 else 1)
    assert upstream.order[0] == 0, "the first page alone says how many there are"


@pytest.mark.parametrize(
    "more",
    [{"has_more": "at < total"}, {"stop_when": "length(data) < `3`"}, {"total": None}],
    ids=lambda more: next(iter(more)),
)
def test_pages_whose_end_only_they_say_come_one_after_the_other(more: dict[str, Any]) -> None:
    upstream = Slow(30)
    stage_of(upstream, 4, OFFSET | more).fetch()
    assert upstream.most_under_way == 1


def test_the_setting_bounds_what_a_datasource_asks_for() -> None:
    upstream = Slow(60)
    stage_of(upstream, 9, max_concurrency=2).fetch()
    assert upstream.most_under_way == 2


def test_large_pages_are_not_asked_for_ahead() -> None:
    upstream = Slow(60)
    stage_of(upstream, 4, max_pending_bytes=10).fetch()
    assert upstream.most_under_way == 1


class Clock:
    """A time that passes only while the fetch stage waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        self.waited: list[float] = []
        monkeypatch.setattr("sluice.sources.requester.time.time", lambda: self.now)

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

    def page(self, at: int, times: int) -> Canned:
        if at == self.busy_at and times == 1:
            return raw(b"slow down", self.status, retry_after="60")
        return super().page(at, times)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("busy_at", [3, 9, 12])
def test_a_pause_that_one_answer_asks_for_holds_for_all_requests(
    monkeypatch: pytest.MonkeyPatch, status: int, busy_at: int
) -> None:
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


def test_an_upstream_that_was_busy_gets_one_request_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else those that have waited would all come at once, and be refused again."""
    clock = Clock(monkeypatch)
    upstream = Limited(600, clock, 9, 429)
    under_way: list[tuple[int, int]] = []
    page = upstream.page

    def noted(at: int, times: int) -> Canned:
        under_way.append((at, upstream.under_way))
        return page(at, times)

    upstream.page = noted  # type: ignore[method-assign]
    stage = stage_of(upstream, 4, fetch_max_retry_after_seconds=120.0)
    stage._pause = clock.pause  # type: ignore[method-assign]
    stage.fetch()
    assert {count for at, count in under_way if 30 < at <= 120} == {1}
    assert max(count for at, count in under_way if at > 300) == 4, "until it has been calm for a while"


def test_a_pause_is_kept_by_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_call_that_hands_over_leaves_all_that_it_received(concurrency: int) -> None:
    upstream = Slow(90)
    stage = stage_of(upstream, concurrency)
    stage.hand_overs = {8, 17, 18, 30}
    index = stage.fetch()
    assert (index.completeness, index.requests) == ("complete", 30)
    twice = sum(times - 1 for times in upstream.asked.values())
    assert twice <= len(stage.hand_overs) * (concurrency - 1), "but for those that were under way"


def test_a_page_is_read_once_and_its_records_are_kept_for_a_call_that_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: Counter[int] = Counter()
    for module in (page_reader, identities):
        monkeypatch.setattr(module, "open_page", counting(read, module.open_page))
    stage = stage_of(Slow(30), 1)
    stage.hand_overs = {4, 7}
    assert stage.fetch().completeness == "complete"
    assert read == Counter(range(1, 11))
    kept = [key for key in stage.lake.objects if key.startswith("identities/")]
    assert len(kept) == 2, "one object for each call that has handed over"


def counting(read: Counter[int], original: Any) -> Any:
    def opened(datasource: Any, receipt: PageReceipt, *arguments: Any) -> Any:
        read[receipt.number] += 1
        return original(datasource, receipt, *arguments)

    return opened


class Cancelled(MemoryRuns):
    """The run is cancelled after so many times that it has told how far it is."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, run: Run, **changes: Any) -> Run:
        self.left -= 1
        if self.left < 0:
            raise RunStopped("stopped")
        return run


def test_a_run_that_is_cancelled_while_the_upstream_is_silent_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    upstream = Slow(30)

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params["at"] == "12":
            await asyncio.Event().wait()
        return await upstream.answer(request)

    stage = stage_of(upstream, 4, tell_seconds=0.001)
    stage.transport = httpx.MockTransport(answer)
    stage.runs = Cancelled(after=20)
    with pytest.raises(RunStopped):
        stage.fetch()
    assert [receipt.number for receipt in stage.pages.of_run("")] == [1, 2, 3, 4], "what has come is kept"


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_page_that_cannot_be_stored_ends_the_call_and_those_before_it_are_kept(concurrency: int) -> None:
    stage = stage_of(Slow(90), concurrency)
    put_raw, refused = stage.lake.put_raw, stage.lake.put_raw

    def refuse(content: Any, digest: str | None = None) -> str:
        content.seek(0)
        if b'"id": 12}' in content.read():
            raise Unavailable("S3 is slow.")
        return put_raw(content, digest)

    stage.lake.put_raw = refuse  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        stage.fetch()
    assert [receipt.number for receipt in stage.pages.of_run("")] == [1, 2, 3, 4]
    stage.lake.put_raw = refused  # type: ignore[method-assign]
    assert stage.fetch().completeness == "complete"


def test_equal_pages_are_stored_by_one_writer() -> None:
    """Two writers of one object are refused by S3 when they write at the same moment."""
    upstream = Slow(30)
    upstream.page = lambda at, times: ok({"data": [{"id": 1}], "cursor": at + 1 if at < 9 else None})  # type: ignore[method-assign]
    pagination = {"type": "cursor", "path": "cursor", "param": "at"}
    stage = stage_of(upstream, 4, pagination)
    stored: dict[str, int] = defaultdict(int)
    put_raw = stage.lake.put_raw

    def counted(content: Any, digest: str | None = None) -> str:
        stored[digest or ""] += 1
        return put_raw(content, digest)

    stage.lake.put_raw = counted  # type: ignore[method-assign]
    stage.datasource = stage.datasource.model_copy(update={"primary_key": None})
    stage.datasource.http.params = {"at": 0}  # type: ignore[union-attr]
    stage.fetch()
    assert max(stored.values()) == 1
