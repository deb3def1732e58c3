"""Versions that add to earlier ones: appended objects, upserts by key, replays and redrives of them."""

from typing import Any

import pytest

from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.platform.workflows import ExecutionState
from support.client import Client
from support.documents import drop, http_source, ingest, pushed, rows
from support.upstream import Upstream
from support.workflows import LocalWorkflows


@pytest.mark.usefixtures("log")
def test_append_adds_an_object_and_rewrites_none(services: Container, admin: Client) -> None:
    for number in range(3):
        pushed(admin, "log", [{"id": number}])
    assert rows(admin, "datasources/log") == [{"id": 0}, {"id": 1}, {"id": 2}]
    manifests = [
        services.lake.manifest(services.datasets.version(DatasetId.of_datasource("log"), number).manifest_key)
        for number in (1, 2, 3)
    ]
    assert [len(manifest.objects) for manifest in manifests] == [1, 2, 3]
    assert [part.key for part in manifests[2].objects[:2]] == [part.key for part in manifests[1].objects]
    assert [item["rows"] for item in admin.get("/datasources/log/versions").json()["items"]] == [3, 2, 1]
    assert admin.get("/datasources/log/data?version=1").json()["items"] == [{"id": 0}]


@pytest.mark.usefixtures("log")
def test_many_small_objects_are_compacted(services: Container, admin: Client) -> None:
    services.settings = services.settings.model_copy(update={"max_version_objects": 3})
    for number in range(5):
        pushed(admin, "log", [{"id": number, f"c{number}": "x"}])
    records = rows(admin, "datasources/log")
    assert [row["id"] for row in records] == [0, 1, 2, 3, 4]
    assert records[0] == {"id": 0, "c0": "x", "c1": None, "c2": None, "c3": None, "c4": None}
    latest = services.lake.manifest(services.datasets.published(DatasetId.of_datasource("log")).manifest_key)
    assert len(latest.objects) == 2


@pytest.mark.usefixtures("log")
def test_later_records_add_and_widen_columns(admin: Client) -> None:
    pushed(admin, "log", [{"id": 1, "v": None}])
    pushed(admin, "log", [{"id": 2.5, "w": "x"}])
    pushed(admin, "log", [{"id": "abc", "v": [1]}])
    assert rows(admin, "datasources/log") == [
        {"id": "1", "v": None, "w": None},
        {"id": "2.5", "v": None, "w": "x"},
        {"id": "abc", "v": [1], "w": None},
    ]
    schema = admin.get("/datasources/log/versions").json()["items"][0]["schema"]
    types = [(column["name"], column["type"], column["nullable"]) for column in schema]
    assert types == [("id", "string", False), ("v", "json", True), ("w", "string", True)]


@pytest.mark.usefixtures("stock")
def test_upsert_keeps_the_latest_row_of_each_key(admin: Client) -> None:
    pushed(admin, "stock", [{"id": 2, "v": "a"}, {"id": 1, "v": "b"}, {"id": 2, "v": "c"}])
    assert rows(admin, "datasources/stock") == [{"id": 1, "v": "b"}, {"id": 2, "v": "c"}]
    run = pushed(admin, "stock", [{"id": 3, "w": 1}, {"id": 1, "w": 2}])["run"]
    assert rows(admin, "datasources/stock") == [
        {"id": 1, "v": None, "w": 2},
        {"id": 2, "v": "c", "w": None},
        {"id": 3, "v": None, "w": 1},
    ]
    assert admin.get(f"/runs/{run}").json()["rows"] == 2


@pytest.mark.usefixtures("stock")
def test_column_names_keep_their_first_spelling(admin: Client) -> None:
    pushed(admin, "stock", [{"id": 1, "Price": 1}])
    pushed(admin, "stock", [{"id": 2, "price": 2}])
    assert rows(admin, "datasources/stock") == [{"id": 1, "Price": 1}, {"id": 2, "Price": 2}]


@pytest.mark.usefixtures("stock")
def test_redriven_old_push_does_not_revert_newer_ones(
    services: Container, admin: Client, workflows: LocalWorkflows
) -> None:
    admin.patch("/datasources/stock", {"fields": {"id": "id", "v": "abs(v)"}})
    workflows.hold = True
    old = pushed(admin, "stock", [{"id": 1, "v": -1}])["run"]
    admin.patch("/datasources/stock", {"fields": {"id": "id", "v": "abs(w)"}})
    workflows.hold = False
    workflows.outcomes.clear()
    workflows.start(services.runs.get(old))
    assert admin.get(f"/runs/{old}").json()["status"] == "failed"
    admin.patch("/datasources/stock", {"fields": None})
    pushed(admin, "stock", [{"id": 1, "v": "new"}])
    admin.post(f"/runs/{old}/redrive")
    assert rows(admin, "datasources/stock") == [{"id": 1, "v": "new"}]


