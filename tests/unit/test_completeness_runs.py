"""Whole runs whose pages were read twice: what is added, and what a replay makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.container import Container
from support.changing import OFFSET, Changing, insert_first, paged
from support.client import Client
from support.documents import drop, http_source, ingest, paged_source, rows
from support.upstream import Upstream, ok, raw


@pytest.fixture
def changing(upstream: Upstream) -> Changing:
    return Changing(upstream)


def _index(services: Container, run: dict[str, Any]) -> Any:
    return services.lake.find_json(f"raw-index/coins/{run['created_at'][:10]}/{run['id']}.json")


def test_a_replay_of_a_second_reading_gives_the_same_bytes(
    services: Container, admin: Client, changing: Changing
) -> None:
    changing.before = {2: insert_first}
    admin.post("/datasources", paged(OFFSET))
    run = ingest(admin, "coins")
    receipts = admin.get(f"/runs/{run['id']}/pages").json()["items"]
    assert [(page["number"], page["pass_number"]) for page in receipts] == [
        (1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2)
    ]  # fmt: skip
    assert [page["hash"] for page in receipts[:3]] == [
        page["hash"] for page in _index(services, run)["unused_pages"]
    ], "what the first reading received is kept"
    replay = ingest(admin, "coins", {"replay": 1})
    assert (replay["completeness"], replay["requests"]) == ("complete", 0)
    first, second = (admin.get(f"/datasources/coins/versions/{number}").json() for number in (1, 2))
    assert [part["sha256"] for part in first["objects"]] == [part["sha256"] for part in second["objects"]]


@pytest.mark.parametrize("disposition", ["append", "upsert"])
def test_a_second_reading_adds_its_records_once(admin: Client, changing: Changing, disposition: str) -> None:
    changing.before = {2: insert_first}
    admin.post("/datasources", paged(OFFSET, write_disposition=disposition))
    run = ingest(admin, "coins")
    assert (run["status"], run["completeness"], run["completeness_reasons"]) == ("succeeded", "complete", [])
    assert run["warnings"][0].startswith("all pages were read again: 1 record (by the primary key id) is on more")
    assert sorted(row["id"] for row in rows(admin, "datasources/coins")) == sorted(changing.ids)


@pytest.fixture
def cut_off(admin: Client, upstream: Upstream) -> dict[str, Any]:
    """A partial run that has appended ten of fifteen records; its second page can be had from now on."""
    admin.post("/datasources", paged_source(write_disposition="append"))
    upstream.serve_pages([{"id": number} for number in range(15)])
    whole = upstream.answer
    upstream.answer = lambda request: raw(b"", 404) if request.url.params["start"] == "10" else whole(request)
    run = ingest(admin, "coins")
    assert (run["completeness"], run["rows"]) == ("partial", 10)
    upstream.answer = whole
    return run


def test_version_after_a_partial_run_is_unproven(admin: Client, cut_off: dict[str, Any]) -> None:
    following = ingest(admin, "coins")
    assert (following["status"], following["completeness"]) == ("succeeded", "unproven")
    assert following["completeness_reasons"] == [
        f"it contains the records of the run {cut_off['id']}, which was partial"
    ]
    assert following["completeness_reasons"][0] in following["warnings"]
    assert ingest(admin, "coins", {"replay": following["version"]})["completeness"] == "unproven"


def test_version_is_complete_after_the_redrive(admin: Client, cut_off: dict[str, Any]) -> None:
    ingest(admin, "coins")
    assert admin.post(f"/runs/{cut_off['id']}/redrive").status == 202
    redriven = admin.get(f"/runs/{cut_off['id']}").json()
    assert (redriven["status"], redriven["completeness"]) == ("succeeded", "complete")
    assert len(rows(admin, "datasources/coins")) == 30


def test_complete_upsert_after_a_partial_run_is_complete(admin: Client, upstream: Upstream) -> None:
    admin.post("/datasources", paged_source(write_disposition="upsert", primary_key=["id"]))
    upstream.serve_pages([{"id": number} for number in range(15)])
    whole = upstream.answer
    upstream.answer = lambda request: raw(b"", 404) if request.url.params["start"] == "10" else whole(request)
    assert ingest(admin, "coins")["completeness"] == "partial"
    upstream.answer = whole
    assert ingest(admin, "coins")["completeness"] == "complete"


def test_appended_files_keep_their_completeness(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "primary_key": ["id"], "write_disposition": "upsert"})
    first = drop(services, "notes/a.csv", b"id,v\n1,a\n,lost\n")
    assert first is not None
    assert first["completeness"] == "unproven"
    second = drop(services, "notes/b.csv", b"id,v\n2,b\n")
    assert second is not None
    assert (second["completeness"], second["completeness_reasons"]) == (
        "unproven",
        [f"it contains the records of the run {first['id']}, which was unproven"],
    )


def linked(second: Any, first: Any = None) -> Any:
    """An upstream of two pages: the first one names the second."""
    records = (
        first if first is not None else {"data": [{"id": number, "status": "x", "error": None} for number in range(10)]}
    )

    def answer(request: Any) -> Any:
        if "after" in request.url.params:
            return second
        return ok({**records, "next": "https://coins.example.com/v1?after=1"})

    return answer


LINKED = http_source(records="data", http={"pagination": {"type": "next_url", "path": "next"}})
ERRORS: list[dict[str, Any]] = [
    {"data": [], "code": "429"},
    {"data": [], "status": "500"},
    {"data": [], "success": "false"},
    {"data": [], "ok": False},
    {"data": [], "meta": {"status": "error", "error": "x"}},
    {"data": [], "exception": "boom"},
    {"data": [], "errorMsg": "x"},
    {"data": [], "error_description": "x"},
    {"data": {"status": "error", "error": "rate limited"}},
]


@pytest.mark.parametrize("page", ERRORS, ids=str)
def test_an_error_instead_of_the_last_records(admin: Client, upstream: Upstream, page: dict[str, Any]) -> None:
    admin.post("/datasources", LINKED)
    upstream.answer = linked(ok(page))
    run = ingest(admin, "coins")
    assert (run["status"], run["completeness"], run["rows"]) == ("partial", "partial", 10), run


@pytest.mark.parametrize(
    "page", [{"data": [], "error": None}, {"data": [], "code": 0}, {"data": [], "status": "ok"}], ids=str
)
def test_empty_last_page(admin: Client, upstream: Upstream, page: dict[str, Any]) -> None:
    admin.post("/datasources", LINKED)
    upstream.answer = linked(ok(page))
    assert ingest(admin, "coins")["completeness"] == "complete"


@pytest.mark.parametrize(
    "pagination", [{"type": "none"}, {"type": "next_url", "path": "next"}], ids=["none", "next_url"]
)
@pytest.mark.parametrize("page", ERRORS[:3], ids=str)
def test_error_page_does_not_empty_the_dataset(
    admin: Client, upstream: Upstream, page: dict[str, Any], pagination: dict[str, Any]
) -> None:
    document = http_source(records="data", http={"pagination": pagination})
    admin.post("/datasources", document)
    upstream.serve({"data": [{"id": 1}]})
    ingest(admin, "coins")
    upstream.serve(page)
    run = ingest(admin, "coins")
    assert (run["status"], run["error"]["type"]) == ("failed", "urn:sluice:problem:records-not-found"), run
    assert rows(admin, "datasources/coins") == [{"id": 1}]
    admin.patch("/datasources/coins", {"allow_missing": True})
    assert ingest(admin, "coins")["status"] == "succeeded", "some upstreams say so when there are none"


def test_a_page_in_the_middle_that_does_not_say_where_it_ends(admin: Client, upstream: Upstream) -> None:
    admin.post("/datasources", http_source(format="csv", http={"pagination": {"type": "next_url", "from": "link"}}))

    def answer(request: Any) -> Any:
        if "after" in request.url.params:
            return raw(b"id\n3\n", media_type="text/csv")
        link = "<https://coins.example.com/v1?after=1>; rel=next"
        return raw(b"id\n1\n2\n", media_type="text/csv", framed=False, link=link)

    upstream.answer = answer
    run = ingest(admin, "coins")
    assert (run["status"], run["completeness"], run["rows"]) == ("succeeded", "unproven", 3)
    assert run["completeness_reasons"] == ["page 1: the upstream does not say where its answer ends"]
