"""Algorithms: one is added from a folder, and run, repeated, redriven, compared and used by a project's refresh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.algorithms import registry
from sluice.container import Container
from support.client import Client, client_of
from support.documents import http_source, refresh
from support.example_algorithms import add_example_algorithms
from support.upstream import Upstream
from support.workflows import Killed, LocalWorkflows

ROWS = [{"id": number, "value": number * number} for number in range(9)]
RUNS = "/projects/p/algorithms/smallest_sum/runs"
DATA = {"data": "dataset:merged"}


@pytest.fixture(autouse=True)
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    add_example_algorithms(monkeypatch)


@pytest.fixture(autouse=True)
def published(admin: Client, upstream: Upstream) -> None:
    upstream.serve(ROWS)
    admin.post("/datasources", http_source("a"))
    admin.post("/projects", {"name": "p", "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})
    refresh(admin, "p")


def run(client: Client, status: int = 202, **body: Any) -> dict[str, Any]:
    """A run that was started, as it is afterwards."""
    answer = client.post(RUNS, {"inputs": DATA, **body})
    assert answer.status == status, answer.text
    result: dict[str, Any] = client.get(f"/runs/{answer.json()['id']}").json()
    return result


def test_an_algorithm_of_a_folder_is_listed_with_its_schemas(viewer: Client) -> None:
    assert "smallest_sum" in [item["name"] for item in viewer.get("/algorithms?limit=200").json()["items"]]
    described = viewer.get("/algorithms/smallest_sum").json()
    assert described["parameters"]["properties"]["restarts"]["default"] == 1
    assert described["output"]["properties"]["difference"]["type"] == "number"
    assert described["inputs"]["data"] == {"kinds": ["table"], "description": "The numbers.", "required": True}
    assert described["packages"].keys() == {"numpy", "duckdb"}
    missing = viewer.get("/algorithms/nothing")
    assert missing.status == 404
    assert "smallest_sum" in missing.json()["detail"]


def test_a_run_keeps_what_decides_its_result(admin: Client) -> None:
    made = run(admin, parameters={"restarts": 5}, seed=3, comment="first")
    assert (made["status"], made["kind"], made["algorithm"], made["project"]) == (
        "succeeded",
        "algorithm",
        "smallest_sum",
        "p",
    )
    request = made["request"]
    assert request["inputs"]["data"]["reference"] == "dataset:merged@1"
    assert request["parameters"] == {"column": "value", "restarts": 5, "fail": None, "padding": 0}
    assert (request["seed"], request["comment"], request["packages"].keys()) == (3, "first", {"numpy", "duckdb"})
    assert made["fingerprint"].startswith("sha256:")
    assert made["completeness"] == "complete"
    result = admin.get(f"/runs/{made['id']}/result").json()
    outputs = admin.get(f"/runs/{made['id']}/outputs").json()
    assert result["restart"] == outputs["selected"]
    assert outputs["restarts"] == 5
    assert made["warnings"] == [f"The numbers are from restart {result['restart']}."]
    assert [table["name"] for table in outputs["tables"]] == ["first", "main"]
    rows = admin.get(f"/runs/{made['id']}/tables/main?limit=200").json()["items"]
    assert sorted(row["number"] for row in rows) == [row["value"] for row in ROWS]
    assert admin.get(f"/runs/{made['id']}/tables/main?where=place.eq:0&format=csv").text.splitlines() == [
        "place,number",
        f"0,{rows[0]['number']}",
    ]
    file = admin.get(f"/runs/{made['id']}/files/numbers.txt")
    assert (file.status, "Location" in file.headers) == (303, True)
    for path in ("tables/other", "files/other.txt"):
        refused = admin.get(f"/runs/{made['id']}/{path}")
        assert refused.status == 404
        assert "it has" in refused.json()["detail"]


def test_more_restarts_are_never_worse_and_the_best_is_selected(admin: Client, services: Container) -> None:
    differences = []
    for restarts in (1, 4, 16):
        made = run(admin, parameters={"restarts": restarts})
        assert made["progress"]["subtasks"] == {
            "total": restarts,
            "pending": 0,
            "running": 0,
            "retried": 0,
            "succeeded": restarts,
            "failed": 0,
        }
        differences.append(admin.get(f"/runs/{made['id']}/result").json()["difference"])
    assert differences == sorted(differences, reverse=True)
    assert differences[-1] < differences[0]


def test_the_same_fingerprint_returns_the_stored_run(admin: Client, upstream: Upstream) -> None:
    first = run(admin, seed=1)
    assert run(admin, 200, seed=1)["id"] == first["id"]
    forced = run(admin, seed=1, force=True)
    assert forced["id"] != first["id"]
    assert forced["fingerprint"] == first["fingerprint"]
    results = [admin.get(f"/runs/{item['id']}/result") for item in (first, forced)]
    assert results[0].text == results[1].text
    assert run(admin, seed=2)["fingerprint"] != first["fingerprint"]
    upstream.serve([*ROWS, {"id": 99, "value": 1}])
    refresh(admin, "p", ingest="all")
    assert run(admin, seed=1)["fingerprint"] != first["fingerprint"], "other data"
    again = admin.post(RUNS, {"inputs": {"data": "dataset:merged@1"}, "seed": 1})
    assert (again.status, again.json()["id"]) == (200, forced["id"]), "the earlier version of the data"


def test_a_failed_run_says_what_to_do_and_can_be_run_again(admin: Client) -> None:
    for step in ("prepare", "solve", "finish"):
        failed = run(admin, parameters={"fail": step, "restarts": 2})
        assert failed["status"] == "failed"
        assert failed["error"]["type"] == "urn:sluice:problem:algorithm-failed"
        assert "ZeroDivisionError: nothing to divide (smallest_sum.py" in failed["error"]["detail"]
        assert admin.get(f"/runs/{failed['id']}/result").status == 404
        if step == "solve":
            assert failed["progress"]["subtasks"]["failed"] >= 1
    assert run(admin, parameters={"fail": "finish", "restarts": 2})["id"] != failed["id"], "a failure is not reused"
    assert run(admin, parameters={"column": "id"})["status"] == "succeeded"
    unknown = run(admin, parameters={"column": "nothing"})
    assert "nothing" in unknown["error"]["detail"]


def test_bad_requests_name_every_fault_and_start_nothing(admin: Client) -> None:
    before = admin.get("/runs?kind=algorithm").json()["items"]
    refused = admin.post(
        RUNS, {"inputs": {"data": "dataset:nothing", "other": "x"}, "parameters": {"restarts": 0, "unknown": 1}}
    )
    assert refused.status == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == {
        "/inputs/data",
        "/inputs/other",
        "/parameters/restarts",
        "/parameters/unknown",
    }
    assert "merged, t_a" in refused.text or "merged, a" in refused.text
    for inputs, words in (
        ({}, "required"),
        ({"data": "model:nothing"}, "no model"),
        ({"data": "dataset:merged@7"}, "version"),
        ({"data": "dataset:merged@x"}, "number after @"),
        ({"data": f"dataset:merged@{'9' * 5000}"}, "number after @"),
        ({"data": "run:01JB5ZK3V6Q8Y0M2N4P6R8T0W2@1"}, "no versions"),
        ({"data": "run:01JB5ZK3V6Q8Y0M2N4P6R8T0W2"}, "no run"),
        ({"data": "dataset:merged", "previous": "dataset:merged"}, "run of smallest_sum"),
    ):
        answer = admin.post(RUNS, {"inputs": inputs})
        assert answer.status == 422, answer.text
        assert words in answer.json()["errors"][0]["message"], answer.text
    assert admin.post(RUNS, {"inputs": DATA, "parameters": {"restarts": 10_000}}).status == 422
    assert admin.post(RUNS, {"inputs": DATA, "parameters": {"column": "x" * 200_000}}).status == 422
    assert admin.post(RUNS.replace("smallest_sum", "nothing"), {"inputs": DATA}).status == 404
    assert admin.get("/runs?kind=algorithm").json()["items"] == before


def test_roles(viewer: Client, editor: Client, admin: Client) -> None:
    assert viewer.post(RUNS, {"inputs": DATA}).status == 403
    made = run(editor)
    assert viewer.get(f"/runs/{made['id']}/result").status == 200
    assert Client().get("/algorithms").status == 401


def test_a_result_is_the_input_of_the_next_run(admin: Client) -> None:
    first = run(admin)
    second = run(admin, inputs={**DATA, "previous": f"run:{first['id']}"})
    assert second["request"]["inputs"]["previous"]["kind"] == "run:smallest_sum"
    difference = admin.get(f"/runs/{first['id']}/result").json()["difference"]
    assert second["warnings"] == [f"The previous difference was {difference}."]


def test_a_result_made_by_hand_is_a_run(admin: Client, viewer: Client) -> None:
    path = "/projects/p/algorithms/smallest_sum/results"
    body = {"result": {"difference": 1.5, "restart": 0}, "comment": "with pencil and paper"}
    stored = admin.post(path, body)
    assert stored.status == 201, stored.text
    manual = viewer.get(f"/runs/{stored.json()['id']}").json()
    assert (manual["kind"], manual["status"], manual["algorithm"]) == ("manual", "succeeded", "smallest_sum")
    assert manual["request"]["comment"] == "with pencil and paper"
    assert viewer.get(f"/runs/{manual['id']}/result").json() == {"difference": 1.5, "restart": 0}
    following = run(admin, inputs={**DATA, "previous": f"run:{manual['id']}"})
    assert following["warnings"] == ["The previous difference was 1.5."]
    assert [item["id"] for item in viewer.get("/runs?kind=manual").json()["items"]] == [manual["id"]]
    for wrong, pointer in (
        ({"difference": "much", "restart": 0}, "/result/difference"),
        ({"difference": "1.5", "restart": 0}, "/result/difference"),
        ({"restart": 0}, "/result/difference"),
        ({"difference": -1, "restart": 0}, "/result/difference"),
    ):
        refused = admin.post(path, {"result": wrong})
        assert refused.status == 422
        assert refused.json()["errors"][0]["pointer"] == pointer
    assert viewer.post(path, body).status == 403


def test_two_runs_are_compared(admin: Client, viewer: Client) -> None:
    first, second = run(admin, seed=1), run(admin, seed=2, parameters={"restarts": 3})
    compared = viewer.get(f"/runs/compare?a={first['id']}&b={second['id']}").json()
    assert (compared["same_request"], compared["truncated"]) == (False, False)
    changes = {change["pointer"]: (change["old"], change["new"]) for change in compared["request"]}
    assert changes == {"/seed": (1, 2), "/parameters/restarts": (1, 3)}
    assert any(item["pointer"] == "/difference" for item in compared["result"])
    same = viewer.get(f"/runs/compare?a={first['id']}&b={first['id']}").json()
    assert (same["same_request"], same["same_result"], same["request"], same["result"]) == (True, True, [], [])
    ingest = admin.get("/runs?kind=refresh").json()["items"][0]["id"]
    assert viewer.get(f"/runs/compare?a={first['id']}&b={ingest}").status == 422
    assert viewer.get(f"/runs/compare?a={first['id']}").status == 422
    assert viewer.get(f"/runs/compare?a={first['id']}&b=01JB5ZK3V6Q8Y0M2N4P6R8T0W2").status == 404


def test_a_large_result_comes_back_whole(admin: Client, services: Container) -> None:
    made = run(admin, parameters={"padding": 30_000_000})
    answer = admin.get(f"/runs/{made['id']}/result")
    assert answer.status == 303
    key = answer.json()["location"].partition("/lake/")[2].partition("?")[0]
    body = services.s3.get_object(Bucket="lake", Key=key)["Body"].read()
    assert len(body) > 30_000_000
    assert json.loads(body)["padding"] == "x" * 30_000_000


@pytest.mark.parametrize("killed_at", range(8))
def test_a_killed_run_goes_on_and_gives_the_same_result(
    admin: Client, workflows: LocalWorkflows, killed_at: int
) -> None:
    """A function that dies before any of its calls is called again; the result is that of a run without deaths."""
    undisturbed = run(admin, parameters={"restarts": 3}, seed=killed_at)
    expected = admin.get(f"/runs/{undisturbed['id']}/result").text
    calls = 0

    def die_once(function: str, payload: dict[str, Any]) -> None:
        nonlocal calls
        calls += 1
        if calls == killed_at:
            raise Killed

    workflows.before_task = die_once
    made = run(admin, parameters={"restarts": 3}, seed=killed_at, force=True)
    assert made["status"] == "succeeded"
    assert admin.get(f"/runs/{made['id']}/result").text == expected


def test_a_redriven_run_solves_only_what_is_missing(admin: Client, workflows: LocalWorkflows) -> None:
    def die_in_the_second_restart(function: str, payload: dict[str, Any]) -> None:
        if payload.get("step") == "solve" and payload["number"] == 1:
            raise Killed

    workflows.before_task = die_in_the_second_restart
    failed = run(admin, parameters={"restarts": 3})
    assert failed["status"] == "failed"
    assert "1 of 3 restarts did not finish, such as number 1" in failed["error"]["detail"]
    solved: list[int] = []
    workflows.before_task = lambda function, payload: (
        solved.append(payload["number"]) if payload.get("step") == "solve" else None
    )
    assert admin.post(f"/runs/{failed['id']}/redrive").status == 202
    assert solved == [1]
    redriven = admin.get(f"/runs/{failed['id']}").json()
    assert (redriven["status"], redriven["attempt"]) == ("succeeded", 2)
    fresh = run(admin, parameters={"restarts": 3}, force=True)
    texts = [admin.get(f"/runs/{item['id']}/result").text for item in (redriven, fresh)]
    assert texts[0] == texts[1]


def test_references_that_nothing_has_are_refused(admin: Client) -> None:
    for reference in ("run:", "dataset:merged@" + "9" * 40, "dataset:merged@" + "9" * 5000, "model:@1", "@", ""):
        refused = admin.post(RUNS, {"inputs": {"data": reference}})
        assert (refused.status, refused.json()["errors"][0]["pointer"]) == (422, "/inputs/data"), reference


def test_runs_of_a_deleted_project_are_no_inputs_of_its_successor(admin: Client) -> None:
    earlier = run(admin)
    admin.delete("/projects/p")
    admin.post("/projects", {"name": "p", "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})
    refresh(admin, "p")
    refused = admin.post(RUNS, {"inputs": {**DATA, "previous": f"run:{earlier['id']}"}})
    assert (refused.status, refused.json()["errors"][0]["pointer"]) == (422, "/inputs/previous")


def test_an_optional_input_is_left_out_by_null(admin: Client) -> None:
    first = run(admin)
    admin.put(TestRefreshes.PATH, {"inputs": {**DATA, "previous": f"run:{first['id']}"}})
    assert "previous" in run(admin, inputs={})["request"]["inputs"]
    assert "previous" not in run(admin, 200, inputs={"previous": None})["request"]["inputs"]


def test_a_limited_key_computes_with_no_input_that_it_may_not_read(admin: Client, services: Container) -> None:
    """Neither by a run, nor by the project's settings, nor by a result made by hand; and no answer tells it exists."""
    topology = {"nodes": [{"name": "CANARY", "lat": 0, "lng": 0}], "links": []}
    admin.put("/inputs/hidden", {"kind": "topology", "document": topology})
    limited = client_of(services, "editor", projects=["own"])
    limited.put("/projects/own", {"name": "own"})
    body = {"inputs": {"topology": "hidden", "traffic_matrix": "absent"}}
    path = "/projects/own/algorithms/grooming"
    result: dict[str, Any] = {"traffic": {}, "service_devices": {}, "node_structure": {}, "statistics": {}}
    for method, target, sent in (
        ("POST", f"{path}/runs", body),
        ("PUT", path, {**body, "on_refresh": True}),
        ("PUT", path, body),
        ("POST", f"{path}/results", {**body, "result": result}),
    ):
        refused = limited.call(method, target, sent)
        assert refused.status == 422, (method, target)
        assert "CANARY" not in refused.text
        told = {error["pointer"]: error["message"] for error in refused.json()["errors"]}
        assert told["/inputs/topology"] == told["/inputs/traffic_matrix"].replace("absent", "hidden"), told


