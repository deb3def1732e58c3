"""The document that is proposed for an address, on the shapes of public APIs and on hostile responses."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain.datasource import HttpDatasource
from sluice.domain.datasource.http_source import NoAuth
from sluice.domain.expression import search
from sluice.domain.run import PageReceipt
from sluice.errors import RecordsNotFound, RunError, SourceRefused
from sluice.extract.by_record.record_reader import RecordReader
from sluice.extract.preview_dataset import Preview, preview_run
from sluice.formats.limits import Limits
from sluice.lake.parquet import engine
from sluice.settings import Settings
from sluice.sources.http.detection.addresses import free_slug, name_of
from sluice.sources.http.detection.detector import Detection, Detector
from sluice.sources.http.detection.paths import expression_of
from support.fetch_stage import FetchStage
from support.public_apis import APIS, PublicApi
from support.upstream import StubResponse, Upstream, ok, raw

SETTINGS = Settings(duckdb_threads=1)


def detect(upstream: Upstream, url: str, **settings: Any) -> Detection:
    """The proposal for an address, with no secrets and no other datasources."""
    options = SETTINGS.model_copy(update=settings)
    detector = Detector(url, NoAuth(type="none"), options, lambda name: "", upstream.transport, lambda slug: False)
    return detector.detect(sample)


def sample(datasource: HttpDatasource, receipt: PageReceipt, content: IO[bytes]) -> dict[str, Any]:
    preview = Preview(preview_run(datasource.slug), datasource, Limits.of(SETTINGS), SETTINGS.detect_sample)
    preview.add_page(receipt, content)
    return preview.response(1)


def reason(detection: Detection, pointer: str) -> Any:
    return next(reason for reason in detection.reasons if reason.pointer == pointer)


def ingested(upstream: Upstream, document: dict[str, Any]) -> tuple[str, list[dict[str, Any]], list[str]]:
    """The completeness, rows and warnings of a run with a document: the fetch stage, then the reading of its pages."""
    stage = FetchStage(document, upstream.transport())
    index = stage.fetch()
    warnings: list[str] = []
    with tempfile.TemporaryDirectory() as folder, engine(SETTINGS, Path(folder)) as connection:
        reader = RecordReader(Path(folder) / "rows.jsonl", lambda _: None, warnings)
        lake: Any = stage.lake
        records = reader.read(stage.run, stage.datasource, index, lake, Limits.of(SETTINGS))
        relation = connection.execute(f"SELECT * FROM ({records.query})")
        names = [name for name, *_ in relation.description or []]
        rows = [
            {name: value for name, value in zip(names, row, strict=True) if name not in ("_page", "_row", "_missing")}
            for row in relation.fetchall()
        ]
    return index.completeness, rows, warnings + records.warnings


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


def numbered(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": number, **more} for number in range(count)]


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


def test_html_without_accept_header(upstream: Upstream) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        if request.headers["accept"] == "application/json":
            return ok(numbered(3))
        return raw(b"<!doctype html><html></html>", media_type="text/html")

    upstream.answer = answer
    detection = detect(upstream, "https://x.example.com/things")
    assert detection.document["http"]["headers"] == {"Accept": "application/json"}
    assert ingested(upstream, detection.document)[1] == numbered(3)


TOKEN = "s3cr3tTokenValue"


def test_credential_in_the_address_becomes_a_secret(upstream: Upstream) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        if request.url.params.get("api_key") != TOKEN:
            return raw(b"", 401)
        page = int(request.url.params.get("page", 1))
        following = str(request.url.copy_merge_params({"page": page + 1})) if page < 3 else None
        return ok({"self": str(request.url), "next": following, "data": numbered(30)[10 * page - 10 : 10 * page]})

    upstream.answer = answer
    detection = detect(upstream, f"https://x.example.com/things?api_key={TOKEN}&units=m")
    assert TOKEN not in json.dumps(asdict(detection))
    assert detection.document["http"]["params"] == {"units": "m"}
    auth = {"type": "api_key", "in": "query", "name": "api_key", "secret": "example-things-api_key"}
    assert detection.document["http"]["auth"] == auth
    assert "credential" in reason(detection, "/http/auth").reason
    assert "PUT /v1/secrets/example-things-api_key" in detection.warnings[0]
    assert reason(detection, "/http/pagination").confidence == "verified"


@pytest.mark.parametrize(
    ("query", "left_out", "kept"),
    [
        (f"token={TOKEN}&signature=abc", "'signature'", {}),
        (f"key={TOKEN}12345&q=a", "'key'", {"q": "a"}),
        ("key=short&q=a", None, {"key": "short", "q": "a"}),
        ("page_token=abc&q=a", "'page_token'", {"q": "a"}),
    ],
)
def test_which_parameters_are_kept(upstream: Upstream, query: str, left_out: str | None, kept: dict[str, str]) -> None:
    upstream.serve(numbered(3))
    detection = detect(upstream, f"https://x.example.com/things?{query}")
    assert detection.document["http"].get("params", {}) == kept
    assert any(left_out in warning for warning in detection.warnings) if left_out else not detection.warnings


def test_repeated_parameters_stay_in_the_address(upstream: Upstream) -> None:
    upstream.serve(numbered(3))
    detection = detect(upstream, f"https://x.example.com/things?id=1&id=2&api_key={TOKEN}")
    assert detection.document["http"]["url"] == "https://x.example.com/things?id=1&id=2"
    assert TOKEN not in json.dumps(asdict(detection))


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
    ("url", "slug"),
    [
        ("https://api.example.co.uk/v1/", "example"),
        ("http://127.0.0.1:8080/prices.json", "prices"),
        ("http://127.0.0.1:8080/csv", "csv"),
        ("http://127.0.0.1/api/data.json", "api-data"),
        ("http://127.0.0.1/", "127-0-0-1"),
        ("https://check.com/", "check-source"),
        ("https://a.example.com/%C3%BC/" + "long-" * 30, "example-long"),
    ],
)
def test_slug(url: str, slug: str) -> None:
    assert free_slug(name_of(url), lambda name: False) == slug


def test_slug_that_is_taken_gets_a_number() -> None:
    taken = {"a", "a-2"}
    assert free_slug("a", lambda name: name in taken) == "a-3"
    assert len(free_slug("x" * 60, lambda name: not name.endswith("-2"))) == 50


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
