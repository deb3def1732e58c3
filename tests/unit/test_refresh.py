"""Refreshes: what is asked again, which version is published, and what follows a change."""

from datetime import timedelta
from typing import Any

import pytest

from sluice.container import Container
from sluice.domain.names import now
from sluice.domain.run import Run
from sluice.runs import reconcile
from sluice.runs.start import refresh_for_change
from support.assigned import JOIN, project, serve_by_host
from support.client import Client
from support.documents import drop, http_source, ingest, refresh, rows
from support.upstream import Upstream, raw
from support.workflows import LocalWorkflows


def test_refresh_ingests_and_merges_all_datasources(services: Container, admin: Client, upstream: Upstream) -> None:
    serve_by_host(
        upstream,
        {
            "a": [
                {"symbol": "BTC", "price": 1, "at": "2026-01-01T00:00:00Z"},
                {"symbol": "ETH", "price": None, "at": None},
            ],
            "b": [
                {"symbol": "BTC", "price": 2, "at": "2026-01-02T00:00:00Z"},
                {"symbol": "SOL", "price": 3, "at": None},
            ],
        },
    )
    for name in "ab":
        admin.post("/datasources", http_source(name, types={"at": "timestamp"}))
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    drop(services, "notes/n.csv", b"symbol,note\r\nBTC,mine\r\n")
    rules = {"price": {"rule": "newest", "by": "at"}, "at": {"rule": "newest", "by": "at"}}
    project(admin, {"a": {"priority": 1}, "b": {"priority": 2}, "notes": {"optional": True}}, {**JOIN, "fields": rules})
    run = refresh(admin, "p")
    assert (run["status"], run["completeness"], run["version"], run["rows"]) == ("succeeded", "complete", 1, 3)
    assert rows(admin, "projects/p") == [
        {"symbol": "BTC", "price": 2, "at": "2026-01-02T00:00:00Z", "note": "mine"},
        {"symbol": "ETH", "price": None, "at": None, "note": None},
        {"symbol": "SOL", "price": 3, "at": None, "note": None},
    ]
    version = admin.get("/projects/p/versions/1").json()
    assert [(source["datasource"], source["version"]) for source in version["inputs"]] == [
        ("a", 1),
        ("b", 1),
        ("notes", 1),
    ]
    children = admin.get("/runs?kind=ingest&datasource=a").json()["items"]
    assert [(child["trigger"], child["status"]) for child in children] == [("refresh", "succeeded")]


def test_earlier_version_of_a_failed_datasource_is_used_and_listed(admin: Client, upstream: Upstream) -> None:
    documents: dict[str, Any] = {"a": [{"symbol": "A", "v": 1}], "b": [{"symbol": "A", "w": 1}]}
    serve_by_host(upstream, documents)
    for name in "ab":
        admin.post("/datasources", http_source(name))
    project(admin, {"a": {}, "b": {}})
    refresh(admin, "p")
    documents |= {"a": raw(b"", 401), "b": [{"symbol": "A", "w": 2}]}
    run = refresh(admin, "p")
    assert (run["status"], run["completeness"]) == ("succeeded", "stale")
    assert any(
        text.startswith("a: The upstream answered 401") and "Using version 1 from 20" in text
        for text in run["warnings"]
    )
    assert rows(admin, "projects/p") == [{"symbol": "A", "v": 1, "w": 2}]


def test_merge_without_a_required_datasource_is_partial(admin: Client, upstream: Upstream) -> None:
    documents: dict[str, Any] = {"a": raw(b"", 401), "b": [{"symbol": "A", "w": 1}]}
    serve_by_host(upstream, documents)
    for name in "ab":
        admin.post("/datasources", http_source(name))
    project(admin, {"a": {}, "b": {}})
    run = refresh(admin, "p")
    assert (run["status"], run["completeness"]) == ("partial", "partial")
    assert "a: it has no data yet" in run["completeness_reasons"][0]
    assert rows(admin, "projects/p") == [{"symbol": "A", "w": 1}]
    admin.put("/projects/p/datasources/a", {"optional": True})
    run = refresh(admin, "p")
    assert (run["status"], run["completeness"]) == ("succeeded", "complete")
    documents["b"] = raw(b"", 401)
    documents["a"] = [{"symbol": "A", "v": 9}]
    run = refresh(admin, "p")
    assert rows(admin, "projects/p") == [{"symbol": "A", "v": 9, "w": 1}]


