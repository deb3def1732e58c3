"""Each function starts in Lambda's container with nothing but its layers, and answers its event.

There is no AWS behind it here, so what needs the catalog fails; how it fails shows that the
function was imported whole and came as far as its first call.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from support.template import ROOT, resources

EVENTS = ROOT / "events"
FUNCTIONS = resources("AWS::Serverless::Function")
Invoke = Callable[[str, dict[str, Any]], Any]


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def logical_id(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_")) + "Function"


def others() -> list[str]:
    """The functions without a test of their own: all of them in the proof, else one for each further set of layers."""
    own = ("api", "authorizer", "query", "preflight", "probe", "console")
    layers = {name: repr(properties.get("Layers")) for name, properties in FUNCTIONS.items()}
    seen = {layers[logical_id(name)] for name in own}
    names = [path.parent.name for path in sorted((ROOT / "functions").glob("*/app.py"))]
    found = [name for name in names if name not in own]
    if os.environ.get("PROOF"):
        return found
    # Of functions with the same layers, the one shows what could be missing in them.
    first = {layers[logical_id(name)]: name for name in reversed(found)}
    return [name for key, name in first.items() if key not in seen]


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


def test_console_answers_its_page_or_why_it_was_not_built(invoke: Invoke) -> None:
    assert invoke("ConsoleFunction", event("console"))["statusCode"] in (200, 503)


@pytest.mark.parametrize("name", others())
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
