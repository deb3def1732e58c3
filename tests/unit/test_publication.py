"""What follows a published version: followers are told at least once, in order, and outside the transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from sluice.catalog import commits, datasets
from sluice.catalog.table import ConditionFailed, Write
from sluice.catalog.transactions import transact
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.event import Event, EventType
from sluice.domain.names import now
from sluice.domain.publication import Publication
from sluice.publication import registry
from sluice.publication.delivery import deliver, deliver_overdue
from sluice.runs.reconcile import sweep
from support.client import Client
from support.documents import http_source, ingest, refresh
from support.upstream import Upstream
from support.workflows import Killed, LocalWorkflows

MODELS, REPORTS = 20, 10


class Recorder:
    """A follower that keeps what it was told, and fails as long as it is told to."""

    takes = frozenset[EventType]({"version.published"})

    def __init__(self, name: str = "recorder") -> None:
        self.name = name
        self.received: list[Publication] = []
        self.fail: Callable[[Publication], bool] = lambda publication: False

    def follow(self, services: Container, publication: Publication) -> None:
        if self.fail(publication):
            raise RuntimeError("the webhook is down")
        self.received.append(publication)

    def numbers(self, dataset: str) -> list[int | None]:
        return [publication.number for publication in self.received if publication.dataset == dataset]


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(registry, "FOLLOWERS", [*registry.FOLLOWERS, recorder])
    return recorder


@pytest.fixture
def project(admin: Client, upstream: Upstream) -> set[str]:
    """A project with many models and reports; the datasets that its refresh publishes."""
    upstream.serve([{"id": 1, "v": 2}])
    admin.post("/datasources", http_source("a"))
    admin.post("/projects", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})
    for number in range(MODELS):
        admin.put(f"/projects/p/models/m{number}", {"sql": f"SELECT id, v + {number} AS v FROM merged"})
    for number in range(REPORTS):
        section = {"type": "table", "title": "t", "sql": f"SELECT * FROM m{number}"}
        assert admin.put(f"/projects/p/reports/r{number}", {"title": "R", "sections": [section]}).status == 201
    models = {DatasetId.of_project_resource("p", "model", f"m{number}") for number in range(MODELS)}
    reports = {DatasetId.of_project_resource("p", "report", f"r{number}") for number in range(REPORTS)}
    return {DatasetId.of_datasource("a"), DatasetId.of_project("p"), *models, *reports}


def test_each_dataset_of_a_refresh_is_delivered_to_the_followers(
    admin: Client, services: Container, recorder: Recorder, project: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def counted(client: Any, writes: Sequence[Write]) -> None:
        sizes.append(len(writes))
        transact(client, writes)

    monkeypatch.setattr(commits, "transact", counted)
    assert refresh(admin, "p")["status"] == "succeeded"
    assert max(sizes) == 3 * (1 + MODELS + REPORTS) + 2 == 95, "of the 100 that DynamoDB takes"
    assert sorted(publication.dataset for publication in recorder.received) == sorted(project)
    assert {publication.number for publication in recorder.received} == {1}
    assert list(services.outbox.undelivered()) == []


def test_kill_between_publication_and_delivery_loses_nothing(
    admin: Client, services: Container, workflows: LocalWorkflows, recorder: Recorder, project: set[str]
) -> None:
    def die(publication: Publication) -> bool:
        if len(recorder.received) % 3 == 2 and publication.key not in died:
            died.add(publication.key)
            raise Killed
        return False

    died: set[str] = set()
    recorder.fail = die
    workflows.stream.enabled = False
    refresh(admin, "p")
    assert recorder.received == [], "nobody was told, since the stream's records were lost"
    while True:
        try:
            assert deliver_overdue(services, 0) == 0
            break
        except Killed:
            continue
    assert len(died) >= 5
    assert {publication.dataset for publication in recorder.received} == project
    assert list(services.outbox.undelivered()) == []


def test_failed_follower_gets_no_later_publication_and_delays_no_other_follower(
    admin: Client, services: Container, upstream: Upstream, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady = Recorder("steady")
    monkeypatch.setattr(registry, "FOLLOWERS", [*registry.FOLLOWERS, steady])
    admin.post("/datasources", http_source("a"))
    admin.post("/datasources", http_source("b"))
    recorder.fail = lambda publication: publication.dataset == "datasource/a"
    for number in (1, 2):
        upstream.serve([{"id": number}])
        ingest(admin, "a")
        ingest(admin, "b")
    assert steady.numbers("datasource/a") == [1, 2]
    assert recorder.numbers("datasource/a") == []
    assert recorder.numbers("datasource/b") == [1, 2], "other datasets are not held up"
    assert deliver_overdue(services, 0) == 1, "one dataset has publications that a follower was not told of"
    waiting = list(services.outbox.undelivered())
    assert [(publication.key, publication.delivered_to) for publication in waiting] == [
        (publication.key, ["glue", "refresh_on_change", "steady", "subscriptions"])
        for publication in steady.received[::2]
    ]
    recorder.fail = lambda publication: publication.number == 2
    assert deliver_overdue(services, 0) == 1
    assert recorder.numbers("datasource/a") == [1]
    recorder.fail = lambda publication: False
    upstream.serve([{"id": 3}])
    ingest(admin, "a")
    assert recorder.numbers("datasource/a") == [1, 2, 3], "a later publication brings the earlier ones along"
    assert steady.numbers("datasource/a") == [1, 2, 3], "whoever was told is not told again"
    assert deliver_overdue(services, 0) == 0


def test_repeated_stream_record_is_delivered_once(
    admin: Client, services: Container, upstream: Upstream, recorder: Recorder
) -> None:
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("a"))
    ingest(admin, "a")
    (publication,) = recorder.received
    assert deliver(services, publication.topic, [publication.key, "published/datasource/a/2000-01-01T00:00:00Z"])
    assert recorder.received == [publication]


def test_sweep_ignores_young_publications(
    admin: Client, services: Container, workflows: LocalWorkflows, upstream: Upstream, recorder: Recorder
) -> None:
    workflows.stream.enabled = False
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("a"))
    ingest(admin, "a")
    assert (deliver_overdue(services, 60), recorder.received) == (1, [])
    assert (deliver_overdue(services, 0), recorder.numbers("datasource/a")) == (0, [1])


def test_deletions_promotions_and_restorations_are_publications(
    admin: Client, services: Container, upstream: Upstream, recorder: Recorder
) -> None:
    admin.post("/datasources", http_source("a"))
    admin.post("/projects", {"name": "p", "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})
    for number in (1, 2):
        upstream.serve([{"id": number}])
        refresh(admin, "p", ingest="all")
    admin.post("/projects/p/versions/1/promote")
    admin.delete("/projects/p")
    admin.delete("/datasources/a")
    admin.post("/datasources/a/restore")
    assert recorder.numbers("project/p") == [1, 2, 1, None]
    assert recorder.numbers("datasource/a") == [1, 2, None, 2]
    by = [publication.by for publication in recorder.received if publication.dataset == "project/p"]
    assert by[2].startswith("key/")
    assert by[3] == by[2]


def test_as_of_finds_no_version_of_a_hidden_dataset(admin: Client, services: Container, upstream: Upstream) -> None:
    def moment() -> str:
        last = services.publications.last(DatasetId.of_datasource("a"), now())
        assert last is not None
        return last.published_at

    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("a"))
    ingest(admin, "a")
    published = moment()
    admin.delete("/datasources/a")
    hidden = moment()
    admin.post("/datasources/a/restore")
    restored = moment()
    assert admin.get(f"/datasources/a/data?as_of={published}").json()["items"] == [{"id": 1}]
    assert admin.get(f"/datasources/a/data?as_of={hidden}").json()["type"].endswith("not-published")
    assert admin.get(f"/datasources/a/data?as_of={restored}").json()["items"] == [{"id": 1}]


@pytest.mark.parametrize("ending", ["failed", "cancelled"])
def test_what_a_refresh_did_not_merge_is_merged_by_another_one(
    ending: str, admin: Client, services: Container, workflows: LocalWorkflows, upstream: Upstream
) -> None:
    """The follower leaves the version to the refresh that has ingested it, which then ends without a merge."""

    def end(function: str, payload: dict[str, Any]) -> None:
        if "children_of" not in payload or admin.get("/datasources/a/versions").json()["items"] == []:
            return
        if ending == "failed":
            raise Killed
        admin.post(f"/runs/{payload['children_of']}/cancel")

    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("a"))
    admin.post("/projects", {"name": "p"})
    admin.put("/projects/p/datasources/a", {})
    workflows.before_task = end
    ended = admin.post("/projects/p/runs").json()["id"]
    workflows.before_task = lambda function, payload: None
    sweep(services, 0)
    runs = admin.get("/runs?project=p").json()["items"]
    assert [(run["status"], run["trigger"]) for run in runs] == [("succeeded", "change"), (ending, "api")]
    assert runs[1]["id"] == ended
    assert admin.get("/projects/p/data").json()["items"] == [{"_source": "a", "id": 1}]


def test_a_project_of_the_same_name_as_a_deleted_one_is_refreshed(
    admin: Client, services: Container, workflows: LocalWorkflows, upstream: Upstream
) -> None:
    """The refresh that has ingested the version is one of the deleted project."""

    def replace(function: str, payload: dict[str, Any]) -> None:
        if function == "commit" and not replaced:
            replaced.append(function)
            admin.delete("/projects/p")
            time.sleep(0.002)  # definitions have times of milliseconds
            admin.post("/projects", {"name": "p"})
            admin.put("/projects/p/datasources/a", {})

    replaced: list[str] = []
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("a"))
    admin.post("/projects", {"name": "p"})
    admin.put("/projects/p/datasources/a", {})
    workflows.before_task = replace
    admin.post("/projects/p/runs")
    sweep(services, 0)
    assert admin.get("/projects/p/data").json()["items"] == [{"_source": "a", "id": 1}]


def test_an_ingest_run_is_not_redriven_while_its_refresh_is_active(
    admin: Client, services: Container, workflows: LocalWorkflows, upstream: Upstream
) -> None:
    def fail(function: str, payload: dict[str, Any]) -> None:
        if function == "fetch" and not children:
            children.append(payload["run_id"])
            run = services.runs.get(payload["run_id"])
            services.runs.finish(run, status="failed", finished_at=run.created_at, error={"detail": "x"})
        if function == "merge":
            answers.append(admin.post(f"/runs/{children[0]}/redrive").status)

    children: list[str] = []
    answers: list[int] = []
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("a"))
    admin.post("/projects", {"name": "p", "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})
    workflows.before_task = fail
    admin.post("/projects/p/runs")
    assert answers == [409]
    assert admin.post(f"/runs/{children[0]}/redrive").status == 202, "once the refresh has ended"


def test_a_restoration_is_later_than_the_hiding_whatever_the_clock_says(
    admin: Client, services: Container, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("a"))
    ingest(admin, "a")
    admin.delete("/datasources/a")
    monkeypatch.setattr(datasets, "now", lambda: now() - timedelta(seconds=1))
    assert admin.post("/datasources/a/restore").status == 200
    last = services.publications.last(DatasetId.of_datasource("a"), now() + timedelta(seconds=5))
    assert last is not None
    assert last.number == 1


def test_a_dataset_that_is_promoted_meanwhile_is_not_hidden_as_it_was(
    admin: Client, services: Container, upstream: Upstream
) -> None:
    admin.post("/datasources", http_source("a"))
    for number in (1, 2):
        upstream.serve([{"id": number}])
        ingest(admin, "a")
    dataset = DatasetId.of_datasource("a")
    writes = services.datasets.hide_writes(dataset, "key/test")
    services.datasets.promote(dataset, 1, "key/test")
    with pytest.raises(ConditionFailed):
        transact(services.publications._table.client, writes)


def test_the_sweep_ends_in_time_and_leaves_the_rest_to_the_next(
    admin: Client, services: Container, workflows: LocalWorkflows, upstream: Upstream, recorder: Recorder
) -> None:
    workflows.stream.enabled = False
    upstream.serve([{"id": 1}])
    for name in "abc":
        admin.post("/datasources", http_source(name))
        ingest(admin, name)
    services.settings = services.settings.model_copy(update={"sweep_seconds": -1.0})
    assert (deliver_overdue(services, 0), recorder.received) == (3, [])
    services.settings = services.settings.model_copy(update={"sweep_seconds": 30.0})
    assert (deliver_overdue(services, 0), len(recorder.received)) == (0, 3)


def test_many_publications_wait_for_one_follower_without_being_read_each_time(
    admin: Client, services: Container, upstream: Upstream, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.fail = lambda publication: True
    admin.post("/datasources", http_source("a"))
    for number in range(4):
        upstream.serve([{"id": number}])
        ingest(admin, "a")
    find, read = services.outbox.find, []

    def counted(key: str) -> Event | None:
        read.append(key)
        return find(key)

    monkeypatch.setattr(services.outbox, "find", counted)
    assert deliver_overdue(services, 0) == 1
    assert len(read) == 1, "the oldest one, of which the follower is told first"
