"""Metrics are log lines in CloudWatch's embedded metric format."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sluice.container import Container
from sluice.errors import Unavailable
from support.client import Client
from support.documents import JOIN, Documents, http_source, ingest, refresh
from support.template import resources
from support.upstream import Upstream, raw
from support.workflows import LocalWorkflows


def metrics(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was written since the last look: dimensions and values of each line, as CloudWatch reads it."""
    entries = []
    for line in capsys.readouterr().out.splitlines():
        entry = json.loads(line) if line.startswith("{") else {}
        if "_aws" not in entry:
            continue
        (directive,) = entry["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "sluice"
        (dimensions,) = directive["Dimensions"]
        values = {metric["Name"]: entry[metric["Name"]][0] for metric in directive["Metrics"]}
        entries.append({**{name: entry[name] for name in dimensions if name != "service"}, **values})
    return entries


def test_run_is_counted_once_with_its_size(
    admin: Client, documents: Documents, capsys: pytest.CaptureFixture[str]
) -> None:
    documents["a"] = [{"id": 1}, {"id": 2}]
    admin.post("/datasources", http_source("a"))
    metrics(capsys)
    run = ingest(admin, "a")
    pages, counted, sizes = metrics(capsys)
    assert pages == {"kind": "ingest", "Pages": 1.0}
    assert counted == {"kind": "ingest", "outcome": "succeeded", "Runs": 1.0}
    duration = sizes.pop("Duration")
    assert sizes == {"kind": "ingest", "Rows": 2.0, "Bytes": float(run["bytes"]), "Requests": 1.0}
    assert 0 <= duration < 60_000
    admin.get(f"/runs/{run['id']}")
    assert metrics(capsys) == [], "whoever looks at a run counts nothing"


def test_failed_run_is_counted_as_failed(admin: Client, upstream: Upstream, capsys: pytest.CaptureFixture[str]) -> None:
    upstream.answer = lambda request: raw(b"<html>", media_type="application/json")
    admin.post("/datasources", http_source("a"))
    assert ingest(admin, "a")["status"] == "failed"
    assert {"kind": "ingest", "outcome": "failed", "Runs": 1.0} in metrics(capsys)


def test_each_run_of_a_refresh_is_counted(
    admin: Client, documents: Documents, capsys: pytest.CaptureFixture[str]
) -> None:
    documents["a"] = [{"id": 1}]
    admin.post("/datasources", http_source("a"))
    admin.post("/projects", {"name": "p", "merge": JOIN})
    admin.put("/projects/p/datasources/a", {"alias": "a"})
    assert refresh(admin, "p")["status"] == "succeeded"
    counted = [entry for entry in metrics(capsys) if "Runs" in entry]
    assert sorted(entry["kind"] for entry in counted) == ["ingest", "refresh"]


def test_run_that_cannot_start_is_counted_as_failed(
    services: Container,
    admin: Client,
    workflows: LocalWorkflows,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def unreachable(run: Any) -> None:
        raise Unavailable("Step Functions cannot be reached.")

    admin.post("/datasources", http_source("a"))
    monkeypatch.setattr(workflows, "start", unreachable)
    assert admin.post("/datasources/a/runs", {}).status == 503
    entries = metrics(capsys)
    assert {"kind": "ingest", "outcome": "failed", "Runs": 1.0} in entries
    assert {"status": "503", "RefusedRequests": 1.0} in entries


def test_refused_requests_are_counted_by_status(
    services: Container, admin: Client, viewer: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    assert admin.get("/projects/nowhere").status == 404
    assert viewer.post("/projects", {"name": "p", "merge": JOIN}).status == 403
    assert admin.get("/projects").status == 200
    assert metrics(capsys) == [{"status": "404", "RefusedRequests": 1.0}, {"status": "403", "RefusedRequests": 1.0}]


def test_alarms_use_existing_metrics(admin: Client, upstream: Upstream, capsys: pytest.CaptureFixture[str]) -> None:
    upstream.answer = lambda request: raw(b"<html>", media_type="application/json")
    admin.post("/datasources", http_source("a"))
    ingest(admin, "a")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"Runs"' in line]
    alarm = resources("AWS::CloudWatch::Alarm")["FailedIngestAlarm"]
    dimensions = {item["Name"]: item["Value"] for item in alarm["Dimensions"]}
    (directive,) = lines[0]["_aws"]["CloudWatchMetrics"]
    assert set(directive["Dimensions"][0]) == set(dimensions)
    assert {name: lines[0][name] for name in dimensions} == dimensions
    assert alarm["MetricName"] in lines[0]
