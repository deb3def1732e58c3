"""A function may be killed after any of its calls to AWS: nothing half-written is ever readable,
and a retry, a redrive or a sweep ends in the right data.

`PROOF=1` kills after every call; without it a sample of them is taken.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import httpx
import pytest

from sluice.container import Container
from sluice.domain.dataset import Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now
from sluice.domain.run import Drop
from sluice.publication.delivery import deliver_overdue
from sluice.runs.drops import receive_drop
from sluice.runs.reconcile import sweep
from sluice.runs.scheduled import fire
from sluice.sources.http.page_store import MOST_UNWRITTEN
from support.client import Client
from support.documents import drop, http_source, paged_source, rows
from support.killing import Killer, watched_calls
from support.upstream import StubResponse, Upstream, ok
from support.workflows import Killed, LocalWorkflows

MOST_CALLS = 165
STEP = 1 if os.environ.get("PROOF") else 29
OLD = [{"symbol": "A", "v": 1, "w": 1}]
NEW = [{"symbol": "A", "v": 2, "w": 2}, {"symbol": "B", "v": 2, "w": None}]


@contextmanager
def killing(monkeypatch: pytest.MonkeyPatch, killer: Killer, workflows: LocalWorkflows) -> Iterator[None]:
    with watched_calls(monkeypatch, killer):
        workflows.before_task = lambda function, payload: killer.begin()
        yield
    workflows.before_task = lambda function, payload: None


def readable_is_whole(services: Container) -> None:
    """Whatever is published has its manifest and every object that it names."""
    for dataset in map(DatasetId, ("datasource/a", "datasource/b", "project/p")):
        pointer = services.datasets.pointer(dataset)
        if pointer.published is not None:
            version = services.datasets.version(dataset, pointer.published)
            manifest = Manifest.model_validate_json(services.lake.get(version.manifest_key))
            assert sum(len(services.lake.get(part.key)) for part in manifest.objects) == version.bytes


@pytest.fixture
def stage(services: Container, admin: Client, upstream: Upstream) -> dict[str, Any]:
    """A project that was refreshed once, and upstreams that have something new since."""
    documents: dict[str, Any] = {"a": [{"symbol": "A", "v": 1}], "b": [{"symbol": "A", "w": 1}]}

    def answer(request: Any) -> StubResponse:
        return ok(documents[request.url.host.partition(".")[0]])

    upstream.answer = answer
    admin.post("/projects", {"name": "p", "merge": {"strategy": "join", "key": ["symbol"]}, "refresh_on": "manual"})
    for name in "ab":
        admin.post("/datasources", http_source(name))
        admin.put(f"/projects/p/datasources/{name}", {})
    admin.post("/projects/p/runs")
    assert rows(admin, "projects/p") == OLD
    documents |= {"a": [{"symbol": "A", "v": 2}, {"symbol": "B", "v": 2}], "b": [{"symbol": "A", "w": 2}]}
    return documents


@pytest.mark.parametrize("effective", [True, False], ids=["after the call", "before the call"])
@pytest.mark.parametrize("after", range(0, MOST_CALLS, STEP))
@pytest.mark.usefixtures("stage")
def test_refresh_succeeds_if_any_function_is_killed(
    services: Container,
    workflows: LocalWorkflows,
    admin: Client,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
    effective: bool,
) -> None:
    killer = Killer(after, effective=effective)
    with killing(monkeypatch, killer, workflows):
        run = admin.post("/projects/p/runs").json()
    readable_is_whole(services)
    ended = admin.get(f"/runs/{run['id']}").json()
    assert ended["status"] == "succeeded", ended
    assert rows(admin, "projects/p") == NEW
    assert services.datasets.pointer(DatasetId.of_project("p")).latest == 2, "one refresh is one version"
    assert deliver_overdue(services, 0) == 0
    assert sweep(services, 0) == 0
    assert services.runs.active() == []


@pytest.mark.parametrize("after", range(0, MOST_CALLS, STEP * 2))
@pytest.mark.usefixtures("stage")
def test_run_whose_execution_was_lost_is_redriven(
    services: Container,
    workflows: LocalWorkflows,
    admin: Client,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    """The whole emulator dies: no retry, no event of the end."""
    killer = Killer(after, effective=True)
    workflows.settle_ends = False
    dead: list[bool] = []

    def die(function: str, payload: dict[str, Any]) -> None:
        if killer.killed:
            killer.dead = False
            dead.append(True)
            raise Killed
        killer.begin()

    with killing(monkeypatch, killer, workflows):
        workflows.before_task = die
        run = admin.post("/projects/p/runs").json()
        workflows.before_task = lambda function, payload: None
    readable_is_whole(services)
    assert rows(admin, "projects/p") in (OLD, NEW)
    workflows.settle_ends = True
    sweep(services, 0)
    ended = admin.get(f"/runs/{run['id']}").json()
    assert ended["status"] in ("succeeded", "failed"), ended
    if ended["status"] == "failed":
        assert "Redrive it" in ended["error"]["detail"]
        assert admin.post(f"/runs/{run['id']}/redrive").status == 202
        ended = admin.get(f"/runs/{run['id']}").json()
        assert (ended["status"], ended["attempt"]) == ("succeeded", 2), ended
    assert rows(admin, "projects/p") == NEW
    readable_is_whole(services)


def test_kills_cover_all_calls_of_a_refresh(
    services: Container, workflows: LocalWorkflows, admin: Client, monkeypatch: pytest.MonkeyPatch, stage: Any
) -> None:
    """The tests above kill after fewer calls than a refresh makes, or just about."""
    killer = Killer(10**9, effective=True)
    with killing(monkeypatch, killer, workflows):
        admin.post("/projects/p/runs")
    assert MOST_CALLS * 0.8 < killer.calls < MOST_CALLS


@pytest.mark.parametrize("after", range(0, 36, 1 if STEP == 1 else 5))
def test_drop_is_ingested_if_any_function_is_killed(
    services: Container, workflows: LocalWorkflows, admin: Client, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    admin.post("/projects", {"name": "p"})
    admin.put("/projects/p/datasources/notes", {})
    with killing(monkeypatch, Killer(after, effective=True), workflows):
        drop(services, "notes/a.csv", b"symbol,v\nA,1\n")
    assert rows(admin, "projects/p") == [{"_source": "notes", "symbol": "A", "v": 1}]


@pytest.mark.parametrize("after", range(0, 37, 1 if STEP == 1 else 6))
def test_verification_of_pages_survives_a_kill(
    services: Container,
    workflows: LocalWorkflows,
    admin: Client,
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    """The first reading of the pages has evidence against it, the second one is the version."""
    records = [{"id": number} for number in range(5)]
    totals = iter([4, 5])

    def answer(request: httpx.Request) -> StubResponse:
        at = int(request.url.params["start"])
        total = next(totals, 5) if at == 0 else 5
        return ok({"data": records[at : at + 3], "total": total})

    upstream.answer = answer
    document = paged_source(pagination={"limit": 3}, primary_key=["id"])
    admin.post("/datasources", document)
    with killing(monkeypatch, Killer(after, effective=True), workflows):
        run = admin.post("/datasources/coins/runs", {}).json()
    ended = admin.get(f"/runs/{run['id']}").json()
    assert (ended["status"], ended["completeness"], ended["rows"]) == ("succeeded", "complete", 5), ended
    assert rows(admin, "datasources/coins") == records
    assert len(upstream.requests) <= 8, "four pages, of which none had its receipt"


PAGES = 60


@pytest.mark.parametrize("after", range(0, 110, 1 if STEP == 1 else 16))
def test_kill_loses_at_most_one_batch_of_receipts(
    services: Container,
    workflows: LocalWorkflows,
    admin: Client,
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    """The pages in flight and at most 25 more are asked for again, and the version is the same."""
    records = [{"id": number} for number in range(2 * PAGES)]
    upstream.serve_pages(records)
    admin.post("/datasources", paged_source(pagination={"limit": 2}, primary_key=["id"]))
    with killing(monkeypatch, killer := Killer(after, effective=True), workflows):
        run = admin.post("/datasources/coins/runs", {}).json()
    assert killer.killed, "the last kill is before the end"
    ended = admin.get(f"/runs/{run['id']}").json()
    assert (ended["status"], ended["completeness"], ended["requests"]) == ("succeeded", "complete", PAGES), ended
    assert rows(admin, "datasources/coins") == records
    request_counts = Counter(request.url.params["start"] for request in upstream.requests)
    assert max(request_counts.values()) <= 2
    again = [int(start) // 2 for start, times in request_counts.items() if times == 2]
    concurrency = 4
    assert len(again) <= MOST_UNWRITTEN + concurrency
    assert again == list(range(again[0], again[0] + len(again))) if again else True, "the last ones that were asked for"


def test_sweep_reconciles_a_run_whose_event_was_lost(
    services: Container, workflows: LocalWorkflows, admin: Client
) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    admin.post("/projects", {"name": "p"})
    admin.put("/projects/p/datasources/notes", {})
    workflows.settle_ends = workflows.stream.enabled = False
    drop(services, "notes/a.csv", b"symbol,v\nA,1\n")
    assert admin.get("/projects/p/data").status == 404
    assert sweep(services, 3600) == 1, "a young run is left alone"
    assert deliver_overdue(services, 3600) == 1, "a young publication is left alone"
    workflows.settle_ends = True
    sweep(services, 0)
    assert deliver_overdue(services, 0) == 0
    assert rows(admin, "projects/p") == [{"_source": "notes", "symbol": "A", "v": 1}]
    assert services.runs.active() == []


def test_sweep_starts_a_run_whose_start_was_lost(
    services: Container, workflows: LocalWorkflows, admin: Client, upstream: Upstream
) -> None:
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("a"))
    workflows.hold = True
    run = admin.post("/datasources/a/runs").json()
    workflows.outcomes.clear()
    workflows.hold = False
    sweep(services, 0)
    assert admin.get(f"/runs/{run['id']}").json()["status"] == "succeeded"


def test_get_reconciles_a_run_whose_lease_has_expired(
    services: Container, workflows: LocalWorkflows, admin: Client, upstream: Upstream
) -> None:
    from sluice.platform.workflows import ExecutionState

    admin.post("/datasources", http_source("a"))
    workflows.hold = True
    run = admin.post("/datasources/a/runs").json()
    workflows.outcomes[f"{run['id']}-1"] = ExecutionState("TIMED_OUT")
    assert admin.get(f"/runs/{run['id']}").json()["status"] == "pending"
    services.runs.advance(services.runs.get(run["id"]))
    stored = services.runs.get(run["id"])
    services.runs._lease_seconds = -10
    services.runs.advance(stored)
    ended = admin.get(f"/runs/{run['id']}").json()
    assert ended["status"] == "failed"
    assert ended["finished_at"] <= now().isoformat()


@pytest.mark.parametrize("after", range(10))
@pytest.mark.parametrize("cause", ["drop", "schedule"])
def test_event_is_handled_once_if_its_function_was_killed(
    services: Container,
    workflows: LocalWorkflows,
    admin: Client,
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
    cause: str,
    after: int,
) -> None:
    upstream.serve([{"a": 1}])
    admin.put("/datasources/s", http_source("s", schedule={"expression": "rate(1 hour)"}))
    admin.put("/datasources/d", {"name": "d", "kind": "file"})
    stored = boto3.client("s3").put_object(Bucket="inbox", Key="d/a.csv", Body=b"a\n1\n")
    dropped = Drop(
        bucket="inbox", key="d/a.csv", size=4, etag=stored["ETag"].strip('"'), version_id=stored["VersionId"]
    )

    def deliver() -> None:
        if cause == "drop":
            receive_drop(services, dropped)
        else:
            fire(services, {"kind": "datasource", "slug": "s", "execution": "e1"}, "r1")

    killer = Killer(after, effective=True)
    workflows.hold = True  # only the function that takes the event is killed
    with watched_calls(monkeypatch, killer):
        killer.begin()
        for _ in range(3):
            try:
                deliver()
            except Killed:
                killer.begin()
    workflows.hold = False
    workflows.outcomes.clear()
    slug = "d" if cause == "drop" else "s"
    runs = admin.get(f"/runs?datasource={slug}").json()["items"]
    assert len(runs) == 1, "once, however often it was told"
    workflows.start(services.runs.get(runs[0]["id"]))
    assert rows(admin, f"datasources/{slug}") == [{"a": 1}]


BURST = 3


@pytest.mark.parametrize("delivered_again", [True, False], ids=["delivered again", "never delivered again"])
@pytest.mark.parametrize("after", range(0, MOST_CALLS, STEP))
def test_burst_of_drops_is_ingested_if_any_function_is_killed(
    services: Container,
    workflows: LocalWorkflows,
    admin: Client,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
    delivered_again: bool,
) -> None:
    """Two at a time; the killed function's event comes again, or the sweep finds what it left."""
    services.settings = services.settings.model_copy(update={"max_active_ingests": 2})
    admin.post("/datasources", {"name": "notes", "kind": "file", "write_disposition": "append"})
    killer = Killer(after, effective=True)
    with killing(monkeypatch, killer, workflows):
        workflows.hold = True  # so that the files after the second one wait
        for number in range(BURST):
            deliver(services, killer, f"notes/{number}.csv", f"n\n{number}\n".encode(), 3 if delivered_again else 1)
        workflows.hold = False
        for name in list(workflows.outcomes):
            del workflows.outcomes[name]
            killer.watching = False  # it is the test that reads the run
            workflows.start(services.runs.get(name.rpartition("-")[0]))
    for _ in range(2):
        sweep(services, 0)
    runs = list(services.runs.newest("datasource/notes"))
    assert sorted(run.drop.key for run in runs if run.drop) == [f"notes/{number}.csv" for number in range(BURST)]
    assert {run.status for run in runs} == {"succeeded"}
    assert sorted(row["n"] for row in rows(admin, "datasources/notes")) == list(range(BURST))
    assert (services.runs.active(), services.slots.holders("ingests")) == ([], set())
    assert services.waiting_runs.oldest() is None


def deliver(services: Container, killer: Killer, key: str, body: bytes, times: int) -> None:
    """Put a file into the inbox and announce it, again when the function is killed."""
    killer.watching = False
    stored = boto3.client("s3").put_object(Bucket="inbox", Key=key, Body=body)
    etag = stored["ETag"].strip('"')
    announced = Drop(bucket="inbox", key=key, size=len(body), etag=etag, version_id=stored["VersionId"])
    for _ in range(times):
        killer.begin()
        try:
            receive_drop(services, announced)
        except Killed:
            continue
        return
    killer.begin()


def test_kills_cover_all_calls_of_a_burst(
    services: Container, workflows: LocalWorkflows, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above kill after fewer calls than a burst makes, or just about."""
    services.settings = services.settings.model_copy(update={"max_active_ingests": 2})
    admin.post("/datasources", {"name": "notes", "kind": "file", "write_disposition": "append"})
    killer = Killer(10**9, effective=True)
    with killing(monkeypatch, killer, workflows):
        for number in range(BURST):
            deliver(services, killer, f"notes/{number}.csv", f"n\n{number}\n".encode(), 1)
    assert MOST_CALLS * 0.8 < killer.calls < MOST_CALLS
