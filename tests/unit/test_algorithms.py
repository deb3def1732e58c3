"""Algorithms: one is added from a folder, and run, repeated, redriven and compared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sluice.container import Container
from support.client import Client
from support.documents import refresh
from support.example_algorithms import DATA, ROWS, RUNS, run
from support.upstream import Upstream
from support.workflows import Killed, LocalWorkflows

pytestmark = pytest.mark.usefixtures("nine_numbers")


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
