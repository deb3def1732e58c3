"""Refreshes in which an earlier version stands in for a datasource that could not be fetched."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now, rfc3339
from sluice.domain.source_use import SourceUse, fetch_summary
from sluice.domain.stale_input import IngestFailure
from sluice.runs.start import refresh_for_change
from support.client import Client
from support.documents import drop, http_source, ingest, refresh
from support.upstream import StubResponse, Upstream, ok, raw
from support.workflows import LocalWorkflows

DOWN = raw(b"", 401)


class Hosts:
    """Upstreams by the first part of their host's name; a test changes what they answer."""

    def __init__(self, upstream: Upstream, **documents: Any) -> None:
        self.documents = documents
        upstream.answer = self._answer

    def _answer(self, request: Any) -> StubResponse:
        document = self.documents[request.url.host.partition(".")[0]]
        return document if isinstance(document, StubResponse) else ok(document)


@pytest.fixture
def hosts(admin: Client, upstream: Upstream) -> Hosts:
    """The datasources `prices` and `names`, merged by the project `p`, which was refreshed once."""
    hosts = Hosts(upstream, prices=[{"id": 1, "price": 5}], names=[{"id": 1, "name": "Ada"}])
    for slug in ("prices", "names"):
        assert admin.post("/datasources", http_source(slug)).status == 201
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    for slug in ("prices", "names"):
        admin.put(f"/projects/p/datasources/{slug}", {})
    assert refresh(admin, "p")["completeness"] == "complete"
    return hosts


def stale_slugs(document: dict[str, Any]) -> list[tuple[str, int]]:
    return [(entry["datasource"], entry["version"]) for entry in document["stale"]]


def test_run_version_and_data_say_what_stood_in(admin: Client, hosts: Hosts) -> None:
    fetched_at = admin.get("/datasources/prices/versions/1").json()["data_as_of"]
    hosts.documents["prices"] = DOWN
    run = refresh(admin, "p")
    assert (run["status"], run["completeness"]) == ("succeeded", "stale")
    entry = run["stale"][0]
    assert (entry["datasource"], entry["version"], entry["data_as_of"]) == ("prices", 1, fetched_at)
    assert "401" in entry["error"]
    assert run["completeness_reasons"] == [f"prices: {entry['error'].rstrip('.')}. Using version 1 from {fetched_at}."]
    version = admin.get(f"/projects/p/versions/{run['version']}").json()
    data = admin.get("/projects/p/data").json()
    for document in (version, data):
        assert (document["completeness"], document["stale"]) == ("stale", run["stale"])
    headers = admin.get("/projects/p/data?format=csv").headers
    assert headers["X-Sluice-Completeness"] == "stale"
    cause = 'error="The upstream answered 401; check the secret."'
    assert headers["X-Sluice-Stale"] == f'prices;version=1;data-as-of="{fetched_at}";{cause}'
    assert stale_slugs(admin.post("/projects/p/merge/preview", {}).json()) == [("prices", 1)]
    assert admin.get("/projects/p/fetch").headers["X-Sluice-Completeness"] == "stale"


def test_nothing_stands_in_for_what_was_fetched(admin: Client, hosts: Hosts) -> None:
    data = admin.get("/projects/p/data").json()
    assert (data["completeness"], data["stale"]) == ("complete", [])
    assert "X-Sluice-Stale" not in admin.get("/projects/p/data?format=csv").headers


def test_optional_datasource_stands_in_too(admin: Client, hosts: Hosts) -> None:
    admin.put("/projects/p/datasources/prices", {"optional": True})
    hosts.documents["prices"] = DOWN
    assert stale_slugs(refresh(admin, "p")) == [("prices", 1)]


