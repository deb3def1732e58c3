"""Erasures that are killed, cancelled or beside others; `PROOF=1` kills one after each of its calls."""

from __future__ import annotations

import os
from pathlib import Path

import boto3
import pytest

from sluice.container import Container
from sluice.domain.names import new_run_id
from sluice.domain.run import Run
from sluice.erasure.derived import Derived
from sluice.erasure.requests import claim_turn
from sluice.erasure.retention import enforce_retention
from sluice.errors import CannotErase
from support.client import Client
from support.documents import Documents, http_source, ingest, refresh, rows
from support.erasing import CANARY, FIELD, TABLE, erased
from support.example_algorithms import add_example_algorithms
from support.killing import Killer, watched_calls
from support.traces import traces
from support.workflows import LocalWorkflows

# The most calls of AWS that the erasure of the test makes; `PROOF=1` kills it after each.
MOST_CALLS = 337
STEP = 1 if os.environ.get("PROOF") else 169


@pytest.mark.parametrize("after", range(0, MOST_CALLS, STEP))
def test_an_erasure_that_is_killed_is_completed(
    services: Container,
    workflows: LocalWorkflows,
    admin: Client,
    documents: Documents,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    boto3.client("s3").put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    documents["birds"] = TABLE
    documents["same"] = TABLE
    for slug in ("birds", "same"):
        admin.put(f"/datasources/{slug}", http_source(slug, primary_key=["id"]))
        ingest(admin, slug)
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/birds", {})
    admin.put("/projects/p/models/notes", {"sql": "SELECT id, note FROM merged"})
    refresh(admin, "p", ingest="none")
    killer = Killer(after, effective=bool(after % 2))
    with watched_calls(monkeypatch, killer):
        workflows.before_task = lambda function, payload: killer.begin()
        started = admin.post("/datasources/birds/erase", {"key": [CANARY], "reason": "test"}).json()
    workflows.before_task = lambda function, payload: None
    assert killer.killed, f"only {killer.calls} calls"
    run = admin.get(f"/runs/{started['id']}").json()
    assert run["status"] == "succeeded", run["error"]
    assert traces(tmp_path, CANARY, FIELD) == []
    for path in ("datasources/birds", "datasources/same", "projects/p", "projects/p/models/notes"):
        assert [row["id"] for row in rows(admin, path)] == ["a", "z"]
    assert admin.get("/projects/p/versions/1").json()["erased"][0]["run"] == run["id"]


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_what_an_erasure_has_left_that_has_ended_is_erased_by_the_next(
    services: Container,
    admin: Client,
    documents: Documents,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    end: str,
) -> None:
    add_example_algorithms(monkeypatch)
    documents["birds"] = TABLE
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/birds", {})
    admin.put("/projects/p/models/notes", {"sql": "SELECT id, note FROM merged"})
    refresh(admin, "p", ingest="all")
    computed = {"inputs": {"data": "dataset:merged"}, "parameters": {"column": "size"}}
    started = admin.post("/projects/p/algorithms/smallest_sum/runs", computed)
    result = f"/runs/{started.json()['id']}/result"
    assert admin.get(result).status == 200

    def ends(self: Derived, by: str) -> None:
        if end == "cancelled":
            assert admin.post(f"/runs/{by}/cancel").status == 200
        raise CannotErase("the function was stopped")

    with monkeypatch.context() as patch:
        patch.setattr(Derived, "remove", ends)
        stopped = admin.post("/datasources/birds/erase", {"key": [CANARY], "reason": "x"}).json()["id"]
    assert admin.get(f"/runs/{stopped}").json()["status"] == end
    assert len(rows(admin, "datasources/birds")) == 2
    assert len(rows(admin, "projects/p/models/notes")) == 3, "what was computed still has the record"
    erased(admin, "birds", key=["a"])
    enforce_retention(services)
    again = erased(admin, "birds", key=[CANARY])
    assert again["erasure"]["removed"]["models"] == 1
    assert again["warnings"] == []
    assert admin.get(result).status == 404
    assert traces(tmp_path, CANARY, FIELD) == []
    assert list(services.lake.list_keys("erasures")) == []


def test_the_key_of_an_erasure_that_has_not_begun_is_removed_within_a_day(
    services: Container, workflows: LocalWorkflows, admin: Client, documents: Documents, tmp_path: Path
) -> None:
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    workflows.hold = True
    started = admin.post("/datasources/birds/erase", {"key": [CANARY], "reason": "x"}).json()["id"]
    enforce_retention(services)
    assert traces(tmp_path, CANARY), "the run still needs it"
    admin.post(f"/runs/{started}/cancel")
    enforce_retention(services)
    assert traces(tmp_path, CANARY) == []


def test_only_the_run_says_what_its_error_quotes(
    services: Container,
    workflows: LocalWorkflows,
    admin: Client,
    documents: Documents,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Logs and histories of executions cannot be erased."""
    documents["birds"] = [{"id": CANARY, "note": FIELD}]
    admin.put("/datasources/birds", http_source("birds", fields={"note": "abs(note)"}))
    run = ingest(admin, "birds")
    assert FIELD in run["error"]["detail"]
    (outcome,) = workflows.outcomes.values()
    assert (outcome.status, outcome.error) == ("FAILED", "UnreadableData")
    assert f"GET /runs/{run['id']} says why." == outcome.cause
    assert "the run has failed" in caplog.text
    assert FIELD not in caplog.text


def test_erasures_take_turns(services: Container, admin: Client, documents: Documents) -> None:
    documents["birds"] = TABLE
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    ingest(admin, "birds")
    first, second = (
        Run(id=new_run_id(), kind="erase", datasource="birds", created_at="2026-01-01T00:00:00.000Z", created_by="x")
        for _ in range(2)
    )
    services.runs.create(first)
    assert claim_turn(services, first)
    assert claim_turn(services, first)
    assert not claim_turn(services, second)
    services.runs.finish(first, status="failed", finished_at="2026-01-01T00:00:00.000Z")
    assert claim_turn(services, second)
