"""Pages that are asked for ahead and stored behind end as pages that come one after the other.

`PROOF=1` tries fifty times as many orders of answers.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.errors import RunStopped, Unavailable
from sluice.sources.http import identities, page_reader
from support.fetch_stage import FetchStage, MemoryRuns
from support.slow import OFFSET, PAGE, Slow, stage_of
from support.upstream import StubResponse, ok

EXAMPLES = 6000 if os.environ.get("PROOF") else 120
# What addresses may answer instead of their pages: other contents and failures for ever, or failures for a while.
# Not both: an address that fails once, and is asked for in vain after a page of another size, would not fail again.
CONTENTS = ["short", "long", "empty", "uncounted", "fewer", "more", "error", "again"]
FAILURES = ["busy", "broken", "refused", "lost"]
places = st.integers(0, 10)
faults_of_pages = st.one_of(
    st.dictionaries(places, st.tuples(st.sampled_from([*CONTENTS, *FAILURES]), st.just(99)), max_size=3),
    st.dictionaries(places, st.tuples(st.sampled_from(FAILURES), st.integers(1, 6)), max_size=3),
)
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
    faults_of_pages,
    st.sampled_from([OFFSET, PAGE, {**OFFSET, "max_pages": 4}, {**PAGE, "verify": "always"}, {**OFFSET, "limit": 5}]),
    st.integers(2, 8),
    st.integers(0, 9999),
)
def test_concurrent_requests_give_the_result_of_sequential_ones(
    count: int, faults: dict[int, tuple[str, int]], pagination: dict[str, Any], concurrency: int, seed: int
) -> None:
    expected = outcome(stage_of(Slow(count, faults), 1, pagination))
    upstream = Slow(count, faults, seed)
    assert outcome(stage_of(upstream, concurrency, pagination)) == expected
    assert upstream.most_under_way <= concurrency


@pytest.mark.parametrize("pagination", [OFFSET, PAGE], ids=["offset", "page"])
@pytest.mark.parametrize("count", [0, 3, 30, 31])
def test_requests_are_concurrent_and_never_past_the_end(count: int, pagination: dict[str, Any]) -> None:
    upstream = Slow(count)
    index = stage_of(upstream, 4, {**pagination, "verify": "never"}).fetch()
    assert (index.completeness, sum(page.rows or 0 for page in index.pages)) == ("complete", count)
    assert upstream.asked == Counter(range(0, max(count, 1), 3)), "each page once"
    assert upstream.most_under_way == (4 if count >= 15 else 1)
    assert upstream.order[0] == 0, "the first page alone says how many there are"


def test_first_page_is_requested_again_for_comparison() -> None:
    upstream = Slow(30)
    assert stage_of(upstream, 4, PAGE).fetch().completeness == "complete"
    assert upstream.asked == Counter(range(0, 30, 3)) + Counter([0])


def test_pages_of_unexpected_size_are_requested_sequentially() -> None:
    """Else each of them would have others asked for in vain."""
    upstream = Slow(60, dict.fromkeys(range(4, 20, 2), ("short", 99)))
    stage = stage_of(upstream, 4, {**OFFSET, "verify": "never"})
    pages = len(stage.fetch().pages)
    assert upstream.asked.total() <= pages + 4


def test_redrive_requests_its_last_page_first() -> None:
    upstream = Slow(60, {5: ("refused", 1)})
    stage = stage_of(upstream, 4)
    assert stage.fetch().completeness == "partial"
    upstream.order.clear()
    begun: list[int] = []
    page = upstream.page

    def noted(at: int, times: int) -> StubResponse:
        begun.append(len(upstream.order))
        return page(at, times)

    upstream.page = noted  # type: ignore[method-assign]
    assert stage.redrive().completeness == "complete"
    assert upstream.order[0] == 12
    assert begun[0] == 1, "its answer says whether the pages after it are where they were"


@pytest.mark.parametrize(
    "more",
    [{"has_more": "at < total"}, {"stop_when": "length(data) < `3`"}, {"total": None}],
    ids=lambda more: next(iter(more)),
)
def test_pages_without_a_total_are_requested_sequentially(more: dict[str, Any]) -> None:
    upstream = Slow(30)
    stage_of(upstream, 4, OFFSET | more).fetch()
    assert upstream.most_under_way == 1


def test_max_concurrency_limits_a_datasource() -> None:
    upstream = Slow(60)
    stage_of(upstream, 9, max_concurrency=2).fetch()
    assert upstream.most_under_way == 2


def test_large_pages_are_not_prefetched() -> None:
    upstream = Slow(60)
    stage_of(upstream, 4, max_pending_bytes=10).fetch()
    assert upstream.most_under_way == 1


@pytest.mark.parametrize("concurrency", [1, 4])
def test_call_that_hands_over_stores_all_received_pages(concurrency: int) -> None:
    upstream = Slow(90)
    stage = stage_of(upstream, concurrency)
    stage.hand_overs = {8, 17, 18, 30}
    index = stage.fetch()
    assert (index.completeness, index.requests) == ("complete", 30)
    twice = sum(times - 1 for times in upstream.asked.values())
    assert twice <= len(stage.hand_overs) * (concurrency - 1), "but for those that were under way"


def test_page_is_parsed_once_across_calls(
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


def test_cancelled_run_stops_while_the_upstream_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_failed_store_of_a_page_keeps_the_pages_before_it(concurrency: int) -> None:
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


def test_equal_pages_are_stored_once() -> None:
    """Two writers of one object are refused by S3 when they write at the same moment."""
    upstream = Slow(9)
    upstream.page = lambda at, times: ok({"data": [{"id": 1}], "pages": 3})  # type: ignore[method-assign]
    stage = stage_of(upstream, 4, PAGE)
    stored: list[str | None] = []
    put_raw = stage.lake.put_raw

    def counted(content: Any, digest: str | None = None) -> str:
        stored.append(digest)
        return put_raw(content, digest)

    stage.lake.put_raw = counted  # type: ignore[method-assign]
    index = stage.fetch()
    assert len({page.hash for page in [*index.pages, *index.unused_pages]}) == 1
    assert len(index.unused_pages) > 1
    assert len(stored) == 1