def test_models_reports_and_endpoints_say_what_stood_in(admin: Client, hosts: Hosts) -> None:
    # One reads the merge, the other the datasource itself.
    for name, table in (("merged_prices", "merged"), ("own_prices", "prices")):
        admin.put(f"/projects/p/models/{name}", {"sql": f"SELECT price FROM {table}"})
        admin.put(f"/projects/p/endpoints/{name}", {"sql": f"SELECT price FROM {table}"})
        admin.put(f"/projects/p/endpoints/of_{name}", {"sql": f"SELECT price FROM {name}", "cache_seconds": 3600})
    refresh(admin, "p")
    assert admin.get("/endpoints/p/of_own_prices").json()["completeness"] == "complete"
    hosts.documents["prices"] = DOWN
    refresh(admin, "p")
    for name in ("merged_prices", "own_prices"):
        for path in (f"/projects/p/models/{name}/data", f"/endpoints/p/{name}", f"/endpoints/p/of_{name}"):
            answer = admin.get(path).json()
            assert (answer["completeness"], stale_slugs(answer)) == ("stale", [("prices", 2)]), path
    hosts.documents["prices"] = [{"id": 1, "price": 5}]
    refresh(admin, "p")
    for name in ("merged_prices", "own_prices"):
        for path in (f"/projects/p/models/{name}/data", f"/endpoints/p/{name}", f"/endpoints/p/of_{name}"):
            answer = admin.get(path).json()
            assert (answer["completeness"], answer["stale"]) == ("complete", []), path


def test_a_refresh_that_fetches_nothing_does_not_hide_an_earlier_failure(admin: Client, hosts: Hosts) -> None:
    hosts.documents["prices"] = DOWN
    assert ingest(admin, "prices")["status"] == "failed"
    first = refresh(admin, "p", ingest="none")
    assert (first["completeness"], stale_slugs(first)) == ("stale", [("prices", 1)])
    second = refresh(admin, "p", ingest="none")
    assert (second["completeness"], second["version"]) == ("stale", first["version"]), "the same inputs, no new version"
    hosts.documents["prices"] = [{"id": 1, "price": 5}]
    ingest(admin, "prices")
    third = refresh(admin, "p", ingest="none")
    assert (third["completeness"], third["stale"]) == ("complete", [])
    assert admin.get("/projects/p/data").json()["completeness"] == "complete"


def test_repeated_failure_makes_no_further_version(admin: Client, hosts: Hosts) -> None:
    hosts.documents["prices"] = DOWN
    first = refresh(admin, "p", ingest="all")
    hosts.documents["prices"] = raw(b"", 403)
    second = refresh(admin, "p", ingest="all")
    assert (second["completeness"], second["version"]) == ("stale", first["version"])
    assert admin.get("/projects/p/versions").json()["items"][0]["number"] == first["version"]
    # The run has the latest error, the version the first one.
    assert "403" in second["stale"][0]["error"]
    assert "401" in admin.get("/projects/p/data").json()["stale"][0]["error"]
    assert "403" in admin.get("/datasources/prices/data").json()["stale"][0]["error"]


def test_data_of_a_datasource_says_that_it_could_not_be_fetched(admin: Client, hosts: Hosts) -> None:
    hosts.documents["prices"] = [{"id": number, "price": number} for number in range(3)]
    ingest(admin, "prices")
    path = "/datasources/prices/data"
    fetched_at = admin.get(path).json()["data_as_of"]
    hosts.documents["prices"] = DOWN
    assert ingest(admin, "prices")["status"] == "failed"
    entry = {"datasource": "prices", "version": 2, "data_as_of": fetched_at}
    entry["error"] = "The upstream answered 401; check the secret."
    page = admin.get(f"{path}?limit=2").json()
    following = admin.get(f"{path}?limit=2&cursor={page['next']}").json()
    for answer in (page, following):
        assert (answer["completeness"], answer["stale"]) == ("stale", [entry])
    headers = admin.get(f"{path}?format=csv").headers
    assert headers["X-Sluice-Completeness"] == "stale"
    assert headers["X-Sluice-Stale"].startswith("prices;version=2;")
    # A version that is named is what it is.
    named = admin.get(f"{path}?version=2").json()
    assert (named["completeness"], named["stale"]) == ("complete", [])
    assert admin.get("/datasources/prices/versions").json()["items"][0]["completeness"] == "complete"
    hosts.documents["prices"] = [{"id": 1, "price": 5}]
    ingest(admin, "prices")
    answer = admin.get(path).json()
    assert (answer["completeness"], answer["stale"]) == ("complete", [])


