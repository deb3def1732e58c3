"""A new kind of run is an entry, its stages and its workflow: nothing else knows it."""

import sys

import pytest
from pydantic import ValidationError

from sluice.container import Container
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import Run
from sluice.domain.run_types import RUN_TYPES
from sluice.runs.reconcile import sweep
from sluice.runs.start import redrive, start
from support import workflows
from support.client import Client
from support.count_run import app
from support.count_run.run_type import COUNT, WORKFLOW
from support.documents import http_source, ingest, refresh
from support.template import ROOT
from support.upstream import Upstream


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch, admin: Client) -> None:
    monkeypatch.setitem(RUN_TYPES, "count", COUNT)
    monkeypatch.setitem(workflows.MACHINES, "count", WORKFLOW)
    monkeypatch.setitem(sys.modules, "count.app", app)
    monkeypatch.setattr("support.client.require_conformance", lambda *_: None)  # the document has the built-in kinds
    admin.post("/datasources", http_source("a"))
    admin.post("/projects", {"name": "p", "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})


def count_run() -> Run:
    return Run(id=new_run_id(), kind="count", project="p", created_at=rfc3339(now()), created_by="key/test")


@pytest.mark.usefixtures("counting")
def test_added_run_type_is_started_listed_and_redriven(
    services: Container, admin: Client, viewer: Client, upstream: Upstream
) -> None:
    run = start(services, count_run())
    failed = admin.get(f"/runs/{run.id}").json()
    assert (failed["kind"], failed["status"]) == ("count", "failed"), "nothing is published yet"
    assert failed["error"]["type"] == "urn:sluice:problem:not-published"
    upstream.serve([{"id": 1}, {"id": 2}])
    refresh(admin, "p")
    redrive(services, services.runs.get(run.id))
    counted = viewer.get(f"/runs/{run.id}").json()
    assert (counted["status"], counted["rows"], counted["attempt"]) == ("succeeded", 2, 2)
    assert [item["id"] for item in admin.get("/runs?kind=count").json()["items"]] == [run.id]
    assert [item["id"] for item in admin.get("/runs?project=p").json()["items"]][-1] == run.id
    assert services.runs.active() == []


@pytest.mark.usefixtures("counting")
def test_function_refuses_a_stage_that_the_run_type_does_not_have(services: Container) -> None:
    from fetch.app import handler

    run = services.runs.create(count_run())
    with pytest.raises(AssertionError, match="has no stage fetch"):
        handler({"run_id": run.id, "attempt": 1}, workflows.Context())


def test_unknown_kind_of_run_is_refused() -> None:
    with pytest.raises(ValidationError, match="Unknown kind of run 'count'"):
        count_run()


def test_workflows_call_the_stages_of_their_run_types() -> None:
    for run_type in RUN_TYPES.values():
        definition = (ROOT / f"workflows/{run_type.workflow}.asl.json").read_text()
        for stage in run_type.stages:
            if f'"step": "{stage}"' in definition:
                continue  # a step of a function that has several
            assert f"${{{stage.capitalize()}FunctionArn}}" in definition
            assert (ROOT / f"functions/{stage}/app.py").exists()


def test_a_run_of_a_kind_that_a_newer_release_has_is_left_out(services: Container, admin: Client) -> None:
    admin.post("/datasources", http_source("a"))
    known = ingest(admin, "a")["id"]
    unknown = ingest(admin, "a")["id"]
    table, key = services.runs._table, services.runs._key(unknown)
    table.execute(table.update(key, {"kind": "later", "active": "main"}, "attribute_exists(#run_id)"))
    assert [run["id"] for run in admin.get("/runs").json()["items"]] == [known]
    assert [run["id"] for run in admin.get("/runs?datasource=a").json()["items"]] == [known]
    assert admin.get(f"/runs/{unknown}").status == 404
    assert sweep(services, 0) == 0