def test_many_runs_are_checked_in_one_call_and_cancelled(admin: Client, workflows: LocalWorkflows) -> None:
    workflows.hold = True
    ids = [admin.post(RUNS, {"inputs": DATA, "seed": seed}).json()["id"] for seed in range(3)]
    listed = admin.get(f"/runs?id={','.join(ids)}").json()["items"]
    assert {item["id"]: item["status"] for item in listed} == dict.fromkeys(ids, "pending")
    assert admin.post(RUNS, {"inputs": DATA, "seed": 0}).json()["id"] == ids[0], "the active one"
    assert admin.post(f"/runs/{ids[0]}/cancel").json()["status"] == "cancelled"
    assert admin.post(RUNS, {"inputs": DATA, "seed": 0}).json()["id"] != ids[0]
    by_algorithm = admin.get("/runs?project=p&algorithm=smallest_sum").json()["items"]
    assert len(by_algorithm) == 4


def test_counts_of_restarts_while_they_are_solved(admin: Client, workflows: LocalWorkflows) -> None:
    seen: list[dict[str, Any]] = []

    def watch(function: str, payload: dict[str, Any]) -> None:
        if payload.get("step") == "solve":
            workflows.before_task = lambda *_: None
            seen.append(admin.get(f"/runs/{payload['run_id']}").json()["progress"])
            workflows.before_task = watch

    workflows.before_task = watch
    run(admin, parameters={"restarts": 3})
    assert [(progress["stage"], progress["current"], progress["total"]) for progress in seen] == [
        ("solve", done, 3) for done in range(3)
    ]
    assert [progress["subtasks"]["pending"] for progress in seen] == [3, 2, 1]