def test_recovered_datasource_refreshes_projects_that_follow_changes(admin: Client, hosts: Hosts) -> None:
    hosts.documents["prices"] = DOWN
    refresh(admin, "p")
    admin.patch("/projects/p", {"refresh_on": "change"})
    hosts.documents["prices"] = [{"id": 1, "price": 5}]
    ingest(admin, "prices")
    assert admin.get("/projects/p/data").json()["completeness"] == "complete"


def test_complete_version_stands_in_for_a_partial_one(admin: Client, upstream: Upstream) -> None:
    pagination = {"type": "page", "page_param": "p", "size_param": "n", "size": 1, "total_pages": "`2`"}
    document = http_source("paged")
    document["http"]["pagination"] = pagination
    admin.post("/datasources", {**document, "records": "@"})
    admin.put("/projects/p", {"name": "p", "refresh_on": "manual"})
    admin.put("/projects/p/datasources/paged", {})
    upstream.answer = lambda request: ok([{"id": int(request.url.params["p"])}])
    assert refresh(admin, "p")["completeness"] == "complete"
    upstream.answer = lambda request: ok([{"id": 7}]) if request.url.params["p"] == "1" else DOWN
    run = refresh(admin, "p")
    assert [source["outcome"] for source in run["sources"]] == ["fetched"]
    assert (run["status"], run["completeness"], stale_slugs(run)) == ("succeeded", "stale", [("paged", 1)])
    assert "is partial" in run["stale"][0]["error"]


def test_failed_datasource_is_fetched_again_before_its_data_expires(admin: Client, hosts: Hosts) -> None:
    admin.patch("/datasources/prices", {"max_age_seconds": 3600})
    hosts.documents["prices"] = DOWN
    assert refresh(admin, "p", ingest="all")["completeness"] == "stale"
    hosts.documents["prices"] = [{"id": 1, "price": 5}]
    run = refresh(admin, "p", ingest="stale")
    assert (run["completeness"], run["summary"]) == ("complete", "2 of 2 sources fetched")


def test_late_failure_does_not_mark_data_that_was_fetched_since(
    services: Container, admin: Client, hosts: Hosts
) -> None:
    hosts.documents["prices"] = DOWN
    failed = ingest(admin, "prices")
    hosts.documents["prices"] = [{"id": 1, "price": 6}]
    ingest(admin, "prices")
    late = IngestFailure(run=failed["id"], at=failed["finished_at"], error="the event of its end arrives late")
    services.datasets.note_failure(DatasetId.of_datasource("prices"), late, failed["created_at"])
    assert refresh(admin, "p", ingest="none")["completeness"] == "complete"


def test_failure_of_an_earlier_run_does_not_mark_what_a_later_one_has_fetched(
    services: Container, workflows: LocalWorkflows, admin: Client, hosts: Hosts
) -> None:
    workflows.hold = True
    earlier = admin.post("/datasources/prices/runs", {}).json()["id"]
    workflows.hold = False
    assert ingest(admin, "prices")["status"] == "succeeded"
    hosts.documents["prices"] = DOWN
    workflows.outcomes.pop(f"{earlier}-1")
    workflows.start(services.runs.get(earlier))
    assert admin.get(f"/runs/{earlier}").json()["status"] == "failed"
    assert refresh(admin, "p", ingest="none")["completeness"] == "complete"


def test_replay_says_nothing_about_the_upstream(admin: Client, hosts: Hosts) -> None:
    admin.patch("/datasources/prices", {"max_age_seconds": 1})
    hosts.documents["prices"] = DOWN
    assert refresh(admin, "p", ingest="all")["completeness"] == "stale"
    time.sleep(1.1)
    assert ingest(admin, "prices", {"replay": 1})["status"] == "succeeded"
    run = refresh(admin, "p", ingest="none")
    assert (run["completeness"], stale_slugs(run)) == ("stale", [("prices", 2)])
    assert refresh(admin, "p", ingest="stale")["summary"] == "1 of 2 sources fetched, prices failed", "it is still old"


