"""Algorithms by the Python client and by the command line, over the API in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.container import Container
from sluice_client import NotFound, RunFailed, Sluice, ValidationError
from sluice_client._retries import Retries
from support.api_transport import API, ApiTransport
from support.client import Client
from support.command_line import Commands
from support.workflows import LocalWorkflows

INPUTS = {"data": "dataset:merged"}

pytestmark = pytest.mark.usefixtures("nine_numbers")


@pytest.fixture
def client(services: Container, admin: Client) -> Iterator[Sluice]:
    with Sluice(API, admin.key, transport=ApiTransport(services)) as sluice:
        sluice._connection.retries = Retries(sleep=lambda _: None)
        yield sluice


def test_run_and_its_outputs(client: Sluice, tmp_path: Path) -> None:
    algorithm = client.project("p").algorithm("smallest_sum")
    run = algorithm.run(INPUTS, {"restarts": 3}, 7, comment="first")
    assert (run.status, run.document["algorithm"]) == ("succeeded", "smallest_sum")
    assert "algorithm of smallest_sum" in repr(run)
    request = run.document["request"]
    assert request is not None
    assert (request["seed"], request["comment"], request["parameters"]["restarts"]) == (7, "first", 3)
    result, outputs = run.result(), run.outputs()
    assert result["restart"] == outputs["selected"]
    assert {table["name"]: table["rows"] for table in outputs["tables"]} == {"main": 9, "first": 1}
    numbers = [row["number"] for row in run.table("main").rows(order="place")]
    assert run.file("numbers.txt").decode().splitlines() == [str(number) for number in numbers]
    assert run.save_file("numbers.txt", tmp_path / "n.txt").read_bytes() == run.file("numbers.txt")
    assert run.table("main").to_polars(where="place.lt:2", order="place")["number"].to_list() == numbers[:2]
    with pytest.raises(NotFound, match="has no table 'other'"):
        list(run.table("other").rows())


def test_the_same_run_is_not_computed_again(client: Sluice) -> None:
    algorithm = client.project("p").algorithm("smallest_sum")
    first, second = algorithm.run(INPUTS, seed=1), algorithm.run(INPUTS, seed=2)
    assert algorithm.run(INPUTS, seed=1).id == first.id
    forced = algorithm.run(INPUTS, seed=1, force=True)
    assert forced.id != first.id
    assert first.compare(forced)["same_result"]
    assert not first.compare(second.id)["same_request"]
    assert [run.id for run in algorithm.runs(limit=2)] == [forced.id, second.id]


def test_settings_of_the_project_are_the_defaults(client: Sluice) -> None:
    algorithm = client.project("p").algorithm("smallest_sum")
    client.put("/projects/p/algorithms/smallest_sum", {"inputs": INPUTS, "parameters": {"restarts": 2}, "seed": 5})
    assert algorithm.get()["seed"] == 5
    request = algorithm.run().document["request"]
    assert request is not None
    assert (request["seed"], request["parameters"]["restarts"]) == (5, 2)


def test_failures_are_errors_of_the_client(client: Sluice) -> None:
    algorithm = client.project("p").algorithm("smallest_sum")
    with pytest.raises(ValidationError, match="restarts"):
        algorithm.run(INPUTS, {"restarts": 0})
    with pytest.raises(RunFailed, match="nothing to divide"):
        algorithm.run(INPUTS, {"fail": "solve"})
    with pytest.raises(NotFound, match="smallest_sum"):
        client.project("p").algorithm("largest_sum").run()


def test_progress_is_followed(client: Sluice, workflows: LocalWorkflows) -> None:
    workflows.hold = True
    run = client.project("p").algorithm("smallest_sum").run(INPUTS, wait=False)
    assert not run.finished
    run.cancel()
    assert [state.status for state in run.follow()] == ["cancelled"]


def test_result_made_by_hand_is_stored(client: Sluice) -> None:
    algorithm = client.project("p").algorithm("smallest_sum")
    run = algorithm.store({"difference": 2, "restart": 0}, comment="by hand")
    assert run.document["kind"] == "manual"
    assert run.result()["difference"] == 2
    with pytest.raises(ValidationError):
        algorithm.store({"difference": -1, "restart": 0})


def test_algorithms_are_listed(client: Sluice) -> None:
    listed = {algorithm["name"]: algorithm for algorithm in client.algorithms()}
    assert listed["smallest_sum"]["parameters"]["properties"]["restarts"]["default"] == 1


def test_command_runs_an_algorithm_and_saves_its_result(sluice: Commands, tmp_path: Path) -> None:
    command = ("run-algorithm", "p", "smallest_sum", "--input", "data=dataset:merged", "--seed", "3")
    shown = sluice(*command, "--parameter", "restarts=2", "--parameter", "column=id", "--follow")
    assert shown.code == 0, shown.err
    run = shown.out.partition(":")[0]
    assert json.loads(sluice("get", f"runs/{run}", "-o", "json").out)["request"]["parameters"] == {
        "column": "id",
        "restarts": 2,
        "fail": None,
        "padding": 0,
    }
    assert sluice("get", "runs?algorithm=smallest_sum", "-o", "csv").out.splitlines()[0].startswith("id,kind")
    for arguments, message in (
        (("--input", "data"), "write NAME=VALUE"),
        (("--no-wait", "--save", str(tmp_path)), "--save needs the end of the run"),
    ):
        wrong = sluice(*command, *arguments)
        assert (wrong.code, message in wrong.err) == (2, True)
    failed = sluice(*command, "--parameter", "fail=solve")
    assert (failed.code, "nothing to divide" in failed.err) == (1, True)
