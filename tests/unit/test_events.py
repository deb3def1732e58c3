"""Events: written together with their cause, and delivered to the followers that take their type."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.catalog.migration import Stored
from sluice.catalog.transactions import transact
from sluice.container import Container
from sluice.domain.event import Event, EventType
from sluice.domain.run_failure import RunFailure
from sluice.platform.workflows import ExecutionState
from sluice.publication import registry
from sluice.publication.delivery import deliver, deliver_overdue
from sluice.runs.reconcile import sweep
from support.client import Client
from support.documents import http_source, ingest
from support.upstream import Upstream, raw
from support.workflows import Killed, LocalWorkflows


class Recorder:
    """A follower that keeps the events that it got."""

    def __init__(self, name: str, *takes: EventType) -> None:
        self.name = name
        self.takes = frozenset(takes)
        self.received: list[Any] = []

    def follow(self, services: Container, event: Event) -> None:
        self.received.append(event)


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder("failures", "run.failed")
    monkeypatch.setattr(registry, "FOLLOWERS", [*registry.FOLLOWERS, recorder])
    return recorder


@pytest.fixture
def refused(admin: Client, upstream: Upstream) -> None:
    """A datasource whose upstream refuses."""
    upstream.answer = lambda request: raw(b"{}", 403)
    admin.post("/datasources", http_source("a"))


def test_failed_run_is_an_event_for_those_who_take_it(
    admin: Client, services: Container, failures: Recorder, refused: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = Recorder("published", "version.published")
    monkeypatch.setattr(registry, "FOLLOWERS", [*registry.FOLLOWERS, published])
    run = ingest(admin, "a")
    (event,) = failures.received
    assert isinstance(event, RunFailure)
    assert event.scope == {"datasource": "a", "project": None}
    assert event.data["error"] == run["error"]
    assert {name: event.data[name] for name in ("run", "attempt", "kind", "finished_at")} == {
        "run": run["id"],
        "attempt": 1,
        "kind": "ingest",
        "finished_at": run["finished_at"],
    }
    assert published.received == []
    assert services.outbox.find(event.key) is None, "it is no history"


def test_each_failed_attempt_is_an_event(admin: Client, services: Container, failures: Recorder, refused: None) -> None:
    run = ingest(admin, "a")
    admin.post(f"/runs/{run['id']}/redrive")
    assert [(event.run, event.attempt) for event in failures.received] == [(run["id"], 1), (run["id"], 2)]
    assert len({event.id for event in failures.received}) == 2
    stored = services.runs.get(run["id"])
    assert not services.runs.finish(stored, status="failed", finished_at=stored.created_at), "it has ended"
    assert deliver_overdue(services, 0) == 0


def test_cancelled_and_successful_runs_are_no_failures(
    admin: Client, services: Container, workflows: LocalWorkflows, upstream: Upstream, failures: Recorder
) -> None:
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("a"))
    ingest(admin, "a")
    workflows.hold = True
    run = admin.post("/datasources/a/runs").json()["id"]
    assert admin.post(f"/runs/{run}/cancel").json()["status"] == "cancelled"
    assert failures.received == []


def test_run_whose_execution_was_lost_is_a_failure(
    admin: Client, services: Container, workflows: LocalWorkflows, failures: Recorder, refused: None
) -> None:
    workflows.hold = True
    run = admin.post("/datasources/a/runs").json()["id"]
    workflows.outcomes[f"{run}-1"] = ExecutionState("TIMED_OUT")
    workflows.hold = False
    sweep(services, 0)
    workflows.deliver_publications()
    assert [event.run for event in failures.received] == [run]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_process_killed_at_the_failure_leaves_both_or_nothing(
    moment: str,
    admin: Client,
    services: Container,
    workflows: LocalWorkflows,
    failures: Recorder,
    refused: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run ends and its event is stored in one call, so a crash finds no place between them."""
    calls: list[int] = []

    def kill(client: Any, writes: Any) -> None:
        calls.append(len(writes))
        if moment == "after":
            transact(client, writes)
        raise Killed

    workflows.stream.enabled = False
    monkeypatch.setattr("sluice.catalog.runs.transact", kill)
    with pytest.raises(Killed):
        services.runs.finish(_stored_run(services), status="failed", finished_at="2026-01-01T00:00:00.000Z")
    assert calls == [2]
    (run,) = services.runs.active()
    ended, waiting = run.finished, list(services.outbox.undelivered())
    assert (ended, len(waiting)) == ((True, 1) if moment == "after" else (False, 0))


def _stored_run(services: Container) -> Any:
    from sluice.runs.start import ingest_run

    return services.runs.create(ingest_run("a", "api", "key/test"))


def test_event_of_a_newer_release_is_left_alone(services: Container) -> None:
    table = services.outbox._table
    item = {"workspace": "main", "dataset": "sold/x/1", "undelivered": "main"}
    table.execute(table.put(item, "attribute_not_exists(#dataset)"))
    assert list(services.outbox.undelivered()) == []
    assert services.outbox.find("sold/x/1") is None
    assert deliver(services, "sold/x", ["sold/x/1"])
    assert table.get({"workspace": "main", "dataset": "sold/x/1"}) == item


@pytest.mark.parametrize(
    ("key", "entity"),
    [
        ("datasource/a", "pointer"),
        ("project/p/model/m", "pointer"),
        ("failed/datasource/a/01J-1", None),
        ("raised/s1/1-2", None),
        ("published/project/p/2026-01-01T00:00:00Z", None),
        ("tests/project/p/model/m", None),
    ],
)
def test_migrations_leave_events_alone(services: Container, key: str, entity: str | None) -> None:
    stored = Stored("DatasetsTable", services.outbox._table, ("workspace", "dataset"))
    assert stored.entity({"workspace": "main", "dataset": key}) == entity
