"""Pushed records: kept at once, drained by one run at a time, never lost and never taken twice."""

import json
from typing import Any

import pytest

from sluice.container import Container
from sluice.domain.run import Run
from sluice.errors import Unavailable
from sluice.runs.reconcile import reconcile, sweep
from sluice.runs.start import ingest_run, start
from support.client import Client
from support.documents import http_source, pushed, rows, take_again
from support.workflows import Killed, LocalWorkflows


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
