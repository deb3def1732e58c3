"""Paginations that are proposed for an address, and those that are not."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
import pytest

from sluice.domain.datasource.http_source import NoAuth
from sluice.errors import SourceRefused
from sluice.sources.http.detection.detector import Detector
from support.detection import SETTINGS, detect, ingested, numbered, reason, sample
from support.public_apis import APIS
from support.upstream import StubResponse, Upstream, ok, raw


def test_pagination_that_the_upstream_ignores_is_not_proposed(upstream: Upstream) -> None:
    upstream.serve({"page": 1, "total": 30, "data": numbered(10)})
    detection = detect(upstream, "https://x.example.com/things")
    assert detection.document["http"]["pagination"] == {"type": "none"}
    assert "`total` is 30, and the response has 10 records" in detection.warnings[0]
    assert "the records of the first one" in detection.warnings[1]


def test_pages_that_overlap_are_not_proposed(upstream: Upstream) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        start = 7 * int(request.url.params.get("page", 0))
        return ok({"page": 0, "has_more": True, "data": numbered(100)[start : start + 10]})

    upstream.answer = answer
    detection = detect(upstream, "https://x.example.com/things")
    assert detection.document["http"]["pagination"] == {"type": "none", "has_more": "has_more"}
    assert any("repeats 3 records of the first one" in warning for warning in detection.warnings)


def test_total_that_counts_only_the_page_is_not_proposed(upstream: Upstream) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        offset = int(request.url.params.get("offset", 0))
        page = numbered(25)[offset : offset + 10]
        return ok({"offset": offset, "total": len(page), "count": len(page), "data": page})

    upstream.answer = answer
    detection = detect(upstream, "https://x.example.com/things?offset=0")
    assert "total" not in detection.document["http"]["pagination"]
    assert ingested(upstream, detection.document)[1] == numbered(25)


@pytest.mark.parametrize("first", [0, 1])
def test_first_page_number_is_detected(upstream: Upstream, first: int) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        start = 10 * (int(request.url.params.get("page", first)) - first)
        return ok(numbered(34)[start : start + 10] if start >= 0 else [])

    upstream.answer = answer
    detection = detect(upstream, "https://x.example.com/things")
    assert detection.document["http"]["pagination"] == {"type": "page", "page_param": "page", "start": first}
    assert ingested(upstream, detection.document)[1] == numbered(34)


def test_address_in_the_middle_of_the_pages_is_set_to_the_first_one(upstream: Upstream) -> None:
    upstream.answer = APIS["Socrata"].answer
    detection = detect(upstream, "https://data.example.com/resource/a.json?$limit=100&$offset=200")
    assert detection.document["http"]["pagination"]["start"] == 0
    assert "$offset" not in detection.document["http"].get("params", {})


def test_only_page_of_a_paged_api_keeps_its_pagination(upstream: Upstream) -> None:
    upstream.serve({"count": 3, "next": None, "previous": None, "results": numbered(3)})
    detection = detect(upstream, "https://x.example.com/things")
    assert detection.document["http"]["pagination"] == {"type": "next_url", "path": "next"}
    pages = reason(detection, "/http/pagination")
    assert pages.confidence == "likely"
    assert "Not verified: by the first page there is no second one" in pages.reason
    assert detection.requests == 1


def test_key_is_checked_on_both_pages(upstream: Upstream) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        page = int(request.url.params.get("page", 1))
        records = [{"code": number, "key": f"{page}-{number}"} for number in range(10)]
        return ok({"page": page, "total_pages": 2, "data": records})

    upstream.answer = answer
    detection = detect(upstream, "https://x.example.com/things?page=1")
    assert detection.document["primary_key"] == ["key"], "codes repeat on the second page"


def test_requests_are_bounded(upstream: Upstream) -> None:
    upstream.serve({"total": 1000, "data": numbered(10)})
    detection = detect(upstream, "https://x.example.com/things", detect_requests=3)
    assert detection.requests == len(upstream.requests) == 3
    assert "not all usual parameters were tried" in detection.warnings[0]


def test_stated_pagination_is_proposed_without_a_request_left(upstream: Upstream) -> None:
    upstream.answer = APIS["PokeAPI"].answer
    detection = detect(upstream, APIS["PokeAPI"].url, detect_requests=1)
    assert detection.document["http"]["pagination"] == {"type": "next_url", "path": "next"}
    assert "DETECT_REQUESTS" in reason(detection, "/http/pagination").reason


def test_redirects_count_as_requests(upstream: Upstream) -> None:
    upstream.answer = lambda request: raw(b"", 302, location=str(request.url) + "x")
    with pytest.raises(SourceRefused, match="DETECT_REQUESTS"):
        detect(upstream, "https://x.example.com/a", detect_requests=3)
    assert len(upstream.requests) == 3


def test_time_is_bounded(upstream: Upstream) -> None:
    upstream.serve({"total": 1000, "data": numbered(10)})
    detector = Detector(
        "https://x.example.com/a",
        NoAuth(type="none"),
        SETTINGS,
        lambda name: "",
        upstream.transport,
        lambda slug: False,
    )
    clock = iter([0.0, 1.0, *[30.0] * 99])  # the deadline, the first request, and all later ones
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sluice.sources.http.detection.session.time", SimpleNamespace(monotonic=lambda: next(clock)))
        detection = detector.detect(sample)
    assert (detection.requests, detection.document["http"]["pagination"]) == (1, {"type": "none"})


def test_preload_links_are_no_pages(upstream: Upstream) -> None:
    upstream.answer = lambda request: ok(numbered(3), link="</_next/a.js>; rel=preload")
    assert detect(upstream, "https://x.example.com/things").document["http"]["pagination"] == {"type": "none"}


def test_latest_records_are_no_pages(upstream: Upstream) -> None:
    """Every request has other records, as with the latest trades of an exchange."""
    upstream.answer = lambda request: ok([{"id": 10 * len(upstream.requests) + number} for number in range(10)])
    detection = detect(upstream, "https://x.example.com/trades")
    assert detection.document["http"]["pagination"] == {"type": "none"}


def test_series_without_end_is_not_followed(upstream: Upstream) -> None:
    upstream.answer = APIS["NASA NEO"].answer
    detection = detect(upstream, APIS["NASA NEO"].url)
    assert "`links.previous` is an address, too, so the pages may have no end" in detection.warnings[0]
    assert detection.requests == 1
