"""A grooming that is made by hand is stored as a run, and lightpaths are assigned wavelengths from there."""

from __future__ import annotations

from typing import Any

import pytest
from test_shared_grooming import demands, line

from support.client import Client

RESULTS = "/projects/p/algorithms/grooming/results"
INPUTS = {"topology": "north", "traffic_matrix": "demand"}


@pytest.fixture(autouse=True)
def inputs(admin: Client) -> None:
    """A ring of three nodes, and a demand of two 10GE services between two of them."""
    ring = line("a", "b", "c", lengths={("a", "b"): 10, ("b", "c"): 20, ("c", "a"): 30})
    matrix = demands(("a", "b", "10GE", 2))
    admin.post("/projects", {"name": "p"})
    for name, kind, document in (("north", "topology", ring), ("demand", "traffic_matrix", matrix)):
        body = {"kind": kind, "document": document.model_dump(mode="json")}
        assert admin.put(f"/inputs/{name}", body).status == 201


def grooming_of(**values: Any) -> dict[str, Any]:
    """A result with one lightpath, and nothing else."""
    lightpath = {
        "id": "mine",
        "demand_id": "d0",
        "source": "a",
        "destination": "b",
        "protection_type": "1+1_NodeDisjoint",
        "restoration_type": "None",
        "capacity": 20.0,
        "service_id_list": [{"id": "d0s0", "type": "normal"}, {"id": "d0s1", "type": "normal"}],
    }
    return {"traffic": {"main": {"lightpaths": {"mine": {**lightpath, **values}}}}}


def test_wavelengths_are_assigned_to_a_hand_made_grooming(admin: Client) -> None:
    stored = admin.post(RESULTS, {"inputs": INPUTS, "result": grooming_of()})
    assert stored.status == 201, stored.text
    inputs = {"topology": "north", "grooming": f"run:{stored.json()['id']}"}
    started = admin.post("/projects/p/algorithms/rwa/runs", {"inputs": inputs})
    assert started.status == 202, started.text
    result = admin.get(f"/runs/{started.json()['id']}/result").json()
    routed = result["lightpaths"]["mine"]
    assert routed["demand_id"] == "d0"
    assert routed["routing_info"]["working"]["path"] == ["a", "b"]
    assert routed["routing_info"]["protection"]["path"] == ["a", "c", "b"]
    by_hand = "/projects/p/algorithms/rwa/results"
    assert admin.post(by_hand, {"inputs": inputs, "result": result}).status == 201
    assert admin.post(by_hand, {"result": result}).status == 201, "all inputs may be missing"
    routed["routing_info"]["working"]["path"] = ["a"]
    assert admin.post(by_hand, {"result": result}).status == 422
    refused = admin.post(by_hand, {"inputs": inputs, "result": result})
    assert refused.json()["errors"][0]["pointer"] == "/result/lightpaths/mine/routing_info/working"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"capacity": 10.0}, "capacity"),
        ({"capacity": "20"}, "capacity"),
        ({"destination": "c"}, "destination"),
        ({"service_id_list": [{"id": "x", "type": "normal"}]}, "service_id_list/0"),
    ],
)
def test_a_hand_made_grooming_that_does_not_fit_is_refused(admin: Client, values: dict[str, Any], field: str) -> None:
    refused = admin.post(RESULTS, {"inputs": INPUTS, "result": grooming_of(**values)})
    assert refused.status == 422
    assert f"/result/traffic/main/lightpaths/mine/{field}" in [error["pointer"] for error in refused.json()["errors"]]
