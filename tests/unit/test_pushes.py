"""Pushed records: kept at once, drained by one run at a time, never lost and never taken twice."""

import json
from typing import Any

import pytest

from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.run import Run
from sluice.errors import Unavailable
from sluice.platform.workflows import ExecutionState
from sluice.runs.reconcile import reconcile, sweep
from sluice.runs.start import ingest_run, start
from support.client import Client
from support.documents import drop, http_source, ingest, rows, take_again
from support.upstream import Upstream
from support.workflows import Killed, LocalWorkflows


@pytest.fixture
def log(admin: Client) -> None:
    admin.post("/datasources", {"name": "log", "kind": "push"})


@pytest.fixture
def stock(admin: Client) -> None:
    admin.post("/datasources", {"name": "stock", "kind": "push", "primary_key": ["id"]})


def pushed(client: Client, slug: str, body: Any, **headers: str) -> dict[str, Any]:
    answer = client.post(f"/datasources/{slug}/records", body, **headers)
    assert answer.status == 202, answer.text
    accepted: dict[str, Any] = answer.json()
    return accepted


@pytest.mark.usefixtures("services", "log", "stock")
def test_default_write_dispositions_of_push_datasources(admin: Client) -> None:
    assert admin.get("/datasources/log").json()["write_disposition"] == "append"
    assert admin.get("/datasources/stock").json()["write_disposition"] == "upsert"


@pytest.mark.parametrize(
    ("body", "count", "expected"),
    [
        ([{"id": 1}, {"id": 2}], 2, [{"id": 1}, {"id": 2}]),
        ('{"id": 1}\n\n{"id": 2}\r\n', 2, [{"id": 1}, {"id": 2}]),
        ('{"id":\n 1}', 1, [{"id": 1}]),
        ('\ufeff[{"id": 1}]', 1, [{"id": 1}]),
        ([1, None, "x"], 3, [{"value": 1}, {"value": None}, {"value": "x"}]),
        ('\ufeff{"id": 1}\n{"id": 2}\n', 2, [{"id": 1}, {"id": 2}]),
    ],
    ids=["array", "lines", "one object", "mark", "scalars", "lines with a mark"],
)
@pytest.mark.usefixtures("log")
def test_pushed_records_are_readable(admin: Client, body: Any, count: int, expected: Any) -> None:
    answer = admin.post("/datasources/log/records", body)
    assert (answer.status, answer.json()["accepted"]) == (202, count)
    run = admin.get(answer.headers["Location"].partition("/v1")[2]).json()
    assert (run["id"], run["status"], run["trigger"], run["rows"]) == (answer.json()["run"], "succeeded", "push", count)
    assert run["completeness"] == "complete"
    assert rows(admin, "datasources/log") == expected
    kept = admin.get(f"/runs/{run['id']}/pages/1/content").text
    assert kept == (body if isinstance(body, str) else json.dumps(body)), "as received"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "empty"),
        ("{", "neither"),
        ('{"id": 1}\n{"id"', "Line 2"),
        ("a,b\n1,2\n", "neither"),
        ("[" * 300 + "]" * 300, "nested"),
        ("[" * 990 + "1" * 22 + "]" * 990, "nested"),
        ("null", "null"),
    ],
)
@pytest.mark.usefixtures("services", "log")
def test_invalid_json_is_refused(admin: Client, body: str, message: str) -> None:
    answer = admin.post("/datasources/log/records", body)
    assert answer.status == 400
    assert message in answer.json()["detail"]
    assert admin.get("/runs").json()["items"] == []


@pytest.mark.usefixtures("services", "log")
def test_status_codes_of_pushes(admin: Client, viewer: Client) -> None:
    assert viewer.post("/datasources/log/records", [{}]).status == 403
    assert admin.post("/datasources/none/records", [{}]).status == 404
    admin.post("/datasources", http_source())
    assert admin.post("/datasources/coins/records", "{").status == 400
    assert admin.post("/datasources/coins/records", [{}]).status == 409
    assert admin.post("/datasources/log/records?odd=1", [{}]).status == 422
    assert admin.post("/datasources/log/records", '["' + "x" * 3_000_000 + '"]').status == 413
    assert admin.post("/datasources/log/records", []).json() == {"accepted": 0, "run": None}
    assert admin.post("/datasources/log/runs").status == 409
    for wrong in ({"format": "csv"}, {"schedule": {"expression": "rate(1 hour)"}}, {"write_disposition": "scd2"}):
        assert admin.put("/datasources/log", {"name": "log", "kind": "push", **wrong}).status == 422
    assert admin.put("/datasources/log", {"name": "log", "kind": "push", "write_disposition": "upsert"}).status == 422