class TestRefreshes:
    """Algorithms as nodes of a project's refresh."""

    PATH = "/projects/p/algorithms/smallest_sum"

    def test_each_refresh_runs_it_and_sql_reads_its_tables(self, admin: Client, upstream: Upstream) -> None:
        model = {"sql": "SELECT id, value * 2 AS value FROM merged ORDER BY id", "materialize": True}
        admin.put("/projects/p/models/doubled", model)
        settings = {"inputs": {"data": "model:doubled"}, "parameters": {"restarts": 2}, "on_refresh": True}
        put = admin.put(self.PATH, settings)
        assert put.status == 201, put.text
        total = {"sql": "SELECT count(*) AS rows, sum(number) AS total FROM smallest_sum", "materialize": True}
        assert admin.put("/projects/p/models/total", total).status == 201
        refreshed = refresh(admin, "p")
        assert refreshed["status"] == "succeeded", refreshed
        assert admin.get("/projects/p/models/total/data").json()["items"] == [
            {"rows": 9, "total": 2.0 * sum(row["value"] for row in ROWS)}
        ]
        queried = admin.post("/projects/p/query", {"sql": "SELECT count(*) AS n FROM smallest_sum_first"})
        assert queried.json()["items"] == [{"n": 1}]
        child = admin.get("/runs?kind=algorithm").json()["items"][0]
        assert (child["trigger"], child["request"]["inputs"]["data"]["dataset"]) == (
            "refresh",
            "project/p/model/doubled",
        )
        upstream.serve([*ROWS, {"id": 100, "value": 7}])
        assert refresh(admin, "p", ingest="all")["status"] == "succeeded"
        assert admin.get("/projects/p/models/total/data").json()["items"][0]["rows"] == 10, "the model of this refresh"
        assert len(admin.get("/runs?kind=algorithm").json()["items"]) == 2

    def test_the_same_data_runs_nothing_again(self, admin: Client) -> None:
        admin.put(self.PATH, {"inputs": DATA, "on_refresh": True})
        refresh(admin, "p")
        refresh(admin, "p", ingest="all")
        assert len(admin.get("/runs?kind=algorithm").json()["items"]) == 1

    def test_a_failed_algorithm_fails_the_refresh_and_publishes_nothing(self, admin: Client) -> None:
        admin.put(self.PATH, {"inputs": DATA, "parameters": {"fail": "solve"}, "on_refresh": True})
        before = admin.get("/projects/p/data").json()["version"]
        failed = refresh(admin, "p", ingest="all")
        assert failed["status"] == "failed"
        assert "smallest_sum" in failed["error"]["detail"]
        assert "See the run" in failed["error"]["detail"]
        assert admin.get("/projects/p/data").json()["version"] == before

    def test_a_cancelled_refresh_stops_its_algorithms(self, admin: Client, workflows: LocalWorkflows) -> None:
        admin.put(self.PATH, {"inputs": DATA, "parameters": {"restarts": 3}, "on_refresh": True})

        def cancel(function: str, payload: dict[str, Any]) -> None:
            if payload.get("step") == "solve":
                workflows.before_task = lambda *_: None
                refreshing = admin.get("/runs?kind=refresh&status=running").json()["items"][0]
                assert admin.post(f"/runs/{refreshing['id']}/cancel").status == 200

        workflows.before_task = cancel
        admin.post("/projects/p/runs", {})
        child = admin.get("/runs?kind=algorithm").json()["items"][0]
        assert child["status"] == "cancelled"

    def test_settings_are_checked_when_they_are_written(self, admin: Client) -> None:
        admin.put("/projects/p/models/a_model", {"sql": "SELECT * FROM merged", "materialize": True})
        assert admin.put(self.PATH, {"inputs": {"data": "model:a_model"}, "on_refresh": True}).status == 201
        circular = admin.put("/projects/p/models/a_model", {"sql": "SELECT * FROM smallest_sum", "materialize": True})
        assert circular.status == 422
        assert "circular" in circular.text
        assert admin.put("/projects/p/models/smallest_sum", {"sql": "SELECT 1 AS one"}).status == 409
        assert admin.delete("/projects/p/models/a_model").status == 409, "the algorithm reads it"
        for wrong in (
            {"inputs": {"data": "model:nothing"}},
            {"inputs": {"nothing": "dataset:merged"}},
            {"parameters": {"restarts": "many"}},
            {"on_refresh": True},
        ):
            assert admin.put(self.PATH, wrong).status == 422, wrong
        assert admin.put("/projects/p/algorithms/nothing", {}).status == 404
        reader = {"sql": "SELECT * FROM smallest_sum"}
        assert admin.put("/projects/p/endpoints/e", reader).status == 201
        assert admin.delete(self.PATH).status == 409
        admin.delete("/projects/p/endpoints/e")
        assert admin.delete(self.PATH).status == 204
        assert admin.post("/projects/p/query", {"sql": "SELECT * FROM smallest_sum"}).status == 422

    def test_settings_fill_what_a_request_leaves_out(self, admin: Client) -> None:
        admin.put(self.PATH, {"inputs": DATA, "parameters": {"restarts": 2}, "seed": 9})
        started = admin.post(RUNS, {"parameters": {"column": "id"}})
        request = admin.get(f"/runs/{started.json()['id']}").json()["request"]
        assert (request["seed"], request["parameters"]["restarts"], request["parameters"]["column"]) == (9, 2, "id")
        assert refresh(admin, "p", ingest="all")["status"] == "succeeded"
        assert len(admin.get("/runs?kind=algorithm").json()["items"]) == 1, "not on_refresh"


