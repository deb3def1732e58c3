"""Algorithms on the deployed stack: inputs, fan-out, results, a refresh, and functions that are killed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from sluice.planning.topology import Link, Node, Topology
from support.planning.networks import random_matrix
from support.stack import Deployed, function_processes

NODES = [Node(name=f"N{number}", lat=number, lng=number) for number in range(8)]
RING = Topology(
    nodes=NODES,
    links=[
        Link(source=node.name, destination=NODES[number - 1].name, length=80.0 + number, fiber_type="sm")
        for number, node in enumerate(NODES)
    ],
)


@pytest.fixture(scope="module")
def planner(deployed: Deployed) -> str:
    """A project that pins a small network and its traffic."""
    deployed.done("PUT", "/inputs/ring", {"kind": "topology", "document": RING.model_dump(), "comment": "eight nodes"})
    deployed.done(
        "PUT", "/inputs/demands", {"kind": "traffic_matrix", "document": random_matrix(RING, 12, 100).model_dump()}
    )
    deployed.done("PUT", "/projects/planner", {"name": "planner"})
    for name in ("ring", "demands"):
        deployed.done("PUT", f"/projects/planner/inputs/{name}", {"version": None})
    return "planner"


def run(deployed: Deployed, algorithm: str, **body: Any) -> dict[str, Any]:
    return deployed.ended(deployed.done("POST", f"/projects/planner/algorithms/{algorithm}/runs", body))


def result(deployed: Deployed, made: dict[str, Any]) -> bytes:
    answer = deployed.call("GET", f"/runs/{made['id']}/result")
    return httpx.get(answer.headers["location"]).content if answer.status_code == 303 else answer.content


def test_grooming_then_paths_and_wavelengths(deployed: Deployed, planner: str) -> None:
    groomed = run(deployed, "grooming", parameters={"mp1h_threshold": 0})
    assert groomed["status"] == "succeeded", groomed
    assert groomed["request"]["inputs"]["topology"]["reference"] == "ring@1"
    assigned = run(deployed, "rwa", inputs={"grooming": f"run:{groomed['id']}"}, parameters={"iterations": 3}, seed=5)
    assert assigned["status"] == "succeeded", assigned
    assert assigned["progress"]["subtasks"]["succeeded"] == 3
    forced = run(
        deployed,
        "rwa",
        inputs={"grooming": f"run:{groomed['id']}"},
        parameters={"iterations": 3},
        seed=5,
        force=True,
    )
    assert forced["id"] != assigned["id"]
    assert result(deployed, forced) == result(deployed, assigned)
    links = deployed.done("GET", f"/runs/{assigned['id']}/tables/links")["items"]
    assert len(links) == 8
    again = deployed.call("POST", "/projects/planner/algorithms/grooming/runs", {"parameters": {"mp1h_threshold": 0}})
    assert (again.status_code, again.json()["id"]) == (200, groomed["id"])


@pytest.mark.skipif("SLUICE_STACK" in os.environ, reason="a stack that is not ours is not killed")
def test_a_run_survives_killed_functions(deployed: Deployed, planner: str, local_folder: Path) -> None:
    groomed = run(deployed, "grooming", parameters={"mp1h_threshold": 10})
    body = {"inputs": {"grooming": f"run:{groomed['id']}"}, "parameters": {"iterations": 8}, "seed": 1}
    started = deployed.done("POST", "/projects/planner/algorithms/rwa/runs", body)
    killed, deadline = 0, time.monotonic() + 20
    while killed < 2 and time.monotonic() < deadline:
        for pid, command in function_processes(local_folder):
            if "sluice-solver-" in command and killed < 2:
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    continue
        if deployed.done("GET", f"/runs/{started['id']}")["finished_at"]:
            break
        time.sleep(0.1)
    assert killed, "no process of solver was met"
    ended = deployed.ended(started)
    if ended["status"] == "failed":  # more processes died than the workflow tries again
        ended = deployed.ended(deployed.done("POST", f"/runs/{ended['id']}/redrive"))
    assert ended["status"] == "succeeded", ended
    undisturbed = run(deployed, "rwa", **body, force=True)
    assert result(deployed, undisturbed) == result(deployed, ended)