@pytest.mark.usefixtures("log")
def test_repeated_push_with_an_idempotency_key_is_stored_once(admin: Client) -> None:
    first = pushed(admin, "log", [{"id": 1}], idempotency_key="k")
    assert pushed(admin, "log", [{"id": 1}], idempotency_key="k") == first
    assert rows(admin, "datasources/log") == [{"id": 1}]


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


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"v": 1}, "no value in 'id'"),
        ({"id": None}, "no value in 'id'"),
        ({"id": 2, "_run": 1}, "cannot be a column"),
        ({"id": 2, "": 1}, "cannot be a column"),
        ({"id": 2, "a": {"b": 1}, "a_b": 2}, "would both become the column"),
        ({"id": 2, "x": 1, "X": 2}, "differ only in case"),
        ({"id": 2, **{f"c{number}": 1 for number in range(2_001)}}, "more than 2000 columns"),
    ],
    ids=["no key", "null key", "ours", "empty", "clash", "twins", "many"],
)
@pytest.mark.usefixtures("services", "stock")
def test_invalid_records_are_refused_with_422(admin: Client, record: dict[str, Any], message: str) -> None:
    answer = admin.post("/datasources/stock/records", [{"id": 1}, record])
    assert answer.status == 422
    assert message in answer.json()["detail"]
    assert admin.get("/runs").json()["items"] == []


@pytest.mark.usefixtures("stock")
def test_column_names_keep_their_first_spelling(admin: Client) -> None:
    pushed(admin, "stock", [{"id": 1, "Price": 1}])
    pushed(admin, "stock", [{"id": 2, "price": 2}])
    assert rows(admin, "datasources/stock") == [{"id": 1, "Price": 1}, {"id": 2, "Price": 2}]


@pytest.mark.usefixtures("stock")
def test_records_that_do_not_fit_fail_their_run(admin: Client) -> None:
    pushed(admin, "stock", [{"id": 1, "v": 1}])
    run = admin.get(f"/runs/{pushed(admin, 'stock', [{'id': 1.5}])['run']}").json()
    assert run["status"] == "failed"
    assert "changed from bigint to double" in run["error"]["detail"]
    assert rows(admin, "datasources/stock") == [{"id": 1, "v": 1}]
    pushed(admin, "stock", [{"id": 5, "v": 5}])
    assert len(rows(admin, "datasources/stock")) == 2, "later pushes are not held up"


@pytest.mark.usefixtures("log")
def test_pushes_during_a_run_wait_for_the_next_run(
    services: Container, admin: Client, workflows: LocalWorkflows
) -> None:
    workflows.hold = True
    first = pushed(admin, "log", [{"id": 1}])["run"]
    assert pushed(admin, "log", [{"id": 2}])["run"] == first, "the first run has not begun to take"
    run = services.runs.get(first)
    services.runs.advance(run, status="running")
    second = pushed(admin, "log", [{"id": 3}])["run"]
    assert second != first
    assert pushed(admin, "log", [{"id": 4}])["run"] == second
    assert admin.get(f"/runs/{second}").json()["status"] == "pending"
    workflows.hold = False
    workflows.outcomes.clear()
    workflows.start(services.runs.get(first))
    ended = [admin.get(f"/runs/{run_id}").json() for run_id in (first, second)]
    assert [run["status"] for run in ended] == ["succeeded", "succeeded"]
    assert [row["id"] for row in rows(admin, "datasources/log")] == [1, 2, 3, 4]
    assert services.locks.read("push#log") is None


@pytest.mark.usefixtures("log")
def test_run_without_batches_succeeds(services: Container, admin: Client) -> None:
    """Its pusher was killed before it could give its batch."""
    pushed(admin, "log", [{"id": 1}])
    run = start(services, ingest_run("log", "push", "test"))
    run = services.runs.get(run.id)
    assert (run.status, run.version, run.rows) == ("succeeded", 1, 0)
    assert len(admin.get("/datasources/log/versions").json()["items"]) == 1


