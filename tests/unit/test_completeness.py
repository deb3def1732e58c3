"""What the fetch stage claims when its upstream changes, errs or answers in parts while its pages are read."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from sluice.domain.run import FetchIndex
from support.changing import (
    CURSOR,
    MORE,
    NEXT,
    OFFSET,
    PAGE,
    PAGINATIONS,
    Changing,
    Ids,
    delete_and_insert,
    delete_first,
    insert_first,
    paged,
)
from support.fetch_stage import FetchStage
from support.upstream import StubResponse, Upstream, ok, raw


@pytest.fixture
def changing(upstream: Upstream) -> Changing:
    return Changing(upstream)


def stage_of(upstream: Upstream, pagination: dict[str, Any], **more: Any) -> FetchStage:
    settings = more.pop("settings", {})
    return FetchStage(paged(pagination, **more), upstream.transport(), **settings)


def ids(stage: FetchStage, index: FetchIndex) -> Ids:
    return sorted(record["id"] for record in stage.records(index))


def count(index: FetchIndex) -> int:
    return sum(page.rows or 0 for page in index.pages)


@pytest.mark.parametrize("key", [["id"], None], ids=["key", "no key"])
@pytest.mark.parametrize(
    ("pagination", "change"),
    [
        ("offset", insert_first),
        ("offset", delete_first),
        ("has_more", insert_first),
        ("has_more", delete_first),
        ("page", insert_first),
        ("page", delete_first),
        ("page", delete_and_insert),
        ("next_url", insert_first),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_an_upstream_that_changes_between_two_pages_is_read_again(
    upstream: Upstream, changing: Changing, pagination: str, change: Any, key: list[str] | None
) -> None:
    changing.before = {2: change}
    stage = stage_of(upstream, PAGINATIONS[pagination], primary_key=key)
    index = stage.fetch()
    assert (index.completeness, index.completeness_reasons) == ("complete", []), index
    assert index.warnings[0].startswith("all pages were read again: ")
    assert ids(stage, index) == sorted(changing.ids), "no record is missing, and none is there twice"
    assert index.requests == changing.asked


@pytest.mark.parametrize("verify", ["never", "on_evidence"])
def test_upstream_that_always_changes_is_unproven(upstream: Upstream, changing: Changing, verify: str) -> None:
    changing.before = dict.fromkeys(range(2, 20), insert_first)
    stage = stage_of(upstream, {**OFFSET, "verify": verify})
    index = stage.fetch()
    assert index.completeness == "unproven"
    reasons = index.completeness_reasons
    assert "primary key id" in reasons[0]
    assert "the total was 2" in reasons[1]
    assert changing.asked == (3 if verify == "never" else 6)


def test_repeated_page_triggers_another_pass(upstream: Upstream, changing: Changing) -> None:
    def insert_ten(ids: Ids) -> None:
        ids[:0] = range(100, 110)

    changing.before = {2: insert_ten}
    stage = stage_of(upstream, OFFSET)
    index = stage.fetch()
    assert (index.completeness, ids(stage, index)) == ("complete", sorted(changing.ids))


def test_an_order_that_is_reversed_while_reading(upstream: Upstream, changing: Changing) -> None:
    changing.before = {2: lambda ids: ids.reverse()}
    stage = stage_of(upstream, OFFSET)
    index = stage.fetch()
    assert (index.completeness, ids(stage, index)) == ("complete", list(range(25)))
    assert "more than one page" in index.warnings[0]


@pytest.mark.parametrize("size", [5, 20])
def test_a_page_size_that_changes_while_reading(upstream: Upstream, changing: Changing, size: int) -> None:
    changing.before = {2: lambda ids: setattr(changing, "size", size)}
    stage = stage_of(upstream, PAGE)
    index = stage.fetch()
    assert (index.completeness, ids(stage, index)) == ("complete", list(range(25)))
    assert index.warnings


def test_equal_records_without_a_key_are_unproven_and_the_run_says_what_to_do(upstream: Upstream) -> None:
    upstream.serve_pages([{"line": "same"}] * 3 + [{"line": number} for number in range(10)] + [{"line": "same"}])
    pagination = {**OFFSET, "offset_param": "start", "limit_param": "limit"}
    stage = stage_of(upstream, pagination, primary_key=None)
    index = stage.fetch()
    assert (index.completeness, count(index)) == ("unproven", 14)
    assert "name a primary_key" in index.completeness_reasons[0]


@pytest.mark.parametrize("total", ["25", 25.0, "25.0"])
def test_a_total_may_be_text(upstream: Upstream, changing: Changing, total: Any) -> None:
    changing.total = lambda: total
    stage = stage_of(upstream, OFFSET)
    assert stage.fetch().completeness == "complete"


@pytest.mark.parametrize("total", [-1, "²5", "many", 10**60, None, True], ids=str)
def test_invalid_total_is_ignored(upstream: Upstream, changing: Changing, total: Any) -> None:
    changing.total = lambda: total
    stage = stage_of(upstream, OFFSET)
    index = stage.fetch()
    assert (index.completeness, count(index)) == ("unproven", 25)


def test_short_page_in_the_middle_is_unproven(upstream: Upstream) -> None:
    """The page before the last has lost records, and nothing else shows it."""
    sizes = {"1": range(10), "2": range(10, 17), "3": range(20, 30)}
    upstream.answer = lambda request: ok({"data": [{"id": n} for n in sizes[request.url.params["page"]]], "pages": 3})
    stage = stage_of(upstream, PAGE)
    index = stage.fetch()
    assert index.completeness == "unproven"
    assert "only the last page may have fewer" in index.completeness_reasons[0]


@pytest.mark.parametrize("verify", ["on_evidence", "always"])
def test_short_pages_are_explained_when_the_total_adds_up_twice(upstream: Upstream, verify: str) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        at = int(request.url.params["at"])
        size = 7 if at == 10 else 10
        return ok({"data": [{"id": n} for n in range(25)[at : at + size]], "total": 25})

    upstream.answer = answer
    stage = stage_of(upstream, {**OFFSET, "verify": verify})
    assert stage.fetch().completeness == "complete"


def test_an_empty_page_in_the_middle_of_cursors_is_no_evidence(upstream: Upstream) -> None:
    pages = {"0": ([1, 2], "a"), "a": ([], "b"), "b": ([3], None)}

    def answer(request: httpx.Request) -> StubResponse:
        ids, following = pages[request.url.params.get("c", "0")]
        return ok({"data": [{"id": n} for n in ids], "cursor": following})

    upstream.answer = answer
    stage = stage_of(upstream, CURSOR)
    index = stage.fetch()
    assert (index.completeness, count(index), index.requests) == ("complete", 3, 3)


def test_cursors_that_repeat_records(upstream: Upstream) -> None:
    pages = {"0": ([1, 2, 3], "a"), "a": ([3, 4, 5], None)}

    def answer(request: httpx.Request) -> StubResponse:
        ids, following = pages[request.url.params.get("c", "0")]
        return ok({"data": [{"id": n} for n in ids], "cursor": following})

    upstream.answer = answer
    stage = stage_of(upstream, CURSOR)
    index = stage.fetch()
    assert (index.completeness, index.requests) == ("unproven", 4)


def test_max_pages_counts_each_pass(upstream: Upstream, changing: Changing) -> None:
    changing.before = {2: insert_first}
    stage = stage_of(upstream, {**OFFSET, "max_pages": 3})
    assert stage.fetch().completeness == "complete"
    changing.before = {8: insert_first}
    index = stage_of(upstream, {**OFFSET, "max_pages": 2}).fetch()
    assert index.completeness == "partial"
    assert len(index.completeness_reasons) > 1, "that pages were left out, and that the others changed"


@pytest.mark.parametrize("when", [5, 6])
def test_failed_second_pass_keeps_the_first(upstream: Upstream, changing: Changing, when: int) -> None:
    """A verification never makes a run worse."""

    def refuse(ids: Ids) -> None:
        raise httpx.ConnectError("gone")

    changing.before = {2: insert_first, **dict.fromkeys(range(when, when + 9), refuse)}
    stage = stage_of(upstream, OFFSET)
    index = stage.fetch()
    assert (index.completeness, count(index)) == ("unproven", 26)
    assert "no proof: page" in index.completeness_reasons[-1]


def test_max_verification_passes(upstream: Upstream, changing: Changing) -> None:
    changing.before = {2: insert_first, 5: insert_first}
    stage = stage_of(upstream, OFFSET, settings={"max_verification_passes": 2})
    index = stage.fetch()
    assert (index.completeness, changing.asked) == ("complete", 9)
    assert ids(stage, index) == sorted(changing.ids)


def test_more_records_than_the_limit_are_not_compared(upstream: Upstream, changing: Changing) -> None:
    stage = stage_of(upstream, OFFSET, settings={"max_compared_records": 24})
    index = stage.fetch()
    assert (index.completeness, changing.asked) == ("unproven", 3)
    assert "MAX_COMPARED_RECORDS" in index.completeness_reasons[0]


def test_verify_always_reads_pages_without_evidence_again(upstream: Upstream, changing: Changing) -> None:
    changing.before = {2: delete_and_insert}
    stage = stage_of(upstream, {**OFFSET, "verify": "always"})
    index = stage.fetch()
    assert (index.completeness, changing.asked) == ("unproven", 6)
    assert "gave 2 records that differ" in index.completeness_reasons[0]
    assert ids(stage, index) == sorted(changing.ids)
    changing.before = {}
    index = stage_of(upstream, {**OFFSET, "verify": "always"}).fetch()
    assert (index.completeness, changing.asked) == ("complete", 12)


def test_a_redrive_after_the_upstream_changed_is_read_again(upstream: Upstream, changing: Changing) -> None:
    """Without a total, only the last page that was received shows it."""
    upstream.answer = lambda request: raw(b"", 403) if request.url.params["at"] == "20" else changing.answer(request)
    stage = stage_of(upstream, MORE)
    index = stage.fetch()
    assert (index.completeness, count(index)) == ("partial", 20)
    del changing.ids[5]
    upstream.answer = changing.answer
    index = stage.redrive()
    assert index.completeness == "complete"
    assert "in an earlier attempt" in index.warnings[0]
    assert ids(stage, index) == sorted(changing.ids)


def test_redrive_without_upstream_keeps_its_pages(upstream: Upstream, changing: Changing) -> None:
    upstream.answer = lambda request: raw(b"", 403) if request.url.params["at"] == "20" else changing.answer(request)
    stage = stage_of(upstream, OFFSET)
    stage.fetch()
    upstream.answer = lambda request: raw(b"", 403)
    index = stage.redrive()
    assert (index.completeness, count(index)) == ("partial", 20)


@pytest.mark.parametrize("pagination", ["offset", "has_more", "next_url"])
@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({}, {"error": "slow down"}),
        ({"allow_missing": True}, {"error": {"code": 7}}),
        ({"allow_missing": True}, {"data": None, "errors": ["x"]}),
        ({}, {"data": [], "error": "slow down", "total": 25}),
        ({}, {"data": {"message": "slow down"}}),
        ({}, {"data": "slow down", "total": 25}),
        ({"allow_missing": True}, {"status": {"error_code": 1008, "error_message": "limit"}}),
        ({"allow_missing": True}, {"success": False, "total": 25}),
        ({}, {"Response": "Error", "Message": "limit", "data": [], "total": 10}),
        ({}, {"status": 429, "data": [], "total": 10}),
    ],
    ids=str,
)
def test_an_error_with_status_200_after_the_first_page(
    upstream: Upstream, changing: Changing, pagination: str, more: Any, error: Any
) -> None:
    upstream.answer = lambda request: (
        ok(error) if request.url.params.get("at", "0") == "10" else changing.answer(request)
    )
    stage = stage_of(upstream, PAGINATIONS[pagination], **more)
    index = stage.fetch()
    assert (index.completeness, count(index)) == ("partial", 10)
    assert index.completeness_reasons[0].startswith("page 2 cannot be fetched")


@pytest.mark.parametrize("from_", ["link", None])
def test_an_error_where_the_document_is_the_list(upstream: Upstream, from_: str | None) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        at = int(request.url.params.get("at", 0))
        page = [{"id": n} for n in range(at, at + 10)] if at < 20 else {"message": "slow down", "code": 9}
        return ok(page, link=f'<?at={at + 10}>; rel="next"') if at < 20 else ok(page)

    upstream.answer = answer
    pagination = {"type": "next_url", "from": "link"} if from_ else {**OFFSET, "total": None}
    stage = stage_of(upstream, pagination, records="@")
    index = stage.fetch()
    assert (index.completeness, count(index)) == ("partial", 20)
    assert "but the first page is a list" in index.completeness_reasons[0]


@pytest.mark.parametrize(
    ("pages", "completeness"), [([10, 0], "partial"), ([10, 3, 0], "partial"), ([0], "complete"), ([10], "complete")]
)
def test_an_empty_page_that_the_number_of_pages_counts(upstream: Upstream, pages: list[int], completeness: str) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        number = int(request.url.params["page"]) - 1
        return ok({"data": [{"id": 10 * number + n} for n in range(pages[number])], "pages": len(pages)})

    upstream.answer = answer
    index = stage_of(upstream, PAGE).fetch()
    assert (index.completeness, count(index)) == (completeness, sum(pages))


def test_an_error_on_a_page_of_csv(upstream: Upstream) -> None:
    upstream.answer = lambda request: (
        raw(b"rate limit exceeded\n", media_type="text/csv")
        if "at" in request.url.params
        else raw(b"id,v\n1,a\n", media_type="text/csv", link='<?at=1>; rel="next"')
    )
    index = stage_of(upstream, {"type": "next_url", "from": "link"}, records="@", format="csv").fetch()
    assert (index.completeness, count(index)) == ("partial", 1)
    assert "none of the columns of the first page" in index.completeness_reasons[0]


def test_csv_whose_last_page_is_empty(upstream: Upstream) -> None:
    upstream.answer = lambda request: (
        raw(b"id,v\n", media_type="text/csv")
        if "at" in request.url.params
        else raw(b"id,v\n1,a\n", media_type="text/csv", link='<?at=1>; rel="next"')
    )
    index = stage_of(upstream, {"type": "next_url", "from": "link"}, records="@").fetch()
    assert (index.completeness, count(index)) == ("complete", 1)


def test_an_error_when_the_pages_are_read_again_keeps_the_first_reading(upstream: Upstream, changing: Changing) -> None:
    changing.before = {2: insert_first}
    upstream.answer = lambda request: ok({"error": "quota"}) if changing.asked == 3 else changing.answer(request)
    index = stage_of(upstream, OFFSET, allow_missing=True).fetch()
    assert (index.completeness, count(index)) == ("unproven", 26)


def test_pages_of_one_object_each_may_say_error(upstream: Upstream) -> None:
    """A field of the records that is called `error` is none of the upstream."""
    documents = [
        {"id": 0, "error": None, "next": "?at=1"},
        {"id": 1, "error": "disk", "next": "?at=2"},
        {"id": 2, "error": None, "next": None},
    ]
    upstream.answer = lambda request: ok(documents[int(request.url.params.get("at", 0))])
    index = stage_of(upstream, NEXT, records="@").fetch()
    assert (index.completeness, count(index)) == ("complete", 3)
    documents[2] = {"error": "slow down"}
    index = stage_of(upstream, NEXT, records="@").fetch()
    assert (index.completeness, count(index)) == ("partial", 2)


def test_last_page_without_records_is_unproven(upstream: Upstream) -> None:
    upstream.answer = lambda request: (
        ok({"message": "bye"}) if "at" in request.url.params else ok({"data": [{"id": 1}, {"id": 2}], "next": "?at=2"})
    )
    stage = stage_of(upstream, NEXT, allow_missing=True)
    index = stage.fetch()
    assert (index.completeness, count(index)) == ("unproven", 2)


def test_last_page_without_records_is_complete_if_the_total_is_reached(upstream: Upstream) -> None:
    upstream.answer = lambda request: (
        ok({"data": [{"id": n} for n in range(10)], "total": 10, "more": True})
        if request.url.params["at"] == "0"
        else ok({"total": 10, "more": False})
    )
    stage = stage_of(upstream, {**OFFSET, "has_more": "more"}, allow_missing=True)
    assert stage.fetch().completeness == "complete"


def test_an_xml_page_with_a_single_element_is_no_error(upstream: Upstream) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        at = int(request.url.params["at"])
        items = "".join(f"<item><id>{n}</id></item>" for n in range(3)[at : at + 2])
        return raw(f"<r><total>3</total>{items}</r>".encode(), media_type="application/xml")

    upstream.answer = answer
    stage = stage_of(upstream, {**OFFSET, "limit": 2, "total": "r.total"}, records="r.item")
    assert stage.fetch().completeness == "complete"


@pytest.mark.parametrize(
    ("status", "content_range", "completeness"),
    [
        (206, "bytes 0-12/999", "partial"),
        (200, "bytes 0-12/999", "partial"),
        (206, None, "partial"),
        (206, "bytes 0-12/*", "partial"),
        (206, "bytes 5-17/18", "partial"),
        (206, "bytes 0-12/13", "complete"),
        (200, "bytes 0-12/13", "complete"),
        (206, "0-1/7", "partial"),
        (206, "items 0-1/7", "partial"),
        (200, "items=0-1/7", "partial"),
        (200, "items 0-1/2", "complete"),
        (200, "0-1/*", "complete"),
        (200, "*/0", "complete"),
        (200, "nonsense", "complete"),
    ],
)
@pytest.mark.parametrize("media_type", ["text/csv", "application/x-ndjson"])
def test_partial_response_is_partial(
    upstream: Upstream,
    media_type: str,
    status: int,
    content_range: str | None,
    completeness: str,
) -> None:
    body = b"id,v\n1,a\n2,b\n" if media_type == "text/csv" else b'{"id": 1}\n{"id": 2}\n'
    headers = {"content_range": content_range} if content_range else {}
    upstream.answer = lambda request: raw(body, status, media_type, framed=True, **headers)
    index = stage_of(upstream, {"type": "none"}, records="@").fetch()
    assert index.completeness == completeness
    assert bool(index.completeness_reasons) == (completeness == "partial")


def test_pages_may_be_ranges_of_the_records(upstream: Upstream, changing: Changing) -> None:
    """As PostgREST answers: each page has status 206 and says which of the records it has."""

    def answer(request: httpx.Request) -> StubResponse:
        page = changing.answer(request)
        at = int(request.url.params["at"])
        return StubResponse(206, page.body, {**page.headers, "content-range": f"{at}-{min(at + 9, 24)}/25"})

    upstream.answer = answer
    stage = stage_of(upstream, OFFSET)
    assert stage.fetch().completeness == "complete"
