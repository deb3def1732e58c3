"""Each function starts in Lambda's container with nothing but its layers, and answers its event.

There is no AWS behind it here, so what needs the catalog fails; how it fails shows that the
function was imported whole and came as far as its first call.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from support.template import ROOT

EVENTS = ROOT / "events"
OWN_TESTS = ("api", "authorizer", "query", "preflight", "probe", "console")
Invoke = Callable[[str, dict[str, Any]], Any]


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def logical_id(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_")) + "Function"


# Each function has an image of its own, which takes SAM ten seconds and more.
OTHERS = [
    path.parent.name for path in sorted((ROOT / "functions").glob("*/app.py")) if path.parent.name not in OWN_TESTS
]


def test_api_answers_without_catalog(invoke_alone: Invoke) -> None:
    answer = invoke_alone("ApiFunction", event("api-health"))
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


@pytest.mark.long
def test_probe_reads_its_secret(invoke: Invoke) -> None:
    answer = invoke("ProbeFunction", event("probe"))
    assert json.loads(answer["body"])["status"] in (500, 503)


@pytest.mark.long
def test_console_answers_its_page_or_why_it_was_not_built(invoke: Invoke) -> None:
    assert invoke("ConsoleFunction", event("console"))["statusCode"] in (200, 503)


@pytest.mark.long
@pytest.mark.parametrize("name", OTHERS)
def test_every_other_function_reaches_its_first_aws_call(invoke: Invoke, name: str) -> None:
    answer = invoke(logical_id(name), event(name))
    if name == "authoring":
        assert (answer["statusCode"], json.loads(answer["body"])["type"]) == (503, "urn:sluice:problem:unavailable")
    elif name == "readings":
        assert answer["batchItemFailures"], "all records are to be sent again"
    elif name == "sign_up":
        assert answer["errorType"] == "Forbidden", "the parameter SignUpDomains is empty"
    else:
        assert answer["errorType"] in ("Unavailable", "ClientError", "UnrecognizedClientException"), answer