def test_unreadable_file_does_not_make_earlier_files_stale(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "format": "json"})
    admin.put("/projects/p", {"name": "p", "refresh_on": "manual"})
    admin.put("/projects/p/datasources/notes", {})
    drop(services, "notes/1.json", b'[{"id": 1}]')
    drop(services, "notes/2.json", b'[{"id": 1')
    run = refresh(admin, "p")
    assert (run["completeness"], run["summary"]) == ("complete", None)
    assert [source["outcome"] for source in run["sources"]] == ["received"]


def test_run_says_what_it_fetched(admin: Client, hosts: Hosts) -> None:
    admin.patch("/datasources/names", {"max_age_seconds": 3600})
    admin.patch("/datasources/prices", {"max_age_seconds": 1})
    run = refresh(admin, "p", ingest="stale")
    checked_at = datetime.fromisoformat(admin.get("/datasources/names/versions/1").json()["created_at"])
    outcomes = {source["datasource"]: source for source in run["sources"]}
    assert outcomes["names"]["outcome"] == "fresh"
    until = datetime.fromisoformat(outcomes["names"]["fresh_until"])
    assert abs(until - checked_at - timedelta(hours=1)) < timedelta(seconds=2)
    hosts.documents["prices"] = DOWN
    run = refresh(admin, "p", ingest="all")
    assert run["summary"] == "1 of 2 sources fetched, prices failed"
    failed = next(source for source in run["sources"] if source["outcome"] == "failed")
    assert admin.get(f"/runs/{failed['run']}").json()["datasource"] == "prices"
    assert refresh(admin, "p", ingest="none")["summary"] == "0 of 2 sources fetched, no fetch was requested"


MOMENT = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_summary_names_what_is_fresh_and_until_when() -> None:
    sources = [
        SourceUse(datasource="listings", outcome="fetched"),
        SourceUse(datasource="prices", outcome="fresh", fresh_until="2026-11-26T12:41:07Z"),
        SourceUse(datasource="names", outcome="fetched"),
        SourceUse(datasource="notes", outcome="received"),
    ]
    assert fetch_summary(sources, MOMENT) == "2 of 3 sources fetched, prices fresh until 12:41 UTC"
    far = SourceUse(datasource="codes", outcome="fresh", fresh_until="2026-12-26T12:41:07Z")
    never = SourceUse(datasource="units", outcome="fresh")
    assert fetch_summary([far, never], MOMENT) == (
        "0 of 2 sources fetched, codes fresh until 2026-12-26 12:41 UTC, units fresh, it never expires"
    )
    assert fetch_summary([SourceUse(datasource="notes", outcome="received")], MOMENT) is None


OUTCOMES = ["pending", "fetched", "failed", "fresh", "received", "disabled", "not_requested"]


@given(st.lists(st.sampled_from(OUTCOMES), max_size=6))
def test_summary_counts_what_was_fetched_of_what_can_be(outcomes: list[Any]) -> None:
    until = rfc3339(now())
    sources = [
        SourceUse(datasource=f"s{number}", outcome=outcome, fresh_until=until if outcome == "fresh" else None)
        for number, outcome in enumerate(outcomes)
    ]
    pulled = [outcome for outcome in outcomes if outcome != "received"]
    summary = fetch_summary(sources, now())
    if not pulled:
        assert summary is None
    else:
        assert (summary or "").startswith(f"{pulled.count('fetched')} of {len(pulled)} source")
        for source in sources:
            if source.outcome in ("failed", "fresh", "disabled"):
                assert source.datasource in (summary or "")


def test_change_during_a_requested_refresh_waits_for_its_end(
    services: Container, workflows: LocalWorkflows, admin: Client
) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    admin.put("/projects/p", {"name": "p", "refresh_on": "change"})
    admin.put("/projects/p/datasources/notes", {})
    workflows.hold = True
    held = admin.post("/projects/p/runs", {}).json()
    workflows.hold = False
    drop(services, "notes/1.json", b'[{"id": 1}]')
    assert [run["id"] for run in admin.get("/runs?project=p&kind=refresh").json()["items"]] == [held["id"]]
    workflows.outcomes.pop(f"{held['id']}-1")
    workflows.start(services.runs.get(held["id"]))
    runs = admin.get("/runs?project=p&kind=refresh").json()["items"]
    assert [(run["trigger"], run["status"]) for run in runs] == [("change", "succeeded"), ("api", "succeeded")]