def test_refresh_without_any_data_fails(admin: Client, upstream: Upstream) -> None:
    upstream.answer = lambda request: raw(b"", 401)
    admin.post("/datasources", http_source("a"))
    project(admin, {"a": {}})
    run = refresh(admin, "p")
    assert (run["status"], run["error"]["type"]) == ("failed", "urn:sluice:problem:nothing-to-merge")
    assert "401" in run["error"]["detail"]
    assert admin.get("/projects/p/data").json()["type"] == "urn:sluice:problem:not-published"


def test_only_stale_datasources_are_ingested(
    admin: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.serve([{"symbol": "A"}])
    admin.post("/datasources", http_source("always"))
    admin.post("/datasources", http_source("aged", max_age_seconds=3600))
    admin.post("/datasources", http_source("once", max_age_seconds=0))
    admin.post("/datasources", http_source("hourly", schedule={"expression": "rate(1 hour)"}))
    admin.post("/datasources", http_source("paused", enabled=False))
    project(admin, {name: {} for name in ("always", "aged", "once", "hourly", "paused")})

    def asked(**body: Any) -> set[str]:
        upstream.requests.clear()
        refresh(admin, "p", **body)
        return {request.url.host.partition(".")[0] for request in upstream.requests}

    assert asked() == {"always", "aged", "once", "hourly"}
    assert asked() == {"always"}
    assert asked(ingest="all") == {"always", "aged", "once", "hourly"}
    assert asked(ingest="none") == set()
    monkeypatch.setattr("sluice.runs.plan.now", lambda: now() + timedelta(days=4_000))
    assert asked() == {"always", "aged", "hourly"}, "what may be 0 seconds old never expires"
    assert ingest(admin, "paused")["status"] == "succeeded", "it is paused for schedules and refreshes only"


def test_same_inputs_create_no_new_version(admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"symbol": "A"}])
    admin.post("/datasources", http_source("a"))
    project(admin, {"a": {}})
    assert refresh(admin, "p")["version"] == 1
    assert refresh(admin, "p", ingest="none")["version"] == 1
    again = refresh(admin, "p", ingest="all")
    assert again["version"] == 1, "a new version of the datasource with the same content"
    assert len(admin.get("/datasources/a/versions").json()["items"]) == 2
    answer = admin.get("/projects/p/data").json()
    assert answer["data_as_of"] > admin.get("/projects/p/versions/1").json()["data_as_of"], "found unchanged since"
    upstream.serve([{"symbol": "B"}])
    assert refresh(admin, "p", ingest="all")["version"] == 2


def test_drop_refreshes_a_project_that_follows_changes(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    project(admin, {"notes": {}}, refresh_on="change")
    drop(services, "notes/1.csv", b"symbol,note\nA,one\n")
    assert rows(admin, "projects/p") == [{"symbol": "A", "note": "one"}]
    drop(services, "notes/2.json", b'[{"symbol": "A", "note": "two"}]')
    assert rows(admin, "projects/p") == [{"symbol": "A", "note": "two"}]
    runs = admin.get("/runs?project=p").json()["items"]
    assert [(run["trigger"], run["version"]) for run in runs] == [("change", 2), ("change", 1)]


def test_projects_that_share_datasources_do_not_trigger_each_other_forever(admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"symbol": "A"}])
    admin.post("/datasources", http_source("a"))
    for name in ("p", "q"):
        admin.post("/projects", {"name": name, "merge": JOIN})
        admin.put(f"/projects/{name}/datasources/a", {})
    refresh(admin, "p")
    kinds = [(run["kind"], run["project"], run["trigger"]) for run in admin.get("/runs").json()["items"]]
    assert sorted(kinds, key=str) == [("ingest", None, "refresh"), ("refresh", "p", "api"), ("refresh", "q", "change")]


