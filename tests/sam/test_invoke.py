"""Each function starts in Lambda's container with nothing but its layers, and answers its event.

There is no AWS behind it here, so what needs the catalog fails; how it fails shows that the
function was imported whole and came as far as its first call.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EVENTS = Path(__file__).parents[2] / "events"
Invoke = Callable[[str, dict[str, Any]], Any]


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def test_api_answers_without_catalog(invoke: Invoke, invoke_alone: Invoke) -> None:
    for call in (invoke, invoke_alone):
        answer = call("ApiFunction", event("api-health"))
        assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (200, "ok")


def test_authorizer_refuses_an_invalid_key(invoke: Invoke) -> None:
    asked = event("authorizer")
    asked["headers"]["authorization"] = "Bearer nonsense"
    # In SAM's containers it lets everybody pass as nobody: the function behind it says 401.
    answer = invoke("AuthorizerFunction", asked)
    assert (answer["principalId"], answer["context"]) == ("nobody", {})


def test_query_answers_problem_details(invoke: Invoke) -> None:
    asked = event("query")
    del asked["requestContext"]["authorizer"]
    answer = invoke("QueryFunction", asked)
    assert (answer["statusCode"], json.loads(answer["body"])["type"]) == (401, "urn:sluice:problem:unauthenticated")


def test_preflight_needs_no_services(invoke: Invoke) -> None:
    assert invoke("PreflightFunction", event("preflight"))["statusCode"] == 204


def test_probe_reads_its_secret(invoke: Invoke) -> None:
    answer = invoke("ProbeFunction", event("probe"))
    assert json.loads(answer["body"])["status"] in (500, 503)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("PlanFunction", "plan"),
        ("FetchFunction", "fetch"),
        ("ExtractFunction", "extract"),
        ("MergeFunction", "merge"),
        ("PartitionFunction", "partition"),
        ("ModelFunction", "model"),
        ("AlgorithmFunction", "algorithm"),
        ("NumericFunction", "numeric"),
        ("SolverFunction", "solver"),
        ("ReportFunction", "report"),
        ("CommitFunction", "commit"),
        ("ScheduledFunction", "scheduled"),
        ("RunEventsFunction", "run_events"),
        ("PublicationsFunction", "publications"),
        ("InboxFunction", "inbox"),
        ("WebhooksFunction", "webhooks"),
        ("MissingDataFunction", "missing_data"),
    ],
)
def test_every_other_function_reaches_its_first_aws_call(invoke: Invoke, function: str, name: str) -> None:
    answer = invoke(function, event(name))
    assert answer["errorType"] in ("Unavailable", "ClientError", "UnrecognizedClientException"), answer