@pytest.mark.usefixtures("log")
def test_overtaken_replay_loses_no_records(services: Container, admin: Client, workflows: LocalWorkflows) -> None:
    pushed(admin, "log", [{"id": 1}])
    done: list[str] = []

    def meanwhile(function: str, payload: dict[str, Any]) -> None:
        if function == "commit" and not done:
            done.append("")
            pushed(admin, "log", [{"id": 2}])

    workflows.before_task = meanwhile
    run = ingest(admin, "log", {"replay": 1})
    assert (run["status"], run["error"]["type"]) == ("failed", "urn:sluice:problem:overtaken")
    assert rows(admin, "datasources/log") == [{"id": 1}, {"id": 2}]


@pytest.mark.usefixtures("stock")
def test_primary_key_that_earlier_rows_lack_is_refused(admin: Client) -> None:
    pushed(admin, "stock", [{"id": 1}])
    admin.patch("/datasources/stock", {"primary_key": ["k"]})
    run = admin.get(f"/runs/{pushed(admin, 'stock', [{'k': 1}])['run']}").json()
    assert (run["status"], "which was changed" in run["error"]["detail"]) == ("failed", True)
    assert rows(admin, "datasources/stock") == [{"id": 1}]


def test_redriven_partial_run_adds_its_records_once(services: Container, admin: Client, upstream: Upstream) -> None:
    from support.upstream import ok, raw

    answers: dict[str, Any] = {"1": ok([{"id": 1}]), "2": ok([{"id": 2}]), "3": raw(b"", 404), "4": ok([])}
    upstream.answer = lambda request: answers[request.url.params["page"]]
    pagination = {"type": "page", "page_param": "page"}
    admin.post("/datasources", http_source(http={"pagination": pagination}, write_disposition="append"))
    first = ingest(admin, "coins")
    assert first["status"] == "partial"
    answers["3"] = ok([{"id": 3}])
    admin.post(f"/runs/{first['id']}/redrive")
    assert rows(admin, "datasources/coins") == [{"id": 1}, {"id": 2}, {"id": 3}]


@pytest.mark.usefixtures("log")
def test_value_is_independent_of_other_rows(admin: Client) -> None:
    pushed(admin, "log", [{"a": 1, "n": 9007199254740993}, {"a": "z", "n": 1}])
    pushed(admin, "log", [{"a": 2, "n": 0.5}])
    assert [row["a"] for row in rows(admin, "datasources/log")] == ["1", "z", "2"]
    assert [row["n"] for row in rows(admin, "datasources/log")] == ["9007199254740993", "1", "0.5"]


def test_replay_of_an_append_version_has_the_records_of_all_its_runs(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "log", "kind": "push"})
    for number in range(3):
        pushed(admin, "log", [{"id": number}])
    admin.patch("/datasources/log", {"fields": {"number": "id"}})
    run = ingest(admin, "log", {"replay": 2})
    assert (run["status"], run["version"], run["requests"]) == ("succeeded", 4, 0)
    assert rows(admin, "datasources/log") == [{"number": 0}, {"number": 1}]
    pushed(admin, "log", [{"id": 9}])
    assert rows(admin, "datasources/log") == [{"number": 0}, {"number": 1}, {"number": 9}]


def test_each_file_is_appended_once(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "write_disposition": "append"})
    for name, body in (("a", b"a\n1\n"), ("b", b"a\n2\n"), ("c", b"a\n1\n")):
        run = drop(services, f"notes/{name}.csv", body)
        assert run is not None
        assert run["status"] == "succeeded"
    assert run is not None
    assert (run["version"], run["rows"]) == (2, 0)
    assert "added before" in run["warnings"][0]
    assert rows(admin, "datasources/notes") == [{"a": 1}, {"a": 2}]


def test_http_datasource_can_upsert(admin: Client, upstream: Upstream) -> None:
    admin.post("/datasources", http_source(primary_key=["id"], write_disposition="upsert"))
    for document in ([{"id": 1, "v": 1}, {"id": 2, "v": 1}], [{"id": 2, "v": 2}, {"id": 3, "v": 2}]):
        upstream.serve(document)
        assert ingest(admin, "coins")["status"] == "succeeded"
    assert rows(admin, "datasources/coins") == [{"id": 1, "v": 1}, {"id": 2, "v": 2}, {"id": 3, "v": 2}]


def test_two_concurrent_appending_runs_both_add_their_records(
    services: Container, admin: Client, upstream: Upstream
) -> None:
    """The second one to commit finds another version than it began with, and extracts again."""
    admin.post("/datasources", http_source(write_disposition="append"))
    upstream.serve([{"id": 1}])
    workflows: Any = services.workflows
    inner: list[str] = []

    def overtake(function: str, payload: dict[str, Any]) -> None:
        if function == "commit" and not inner:
            inner.append("")
            inner.append(ingest(admin, "coins")["status"])

    workflows.before_task = overtake
    outer = ingest(admin, "coins")
    assert (outer["status"], inner[1]) == ("succeeded", "succeeded")
    assert rows(admin, "datasources/coins") == [{"id": 1}, {"id": 1}]
    assert workflows.tasks.count("extract") == 3
    assert all(isinstance(outcome, ExecutionState) for outcome in workflows.outcomes.values())