def test_lock_of_a_requested_refresh_names_a_run_that_exists(
    services: Container, admin: Client, hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.patch("/projects/p", {"refresh_on": "change"})
    acquire = services.locks.acquire

    def acquire_while_a_source_changes(lock: str, seconds: int, **attributes: Any) -> Any:
        held = acquire(lock, seconds, **attributes)
        if lock == "refresh#p":
            monkeypatch.undo()
            refresh_for_change(services, "p")
        return held

    monkeypatch.setattr(services.locks, "acquire", acquire_while_a_source_changes)
    run = refresh(admin, "p", ingest="all")
    assert (run["trigger"], run["status"], run["summary"]) == ("api", "succeeded", "2 of 2 sources fetched")


@pytest.fixture
def unfetched(services: Container, admin: Client, upstream: Upstream) -> None:
    """A project of `ranks`, which was never fetched, and `notes`, which has a file."""
    Hosts(upstream, ranks=[{"id": 1, "rank": 1}])
    admin.post("/datasources", http_source("ranks"))
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    tests = {"merged": [{"type": "unique", "columns": ["rank"]}]}
    merge = {"strategy": "join", "key": ["id"]}
    admin.put("/projects/p", {"name": "p", "merge": merge, "tests": tests, "refresh_on": "change"})
    for slug in ("ranks", "notes"):
        admin.put(f"/projects/p/datasources/{slug}", {})
    drop(services, "notes/1.json", b'[{"id": 1, "note": "x"}]')


@pytest.mark.usefixtures("unfetched")
def test_change_starts_no_first_refresh_before_required_datasources_were_fetched(
    services: Container, admin: Client
) -> None:
    assert admin.get("/runs?project=p").json()["items"] == []
    ingest(admin, "ranks")
    (run,) = admin.get("/runs?project=p").json()["items"]
    assert (run["trigger"], run["status"], run["completeness"]) == ("change", "succeeded", "complete")
    drop(services, "notes/2.json", b'[{"id": 1, "note": "y"}]')
    assert admin.get("/projects/p/data").json()["items"][0]["note"] == "y"


@pytest.mark.usefixtures("unfetched")
def test_test_of_a_column_that_is_still_missing_does_not_fail_a_partial_merge(admin: Client) -> None:
    run = refresh(admin, "p", ingest="none")
    assert run["status"] == "partial"
    assert any("cannot be run: there is no column rank" in text for text in run["warnings"])
    assert refresh(admin, "p")["completeness"] == "complete"
    admin.patch("/projects/p", {"tests": {"merged": [{"type": "unique", "columns": ["rnak"]}]}})
    assert refresh(admin, "p")["error"]["type"] == "urn:sluice:problem:model-failed", "the version is complete"


def test_rule_of_a_field_that_no_data_has_yet_is_left_out(services: Container, admin: Client, hosts: Hosts) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    merge = {"strategy": "join", "key": ["id"], "fields": {"note": {"rule": "longest"}}}
    assert admin.put("/projects/p", {"name": "p", "merge": merge, "refresh_on": "manual"}).status == 200
    assert refresh(admin, "p")["error"]["type"] == "urn:sluice:problem:merge-failed", "no datasource can have it"
    admin.put("/projects/p/datasources/notes", {"optional": True})
    run = refresh(admin, "p")
    assert run["status"] == "succeeded"
    assert any("the rule of 'note' is not used" in text for text in run["warnings"])
    assert admin.post("/projects/p/merge/preview", {}).status == 200
    drop(services, "notes/1.json", b'[{"id": 1, "note": "x"}]')
    run = refresh(admin, "p")
    assert not any("is not used" in text for text in run["warnings"])
    assert admin.get("/projects/p/explain?key=1").json()["fields"]["note"]["rule"] == "longest"
