"""Inputs of algorithms: results of earlier runs, and references that are refused."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.container import Container
from support.client import Client, client_of
from support.documents import refresh
from support.example_algorithms import DATA, RUNS, run

pytestmark = pytest.mark.usefixtures("nine_numbers")


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
    admin.put("/projects/p/algorithms/smallest_sum", {"inputs": {**DATA, "previous": f"run:{first['id']}"}})
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