def test_changes_during_a_refresh_start_one_more(services: Container, workflows: LocalWorkflows, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    project(admin, {"notes": {}}, refresh_on="change")
    drop(services, "notes/1.csv", b"symbol,v\nA,1\n")
    workflows.hold = True
    held = refresh_for_change(services, "p")
    workflows.hold = False
    assert held is not None
    for number in (2, 3, 4):
        drop(services, f"notes/{number}.csv", f"symbol,v\nA,{number}\n".encode())
    assert rows(admin, "projects/p") == [{"symbol": "A", "v": 1}]
    workflows.outcomes.pop(f"{held.id}-1")
    workflows.start(held)
    assert rows(admin, "projects/p") == [{"symbol": "A", "v": 4}]
    refreshes = admin.get("/runs?project=p&kind=refresh").json()["items"]
    assert len(refreshes) == 3, "the first, the held one, and one for the three drops"


def test_merge_is_repeated_after_a_concurrent_commit(
    services: Container, workflows: LocalWorkflows, admin: Client, upstream: Upstream
) -> None:
    upstream.serve([{"symbol": "A", "v": 1}])
    admin.post("/datasources", http_source("a"))
    project(admin, {"a": {}})
    overtaken: list[str] = []

    def overtake(function: str, payload: dict[str, Any]) -> None:
        if function == "commit" and not overtaken and services.runs.get(payload["run_id"]).kind == "refresh":
            overtaken.append(payload["run_id"])
            upstream.serve([{"symbol": "A", "v": 2}])
            ingest(admin, "a")
            refresh(admin, "p", ingest="none")

    workflows.before_task = overtake
    run = refresh(admin, "p")
    assert (run["status"], run["version"]) == ("succeeded", 1), "its merge gave what was published meanwhile"
    assert rows(admin, "projects/p") == [{"symbol": "A", "v": 2}]
    assert workflows.tasks.count("merge") == 3


def test_refresh_that_began_earlier_and_merged_later_is_published(
    services: Container, workflows: LocalWorkflows, admin: Client, upstream: Upstream
) -> None:
    upstream.serve([{"symbol": "A", "v": 1}])
    admin.post("/datasources", http_source("a"))
    project(admin, {"a": {}})
    refresh(admin, "p")
    workflows.hold = True
    early = admin.post("/projects/p/runs", {"ingest": "all"}).json()
    workflows.hold = False
    upstream.serve([{"symbol": "A", "v": 2}])
    refresh(admin, "p")
    upstream.serve([{"symbol": "A", "v": 3}])
    workflows.outcomes.pop(f"{early['id']}-1")
    workflows.start(services.runs.get(early["id"]))
    assert admin.get(f"/runs/{early['id']}").json()["version"] == 3
    assert rows(admin, "projects/p") == [{"symbol": "A", "v": 3}]


def test_redriven_ingest_run_refreshes_its_project(admin: Client, upstream: Upstream) -> None:
    documents: dict[str, Any] = {"a": raw(b"", 401), "b": [{"symbol": "A", "w": 1}]}
    serve_by_host(upstream, documents)
    for name in "ab":
        admin.post("/datasources", http_source(name))
    project(admin, {"a": {}, "b": {}}, refresh_on="change")
    refresh(admin, "p")
    documents["a"] = [{"symbol": "A", "v": 1}]
    child = admin.get("/runs?datasource=a").json()["items"][0]
    admin.post(f"/runs/{child['id']}/redrive")
    assert rows(admin, "projects/p") == [{"symbol": "A", "v": 1, "w": 1}]


def test_assignments_are_listed_by_project_and_by_datasource(admin: Client) -> None:
    admin.post("/datasources", {"name": "a", "kind": "file"})
    for name in ("p", "q"):
        admin.post("/projects", {"name": name})
    assert admin.put("/projects/p/datasources/a", {"priority": 7}).status == 201
    assert admin.put("/projects/p/datasources/a", {"priority": 8, "optional": True}).status == 200
    admin.put("/projects/q/datasources/a")
    assignments = admin.get("/projects/p/datasources").json()["items"]
    assert [
        (assignment["datasource"], assignment["priority"], assignment["optional"]) for assignment in assignments
    ] == [("a", 8, True)]
    assert [assignment["project"] for assignment in admin.get("/datasources/a/projects").json()["items"]] == ["p", "q"]
    assert admin.delete("/datasources/a").status == 409
    assert admin.delete("/projects/p/datasources/a").status == 204
    assert admin.delete("/projects/p/datasources/a").status == 404
    assert admin.delete("/datasources/a").status == 409
    assert admin.delete("/datasources/a?force=true").status == 204
    assert admin.get("/projects/q/datasources").json()["items"] == []


def test_an_ingest_run_that_cannot_be_reconciled_does_not_end_the_refresh(
    services: Container, admin: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(container: Container, run: Run) -> Run:
        if run.datasource == "b" and not failed:
            failed.append(run.id)
            raise RuntimeError("it cannot be reconciled")
        return real(container, run)

    failed: list[str] = []
    real = reconcile.reconcile
    monkeypatch.setattr(reconcile, "reconcile", failing)
    serve_by_host(upstream, {"a": [{"symbol": "A"}], "b": [{"symbol": "B"}]})
    for slug in "ab":
        admin.post("/datasources", http_source(slug))
    project(admin, {"a": {}, "b": {}})
    refresh(admin, "p")
    assert len(failed) == 1
    assert [row["symbol"] for row in rows(admin, "projects/p")] == ["A", "B"]
