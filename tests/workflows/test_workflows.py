"""The workflows' own definitions on the emulator, their functions replaced by ones that answer as planned."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from sluice.domain.run import Run, execution_name
from sluice.platform.workflows import Workflows
from support.bare import Bare
from support.template import ROOT
from support.workflow_contract import CASES, DONE, FUNCTIONS, Case, code, payload, require_port

WORKFLOWS = {name: json.loads((ROOT / f"workflows/{name}.asl.json").read_text()) for name in ("ingest", "refresh")}


def states_of(kind: str, state_type: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [(kind, name, one) for name, one in WORKFLOWS[kind]["States"].items() if one["Type"] == state_type]


def _value(choice: dict[str, Any]) -> Any:
    return choice["StringEquals"] if "StringEquals" in choice else choice["NumericEquals"]


CHOICES = [
    (kind, name, state, _value(choice), choice["Next"])
    for kind in WORKFLOWS
    for kind, name, state in states_of(kind, "Choice")
    for choice in [*state["Choices"], {"StringEquals": "failed", "Next": state["Default"]}]
]


@pytest.mark.parametrize(
    ("kind", "name", "state", "outcome", "following"), CHOICES, ids=[f"{c[0]}-{c[1]}-{c[3]}" for c in CHOICES]
)
def test_each_outcome_leads_to_its_state(
    bare: Bare, kind: str, name: str, state: dict[str, Any], outcome: str | int, following: str
) -> None:
    value: Any = outcome if "StringEquals" in state["Choices"][0] or outcome != "failed" else 3
    for part in reversed(state["Choices"][0]["Variable"].removeprefix("$.").split(".")):
        value = {part: value}
    payload: dict[str, Any] = value
    tested = bare.client("stepfunctions").test_state(
        definition=json.dumps(state), roleArn="arn:aws:iam::000000000000:role/r", input=json.dumps(payload)
    )
    assert (tested["status"], tested["nextState"]) == ("SUCCEEDED", following)


@pytest.fixture(scope="session")
def machines(bare: Bare) -> dict[str, str]:
    """Both workflows, deployed with functions that answer as they are told."""
    arns = {
        "".join(word.capitalize() for word in name.split("_")) + "FunctionArn": bare.function(
            f"step-{name}", code(name)
        )
        for name in FUNCTIONS
    }
    made: dict[str, str] = {}
    for kind in ("ingest", "refresh"):
        text = json.dumps(WORKFLOWS[kind])
        # The pauses between tries are the engine's; here they would only take time.
        text = re.sub(r'"IntervalSeconds": \d', '"IntervalSeconds": 1', text)
        for name, arn in (arns | {"IngestWorkflowArn": made.get("ingest", "")}).items():
            text = text.replace("${" + name + "}", arn)
        made[kind] = bare.machine(kind, json.loads(text))
    return made


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_execution_ends_as_the_contract_says(bare: Bare, machines: dict[str, str], case: Case) -> None:
    name = f"case-{list(CASES.values()).index(case)}"
    s3 = bare.client("s3")
    s3.create_bucket(Bucket=f"lake-{name}")
    items = [{**payload(**plan), "execution": f"{name}-{number}"} for number, plan in enumerate(case.items)]
    s3.put_object(Bucket=f"lake-{name}", Key="items.json", Body=json.dumps(items))
    plan = dict(case.plan)
    if plan.get("plan", {}).get("outcome") == "done":
        plan["plan"] = {**plan["plan"], "bucket": f"lake-{name}", "items_key": "items.json", "ingests": len(items)}
    ended = bare.run(machines[case.kind], name, payload(**plan), 60)
    assert (ended["status"], ended.get("error")) == (case.status, case.error), ended
    base = machines["ingest"].replace(":stateMachine:", ":execution:")
    children = [bare.ended(f"{base}:{name}-{number}")["status"] for number in range(len(items))]
    assert children == ["FAILED" if "extract" not in plan else "SUCCEEDED" for plan in case.items]


def test_the_port_behaves_as_its_contract_says(bare: Bare, machines: dict[str, str]) -> None:
    prefix = machines["ingest"].removesuffix("ingest")

    def end(run: Run) -> None:
        bare.ended(f"{prefix.replace(':stateMachine:', ':execution:')}ingest:{execution_name(run)}")

    require_port(Workflows(bare.client("stepfunctions"), prefix), end)


# By the step that is asked again: its workflow, the function of its workers, what else the workflow needs.
DIVIDED = {
    "merge": ("refresh", "partition", {**DONE, "waves": [], "reports": []}),
    "extract": ("ingest", "extract", {**DONE, "manifest_key": "m"}),
}


@pytest.mark.parametrize("answer", [DONE, {"outcome": "failed"}, "raise"], ids=["done", "failed", "killed"])
@pytest.mark.parametrize("step", DIVIDED)
def test_step_in_parts_is_called_again_after_its_workers(
    bare: Bare, machines: dict[str, str], step: str, answer: Any
) -> None:
    """However they have ended: it finds out by itself what they have left."""
    kind, worker, ended_as = DIVIDED[step]
    s3, name = bare.client("s3"), f"{step}-{abs(hash(str(answer)))}"
    s3.create_bucket(Bucket=name)
    stage = {"bucket": name, "items_key": "items.json", "folder": "f", "stage": "sample"}
    plan: dict[str, Any] = {
        "plan": {**DONE, "bucket": name, "items_key": "none.json", "ingests": 0},
        "fetch": DONE,
        step: [{"outcome": "parts", **stage}, ended_as],
        f"{worker} of a part": answer,
        "commit": DONE,
    }
    items = [{**payload(**plan), "folder": "f", "stage": "sample", "number": number} for number in range(3)]
    s3.put_object(Bucket=name, Key="none.json", Body=b"[]")
    s3.put_object(Bucket=name, Key="items.json", Body=json.dumps(items))
    ended = bare.run(machines[kind], name, payload(**plan), 60)
    assert ended["status"] == "SUCCEEDED", ended
    sfn = bare.client("stepfunctions")
    counts = [
        sfn.describe_map_run(mapRunArn=one["mapRunArn"])["itemCounts"]
        for one in sfn.list_map_runs(executionArn=ended["executionArn"])["mapRuns"]
    ]
    assert [(one["total"], one["failed"]) for one in counts] == [(3, 3 if answer == "raise" else 0)]
