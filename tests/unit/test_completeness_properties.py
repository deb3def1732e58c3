"""Upstreams that change while they are read: `complete` is claimed only of what they once had.

The upstream here is a list of records; records are inserted and deleted between two requests.
`PROOF=1` tries a hundred times as many.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import httpx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sluice.domain.run import FetchIndex
from support.fetch_stage import FetchStage
from support.upstream import ok, raw

SIZE = 100 if os.environ.get("PROOF") else 1
SOME = settings(max_examples=80 * SIZE, deadline=None, suppress_health_check=list(HealthCheck))
URL = "https://d.example.com/v1"
PAGINATIONS: dict[str, dict[str, Any]] = {
    "offset, total": {"type": "offset", "offset_param": "at", "limit": 3, "limit_param": "n", "total": "total"},
    "offset, text total": {"type": "offset", "offset_param": "at", "limit": 3, "limit_param": "n", "total": "text"},
    "offset, has_more": {"type": "offset", "offset_param": "at", "limit": 3, "limit_param": "n", "has_more": "more"},
    "page, total_pages": {"type": "page", "page_param": "page", "total_pages": "pages"},
    "page, has_more": {"type": "page", "page_param": "page", "has_more": "more"},
    "next_url": {"type": "next_url", "path": "next"},
    "cursor": {"type": "cursor", "path": "cursor", "param": "after"},
}
POSITIONAL = [name for name in PAGINATIONS if name not in ("next_url", "cursor")]

Change = tuple[str, int]
changes = st.tuples(st.sampled_from(["insert", "delete"]), st.integers(0, 12))


@dataclass
class Changing:
    """Records with ids that never come again; `when` says what happens before which request."""

    ids: list[int]
    when: dict[int, list[Change]] = field(default_factory=dict)
    keyed: bool = True
    requests: int = 0
    fail_at: int | None = None
    snapshots: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._next_id = 1000
        self.snapshots.append(list(self.ids))

    def change(self, what: str, place: int) -> None:
        if what == "insert":
            self.ids.insert(min(place, len(self.ids)), self._next_id)
            self._next_id += 1
        elif self.ids:
            del self.ids[place % len(self.ids)]
        self.snapshots.append(list(self.ids))

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        for what, place in self.when.get(self.requests, []):
            self.change(what, place)
        if self.requests == self.fail_at:
            return raw(b"", 403).response()
        params = request.url.params
        at = int(params.get("at", 0)) if "page" not in params else 3 * (int(params["page"]) - 1)
        if "after" in params:
            at = sum(1 for number in self.ids if number <= int(params["after"]))
        ids = self.ids[at : at + 3]
        more = at + 3 < len(self.ids)
        page: dict[str, Any] = {
            "data": [{"id": number} for number in ids],
            "total": len(self.ids),
            "text": str(len(self.ids)),
            "pages": -(-len(self.ids) // 3),
            "more": more,
            "next": f"?at={at + 3}" if more else None,
            "cursor": ids[-1] if more else None,
        }
        return ok(page).response()


def stage_of(upstream: Changing, pagination: str, **more: Any) -> FetchStage:
    document = {
        "name": "d",
        "kind": "http",
        # What happens before which request is part of each example, so there is one request at a time.
        "http": {"url": URL, "pagination": PAGINATIONS[pagination] | more, "concurrency": 1},
        "records": "data",
        "primary_key": ["id"] if upstream.keyed else None,
    }
    return FetchStage(document, httpx.MockTransport(upstream.answer))


def ids_of(stage: FetchStage, index: FetchIndex) -> list[int]:
    return [record["id"] for record in stage.records(index)]


def summary(stage: FetchStage, index: FetchIndex) -> Any:
    pages = [(page.number, page.hash) for page in index.pages]
    return pages, index.completeness, index.completeness_reasons, index.warnings


@SOME
@given(st.integers(0, 14), st.sampled_from(sorted(PAGINATIONS)), st.booleans())
def test_an_upstream_that_does_not_change_is_complete(count: int, pagination: str, keyed: bool) -> None:
    upstream = Changing(list(range(count)), keyed=keyed)
    stage = stage_of(upstream, pagination)
    index = stage.fetch()
    assert (index.completeness, ids_of(stage, index)) == ("complete", list(range(count)))
    pages = max(1, -(-count // 3))
    uncounted = pagination in ("offset, has_more", "page, total_pages", "page, has_more")
    assert upstream.requests == pages + (uncounted and pages > 1), "one request more, where nothing counts the records"


@SOME
@given(st.integers(4, 14), st.sampled_from(["offset, total", "offset, text total"]), changes, st.integers(2, 5))
def test_one_change_between_pages_with_a_total(count: int, pagination: str, change: Change, request: int) -> None:
    """Whatever was inserted or deleted, and wherever: the total tells."""
    upstream = Changing(list(range(count)), {request: [change]})
    stage = stage_of(upstream, pagination)
    index = stage.fetch()
    if index.completeness == "complete":
        assert ids_of(stage, index) in upstream.snapshots
    else:
        assert index.completeness_reasons


@SOME
@given(
    st.integers(4, 14),
    st.sampled_from(POSITIONAL),
    st.lists(changes, min_size=1, max_size=4),
    st.integers(2, 12),
    st.booleans(),
)
def test_changes_at_one_moment_are_found_by_a_verification(
    count: int, pagination: str, many: list[Change], request: int, keyed: bool
) -> None:
    """Even when as many were deleted as were inserted."""
    upstream = Changing(list(range(count)), {request: many}, keyed=keyed)
    stage = stage_of(upstream, pagination, verify="always")
    index = stage.fetch()
    if index.completeness == "complete":
        assert ids_of(stage, index) in upstream.snapshots
    else:
        assert index.completeness_reasons


@SOME
@given(
    st.integers(0, 14),
    st.sampled_from(sorted(PAGINATIONS)),
    st.dictionaries(st.integers(2, 8), st.lists(changes, max_size=3), max_size=4),
    st.sampled_from(["never", "on_evidence", "always"]),
)
@example(5, "offset, has_more", {5: [("delete", 0)], 2: [("delete", 0)]}, "on_evidence")
def test_complete_run_has_no_record_twice(
    count: int, pagination: str, when: dict[int, list[Change]], verify: str
) -> None:
    upstream = Changing(list(range(count)), when)
    stage = stage_of(upstream, pagination, verify=verify)
    index = stage.fetch()
    ids = ids_of(stage, index)
    if index.completeness == "complete":
        assert len(ids) == len(set(ids))
    else:
        assert index.completeness_reasons
    pages = [page for page in stage.pages.of_run("") if page.ok]
    used = {page.number for page in [*index.pages, *index.unused_pages]}
    assert used == {page.number for page in pages}, "every page that was received is in the index"


@SOME
@given(
    st.integers(0, 14),
    st.sampled_from(sorted(PAGINATIONS)),
    st.dictionaries(st.integers(2, 8), st.lists(changes, max_size=2), max_size=3),
    st.sampled_from(["on_evidence", "always"]),
    st.sets(st.integers(1, 20), max_size=6),
    st.booleans(),
)
def test_interrupted_run_has_the_result_of_an_uninterrupted_one(
    count: int, pagination: str, when: dict[int, list[Change]], verify: str, hand_overs: set[int], forgotten: bool
) -> None:
    whole = stage_of(Changing(list(range(count)), when), pagination, verify=verify)
    expected = summary(whole, whole.fetch())
    stage = stage_of(Changing(list(range(count)), when), pagination, verify=verify)
    stage.hand_overs = hand_overs
    if forgotten:  # as when a process was killed before it could keep them
        stage.lake.put = lambda key, body: None  # type: ignore[method-assign]
    assert summary(stage, stage.fetch()) == expected


@SOME
@given(st.integers(4, 14), st.sampled_from(sorted(PAGINATIONS)), changes, st.integers(2, 5))
def test_one_change_before_a_redrive(count: int, pagination: str, change: Change, fail_at: int) -> None:
    upstream = Changing(list(range(count)), fail_at=fail_at)
    stage = stage_of(upstream, pagination)
    index = stage.fetch()
    if index.completeness == "partial":
        upstream.change(*change)
        index = stage.redrive()
        if index.completeness == "complete" and pagination != "cursor":
            received = ids_of(stage, index)
            assert len(received) == len(set(received))
            assert received in upstream.snapshots
