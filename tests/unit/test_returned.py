"""What the steps of an algorithm may return, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.algorithm_runs.returned import Returned
from sluice.algorithms import registry
from sluice.algorithms.algorithm import Solution
from sluice.errors import AlgorithmFailed
from support.client import Client
from support.example_algorithms import add_example_algorithms


@pytest.fixture
def project(admin: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    add_example_algorithms(monkeypatch)
    admin.post("/projects", {"name": "p", "refresh_on": "manual"})
    return admin


def run(client: Client, fault: str | None) -> dict[str, Any]:
    """A run of the careless algorithm, as it is afterwards."""
    started = client.post("/projects/p/algorithms/careless/runs", {"parameters": {"fault": fault}})
    assert started.status == 202, started.text
    ended: dict[str, Any] = client.get(f"/runs/{started.json()['id']}").json()
    return ended


def test_a_score_may_be_a_number_and_the_selected_restart_has_the_warnings(project: Client) -> None:
    made = run(project, None)
    assert (made["status"], made["warnings"]) == ("succeeded", ["Restart 1."]), made["error"]
    assert project.get(f"/runs/{made['id']}/result").json() == {"size": 1.0}


FAULTS = {
    "set in prepare": "The step prepare of the algorithm careless has returned a value of type set at "
    "/prepared/nodes/0/links, not JSON",
    "set in solve": "The step solve of the algorithm careless has returned a value of type set at /document/size, not",
    "key": "The step solve of the algorithm careless has returned a value of type dict at /document/size, not JSON",
    "no solution": "The step solve of the algorithm careless has returned a value of type dict, not a Solution.",
    "score nan": "has returned the score nan, not a finite number or a tuple of them.",
    "score text": "has returned the score 'low', not",
    "score none": "has returned the score (1.0, None), not",
    "select": "The step select of the algorithm careless has returned 1, not the number of a restart from 0 to 0.",
    "no result": "The step finish of the algorithm careless has returned a value of type dict, not a Result.",
    "no table": "has returned the table main of type list, not ResultTable.",
    "no bytes": "has returned the file note.txt of type str, not bytes.",
    "text": "The result does not match the output of the algorithm careless. /size: Input should be a valid number. "
    "/names/0: Input should be a valid string. /names/1: Input should be a valid string. And 1 more.",
    "number as text": "The result does not match the output of the algorithm careless. /size: Input should be",
    "nan": "The result does not match the output of the algorithm careless. /size: Input should be",
    "column": "The algorithm careless has raised ValidationError: Column does not match. /name: Input should be",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_fails_at_once_in_words(project: Client, fault: str) -> None:
    failed = run(project, fault)
    assert failed["status"] == "failed"
    assert failed["error"]["type"] == "urn:sluice:problem:algorithm-failed"
    assert FAULTS[fault] in failed["error"]["detail"]
    assert "pydantic" not in failed["error"]["detail"]
    subtasks = failed["progress"]["subtasks"]
    assert subtasks is None or subtasks["retried"] == 0
    pointers = [fault["pointer"] for fault in failed["error"].get("errors", [])]
    assert pointers == {"text": ["/size", "/names/0", "/names/1", "/names/2"], "nan": ["/size"]}.get(
        fault, ["/size"] if fault == "number as text" else []
    )


def test_an_error_names_the_line_of_the_algorithm(project: Client) -> None:
    assert "(careless.py, line " in run(project, "column")["error"]["detail"]


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63) + 1, 2**63 - 1))
def test_any_finite_number_is_a_score(number: float) -> None:
    returned = Returned("template", registry.algorithm("profile"))
    assert returned.score(Solution(None, number)) == returned.score(Solution(None, (number,))) == (number,)


@pytest.mark.parametrize("number", [float("inf"), 2**63, -(10**400)])
def test_numbers_that_json_does_not_have_are_no_scores(number: float) -> None:
    with pytest.raises(AlgorithmFailed, match="not a finite number"):
        Returned("template", registry.algorithm("profile")).score(Solution(None, number))