def test_names_of_algorithms_are_those_of_modules() -> None:
    assert "smallest_sum" in registry.names()
    assert not any(name.startswith("_") for name in registry.names())


def test_the_template_is_an_algorithm_once_it_is_copied(
    admin: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sluice_algorithms

    own = Path(sluice_algorithms.__file__ or "").parent
    (tmp_path / "shares.py").write_text((own / "_template.py").read_text())
    monkeypatch.setattr(sluice_algorithms, "__path__", [*sluice_algorithms.__path__, str(tmp_path)])
    path = "/projects/p/algorithms/shares/runs"
    started = admin.post(path, {"inputs": DATA, "parameters": {"group": "id", "value": "value", "most": 2}})
    made = admin.get(f"/runs/{started.json()['id']}").json()
    assert made["status"] == "succeeded", made
    total = sum(row["value"] for row in ROWS)
    assert admin.get(f"/runs/{made['id']}/result").json() == {
        "total": total,
        "groups": [
            {"group": "8", "total": 64, "share": 64 / total},
            {"group": "7", "total": 49, "share": 49 / total},
        ],
    }
    wrong = admin.post(path, {"inputs": DATA, "parameters": {"group": "nothing", "value": "value"}})
    failed = admin.get(f"/runs/{wrong.json()['id']}").json()
    assert failed["error"]["errors"][0]["pointer"] == "/parameters/group"
    missing = admin.post(path, {"inputs": DATA, "parameters": {}})
    assert {error["pointer"] for error in missing.json()["errors"]} == {"/parameters/group", "/parameters/value"}


@pytest.mark.parametrize(
    ("algorithm", "parameters"),
    [
        ("profile", {}),
        ("anomalies", {"values": ["value"], "keys": ["id"]}),
        ("forecast", {"time": "id", "value": "value", "horizon": 2}),
    ],
)
def test_general_algorithms_read_the_datasets_of_a_project(
    admin: Client, algorithm: str, parameters: dict[str, Any]
) -> None:
    started = admin.post(f"/projects/p/algorithms/{algorithm}/runs", {"inputs": DATA, "parameters": parameters})
    made = admin.get(f"/runs/{started.json()['id']}").json()
    assert made["status"] == "succeeded", made["error"]
    rows = admin.get(f"/runs/{made['id']}/tables/main?limit=200").json()["items"]
    assert len(rows) == {"profile": 3, "anomalies": len(ROWS), "forecast": 2}[algorithm]


@pytest.mark.parametrize("before", [[], [{"shop": "a", "day": 1, "sales": 2.0}]], ids=["never", "not any more"])
def test_general_algorithms_of_no_rows_do_not_stop_a_refresh(
    admin: Client, upstream: Upstream, before: list[dict[str, Any]]
) -> None:
    upstream.serve(before)
    admin.post("/datasources", http_source("never"))
    admin.post("/projects", {"name": "q", "refresh_on": "manual"})
    admin.put("/projects/q/datasources/never", {})
    refresh(admin, "q")
    upstream.serve([])
    settings: dict[str, dict[str, Any]] = {
        "profile": {},
        "anomalies": {"time": "day"},
        "forecast": {"time": "day", "value": "sales", "groups": ["shop"]},
    }
    for name, parameters in settings.items():
        body = {"inputs": {"data": "dataset:never"}, "parameters": parameters, "on_refresh": True}
        assert admin.put(f"/projects/q/algorithms/{name}", body).status == 201
    admin.put("/projects/q/models/m", {"sql": "SELECT shop, day, forecast FROM forecast", "materialize": True})
    refreshed = refresh(admin, "q", ingest="all")
    assert refreshed["status"] == "succeeded", refreshed["error"]
    assert admin.get("/projects/q/models/m/data").json()["items"] == []
    for name in settings:
        assert admin.post("/projects/q/query", {"sql": f"SELECT count(*) AS n FROM {name}"}).json()["items"] == [
            {"n": 3 if before and name == "profile" else 0}
        ]
