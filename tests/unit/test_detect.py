"""The records, fields and keys of proposals, on the shapes of public APIs and on hostile responses."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain.datasource import HttpDatasource
from sluice.domain.expression import search
from sluice.errors import RecordsNotFound, RunError
from sluice.sources.http.detection.paths import expression_of
from support.detection import SETTINGS, detect, ingested, numbered, reason
from support.public_apis import APIS, PublicApi
from support.upstream import StubResponse, Upstream, ok, raw


@pytest.mark.parametrize("name", APIS)
def test_proposal_for_a_public_api_fetches_all_its_records(name: str, upstream: Upstream) -> None:
    api: PublicApi = APIS[name]
    upstream.answer = api.answer
    detection = detect(upstream, api.url)
    document = detection.document
    assert document["records"] == api.records
    assert document["http"].pop("pagination") == api.pagination, reason(detection, "/http/pagination")
    assert document["http"] == {"url": api.url.partition("?")[0]} | ({"params": api.params} if api.params else {})
    document["http"]["pagination"] = api.pagination
    assert reason(detection, "/http/pagination").confidence == api.confidence
    assert document.get("primary_key") == api.key, reason(detection, "/primary_key")
    assert {name: document["fields"][name] for name in api.columns} == api.columns
    assert document.get("types", {}).items() >= api.types.items()
    assert document["format"] == api.form
    assert api.slug in (None, document["slug"])
    assert detection.requests == len(upstream.requests) <= SETTINGS.detect_requests
    completeness, rows, warnings = ingested(upstream, document)
    assert (completeness, len(rows), warnings) == (api.end, api.rows, [])
    if api.key is not None:
        assert len({tuple(row[column] for column in api.key) for row in rows}) == api.rows
    assert HttpDatasource.model_validate(document).slug == document["slug"]


def test_reasons_name_the_evidence(upstream: Upstream) -> None:
    upstream.answer = APIS["CoinMarketCap"].answer
    detection = detect(upstream, APIS["CoinMarketCap"].url)
    assert reason(detection, "/primary_key").reason == "`id` is unique and not null in 200 records."
    assert reason(detection, "/http/pagination").reason == (
        "The address has the parameter `start`. Verified: a request for the second page brought other records: 100 "
        "records, none of which is on the first page. `status.total_count` tells where the pages end."
    )
    assert "the longest list of objects" in reason(detection, "/records").reason
    assert "`last_updated`" in reason(detection, "/incremental").reason
    assert {reason.pointer for reason in detection.reasons} >= {
        "/format",
        "/fields",
        "/types/last_updated",
        "/schedule",
    }


def test_html_without_accept_header(upstream: Upstream) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        if request.headers["accept"] == "application/json":
            return ok(numbered(3))
        return raw(b"<!doctype html><html></html>", media_type="text/html")

    upstream.answer = answer
    detection = detect(upstream, "https://x.example.com/things")
    assert detection.document["http"]["headers"] == {"Accept": "application/json"}
    assert ingested(upstream, detection.document)[1] == numbered(3)


def fail(request: httpx.Request) -> Any:
    raise httpx.ReadTimeout("")


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (lambda request: raw(b"", 401), "source-refused", "answered 401; add `auth`"),
        (lambda request: raw(b"", 404), "source-refused", "answered 404; check the address"),
        (lambda request: raw(b"", 405), "source-refused", "`http.method`"),
        (lambda request: raw(b"", 429), "source-refused", "try again later"),
        (lambda request: raw(b"<html>login"), "unreadable-data", "HTML"),
        (fail, "source-unreachable", "no response within the time limit"),
        (lambda request: raw(b"[" + b"1," * 999 + b"1]"), "data-too-large", "more than 1000 bytes"),
        (lambda request: ok(7), "records-not-found", "a single int"),
        (lambda request: ok("x"), "records-not-found", "a single str"),
        (lambda request: ok({"error": "no such key"}), "records-not-found", "'error'"),
        (lambda request: raw(b""), "empty-data", "empty"),
        (lambda request: raw(b"[NaN]"), "unreadable-data", "not JSON"),
        (lambda request: raw(b'["\xff"]'), "unreadable-data", "not UTF-8"),
        (lambda request: raw(b'{"a":' * 300 + b"1" + b"}" * 300), "data-too-large", "more than 1000 bytes"),
        (lambda request: raw(b"[" * 400 + b"]" * 400), "unreadable-data", "nested more than"),
    ],
)
def test_errors_of_the_first_page(upstream: Upstream, answer: Any, error: str, message: str) -> None:
    upstream.answer = answer
    with pytest.raises(RunError) as raised:
        detect(upstream, "https://x.example.com/things", max_page_bytes=1000)
    assert (raised.value.code, message in raised.value.detail) == (error, True), raised.value.detail


def test_error_of_the_second_page_is_a_warning(upstream: Upstream) -> None:
    upstream.answer = lambda request: (
        raw(b"", 403) if "page" in request.url.params else ok({"next": "?page=2", "results": numbered(10)})
    )
    detection = detect(upstream, "https://x.example.com/things")
    assert detection.document["http"]["pagination"] == {"type": "none"}
    assert "the second page cannot be requested: The upstream answered 403" in detection.warnings[0]


STRANGE = ["a.b", 'a"b', "a b", "é", "a\\", "", "a\nb", "_page", "A", "a", "@odata.id", "a`b", "x" * 300, "💰"]


def test_strange_keys(upstream: Upstream) -> None:
    records = [{"id": number, **{key: f"{key}{number}" for key in STRANGE}} for number in range(3)]
    upstream.serve({'the "list".': {"of all": records}})
    detection = detect(upstream, "https://x.example.com/things")
    _, rows, warnings = ingested(upstream, detection.document)
    values = [sorted(map(str, row.values())) for row in rows]
    expected = [sorted(str(v) for key, v in record.items() if key != "@odata.id") for record in records]
    assert (values, warnings) == (expected, [])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=6), min_size=1, max_size=4), st.text(max_size=4))
def test_every_key_can_be_selected(keys: list[str], other: str) -> None:
    document: Any = 7
    for key in reversed(keys):
        document = {key: document, other + key: None} if other else {key: document}
    assert search(expression_of(tuple(keys)), document) == 7


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=25,
)


@given(JSON)
@settings(max_examples=60, deadline=None)
def test_proposal_for_any_document_is_valid_and_reads_it(document: Any) -> None:
    upstream = Upstream()
    upstream.serve(document)
    try:
        detection = detect(upstream, "https://x.example.com/things")
    except RecordsNotFound:
        return
    datasource = HttpDatasource.model_validate(detection.document)
    datasource.require_safe()
    assert detection.requests <= SETTINGS.detect_requests
    assert detection.sample is not None, detection.warnings


def test_duplicate_keys_are_a_warning(upstream: Upstream) -> None:
    upstream.answer = lambda request: raw(b'[{"id": 1, "id": 2}, {"id": 3}]')
    assert "repeat the key 'id'" in detect(upstream, "https://x.example.com/things").warnings[0]


def test_empty_list(upstream: Upstream) -> None:
    upstream.serve({"total": 0, "data": []})
    detection = detect(upstream, "https://x.example.com/things")
    assert detection.document["records"] == "data"
    assert not detection.document.keys() & {"fields", "primary_key", "types"}
    assert ingested(upstream, detection.document)[1] == []


def test_list_of_plain_values(upstream: Upstream) -> None:
    upstream.serve(["a", "b", None])
    detection = detect(upstream, "https://x.example.com/things")
    assert "fields" not in detection.document
    assert [row["value"] for row in ingested(upstream, detection.document)[1]] == ['"a"', '"b"', None]


def test_object_of_many_keys(upstream: Upstream) -> None:
    upstream.serve({f"k{number}": number for number in range(10_000)})
    detection = detect(upstream, "https://x.example.com/things")
    assert len(detection.document["fields"]) == SETTINGS.detect_fields
    assert "DETECT_FIELDS" in detection.warnings[0]
    assert len(ingested(upstream, detection.document)[1]) == 1


def test_long_list(upstream: Upstream) -> None:
    upstream.serve({"data": numbered(20_001, a={"b": 1})})
    detection = detect(upstream, "https://x.example.com/things")
    assert "20,001 records" in reason(detection, "/records").reason
    assert "5,000 records" in reason(detection, "/primary_key").reason


def test_longest_list_may_be_beside_the_records(upstream: Upstream) -> None:
    upstream.serve({"errors": numbered(9), "tags": ["x"] * 99, "deep": {"er": {"things": numbered(4)}}})
    assert detect(upstream, "https://x.example.com/things").document["records"] == "deep.er.things"


@pytest.mark.parametrize(
    ("document", "records"),
    [
        ({"id": 1, "name": "x", "tags": ["a", "b"], "friends": []}, "@"),
        ({"total": 0, "issues": []}, "issues"),
        ({"symbols": ["BTC", "ETH"]}, "symbols"),
        ({"status": "ok", "result": {"price": 1, "volume": 2}}, "result"),
        ({"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}, "data"),
        ({"fields": [{"name": "a"}, {"name": "b"}, {"name": "c"}], "rows": [[1, 2, 3]]}, "rows"),
        ({"rates": {"USD": {"buy": 1}, "EUR": {"buy": 2}}}, "items(rates)"),
        ({"coins": {"BTC": {"symbol": "BTC", "usd": 1}, "ETH": {"symbol": "ETH", "usd": 2}}}, "values(coins)"),
        ({"status": {"code": 0}, "meta": {"code": 1}}, "@"),
    ],
)
def test_records_of_a_document(upstream: Upstream, document: Any, records: str) -> None:
    upstream.serve(document)
    detection = detect(upstream, "https://x.example.com/things")
    assert detection.document["records"] == records
    assert not any(name.startswith("column_") for name in detection.document.get("fields", {}))