@pytest.mark.usefixtures("log")
def test_a_deleted_datasource_starts_nothing_and_gives_nothing_to_its_successor(
    services: Container, admin: Client, workflows: LocalWorkflows
) -> None:
    workflows.hold = True
    run = pushed(admin, "log", [{"secret": "old"}])["run"]
    admin.delete("/datasources/log")
    workflows.hold = False
    workflows.outcomes.clear()
    workflows.start(services.runs.get(run))
    assert [run.status for run in services.runs.newest()] == ["failed"]
    take_again(services, admin, {"name": "log", "kind": "push"})
    pushed(admin, "log", [{"id": 1}])
    assert rows(admin, "datasources/log") == [{"id": 1}]
    assert admin.post(f"/runs/{run}/redrive").status == 202
    assert rows(admin, "datasources/log") == [{"id": 1}], "a run works for what it was made for"


@pytest.mark.usefixtures("log")
def test_waiting_batches_are_ingested_after_a_restoration(
    services: Container, admin: Client, workflows: LocalWorkflows
) -> None:
    workflows.hold = True
    run = pushed(admin, "log", [{"id": 1}])["run"]
    admin.delete("/datasources/log")
    workflows.hold = False
    workflows.outcomes.clear()
    workflows.start(services.runs.get(run))
    admin.post("/datasources/log/restore")
    admin.post(f"/runs/{run}/redrive")
    assert rows(admin, "datasources/log") == [{"id": 1}]


@pytest.mark.usefixtures("log")
def test_push_whose_answer_was_lost_is_stored_once(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(run: Run) -> None:
        raise Unavailable("not now")

    with monkeypatch.context() as patch:
        patch.setattr(services.workflows, "start", broken)
        assert admin.post("/datasources/log/records", [{"id": 1}], idempotency_key="k").status == 503
    assert admin.post("/datasources/log/records", [{"id": 1}], idempotency_key="k").status == 202
    assert rows(admin, "datasources/log") == [{"id": 1}]


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


@pytest.mark.usefixtures("log")
def test_pushed_records_survive_their_run(services: Container, admin: Client, workflows: LocalWorkflows) -> None:
    """The machine dies in the middle of the run: it is tried again without anybody asking."""
    calls = []

    def die(function: str, payload: dict[str, Any]) -> None:
        calls.append(function)
        if function == "extract" and calls.count("extract") <= 4:
            raise Killed

    workflows.before_task = die
    run = pushed(admin, "log", [{"id": 1}])["run"]
    sweep(services, grace_seconds=0)
    assert admin.get(f"/runs/{run}").json()["status"] == "succeeded"
    assert admin.get(f"/runs/{run}").json()["attempt"] == 2
    assert rows(admin, "datasources/log") == [{"id": 1}]
    pushed(admin, "log", [{"id": 2}])
    assert rows(admin, "datasources/log") == [{"id": 1}, {"id": 2}]


@pytest.mark.usefixtures("log")
def test_next_push_reconciles_a_lost_run(services: Container, admin: Client, workflows: LocalWorkflows) -> None:
    workflows.settle_ends = False
    pushed(admin, "log", [{"id": 1}])
    assert services.locks.read("push#log") is not None
    pushed(admin, "log", [{"id": 2}])
    assert [row["id"] for row in rows(admin, "datasources/log")] == [1, 2]
    for run in services.runs.active():
        reconcile(services, run)
    assert services.locks.read("push#log") is None


@pytest.mark.usefixtures("log")
def test_failed_push_is_redriven_after_the_datasource_is_fixed(
    services: Container, admin: Client, workflows: LocalWorkflows
) -> None:
    workflows.hold = True
    run = pushed(admin, "log", [{"id": "x"}])["run"]
    admin.patch("/datasources/log", {"fields": {"n": "abs(id)"}})
    workflows.hold = False
    workflows.outcomes.clear()
    workflows.start(services.runs.get(run))
    assert admin.get(f"/runs/{run}").json()["status"] == "failed"
    admin.patch("/datasources/log", {"fields": None})
    admin.post(f"/runs/{run}/redrive")
    assert rows(admin, "datasources/log") == [{"id": "x"}]


@pytest.mark.usefixtures("stock")
def test_push_refreshes_a_project_that_follows_changes(admin: Client) -> None:
    admin.post("/projects", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}})
    admin.put("/projects/p/datasources/stock", {})
    pushed(admin, "stock", [{"id": 1, "v": "a"}])
    pushed(admin, "stock", [{"id": 1, "v": "b"}])
    assert rows(admin, "projects/p") == [{"id": 1, "v": "b"}]


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
