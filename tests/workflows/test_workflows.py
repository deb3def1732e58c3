"""The workflows' own definitions on the emulator, their functions replaced by ones that tell."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from support.bare import Bare
from support.template import ROOT

WORKFLOWS = {name: json.loads((ROOT / f"workflows/{name}.asl.json").read_text()) for name in ("ingest", "refresh")}

# Answers with what the event's plan says for the function; the plan travels in the run's id. Of two answers
# the second one is given when the workers of a stage have ended.
STEP = """
import json
def handler(event, context):
    plan = json.loads(event["run_id"])
    function = context.function_name.rsplit("-", 1)[1]
    answer = plan[f"{function} of a part" if "number" in event else function]
    if isinstance(answer, list):
        answer = answer[event.get("stage", "") != ""]
    if answer == "raise":
        raise RuntimeError("it broke")
    return {"run_id": event["run_id"], "attempt": event["attempt"], **answer}
"""


def states_of(kind: str, state_type: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [(kind, name, one) for name, one in WORKFLOWS[kind]["States"].items() if one["Type"] == state_type]


CHOICES = [
    (kind, name, state, choice["StringEquals"], choice["Next"])
    for kind in WORKFLOWS
    for kind, name, state in states_of(kind, "Choice")
    for choice in [*state["Choices"], {"StringEquals": "failed", "Next": state["Default"]}]
]


@pytest.mark.parametrize(
    ("kind", "name", "state", "outcome", "following"), CHOICES, ids=[f"{c[0]}-{c[1]}-{c[3]}" for c in CHOICES]
)
def test_each_outcome_leads_where_it_should(
    bare: Bare, kind: str, name: str, state: dict[str, Any], outcome: str, following: str
) -> None:
    payload: dict[str, Any] = {"outcome": outcome}
    if state["Choices"][0]["Variable"].startswith("$.commit"):
        payload = {"commit": payload}
    tested = bare.client("stepfunctions").test_state(
        definition=json.dumps(state), roleArn="arn:aws:iam::000000000000:role/r", input=json.dumps(payload)
    )
    assert (tested["status"], tested["nextState"]) == ("SUCCEEDED", following)


@pytest.fixture(scope="session")
def machines(bare: Bare) -> dict[str, str]:
    """Both workflows, deployed with functions that answer as they are told."""
    arns = {
        f"{name.capitalize()}FunctionArn": bare.function(f"step-{name}", STEP)
        for name in ("fetch", "extract", "commit", "plan", "merge", "partition", "model", "report")
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


def payload(**plan: Any) -> dict[str, Any]:
    return {"run_id": json.dumps(plan), "attempt": 1}


DONE = {"outcome": "done"}


@pytest.mark.parametrize(
    ("plan", "status", "error"),
    [
        ({"fetch": DONE, "extract": {**DONE, "manifest_key": "m"}, "commit": DONE}, "SUCCEEDED", None),
        ({"fetch": {"outcome": "failed", "error": "SourceRefused", "cause": "no"}}, "FAILED", "SourceRefused"),
        ({"fetch": DONE, "extract": {"outcome": "stopped"}}, "SUCCEEDED", None),
        ({"fetch": DONE, "extract": DONE, "commit": {"outcome": "failed", "error": "X", "cause": "y"}}, "FAILED", "X"),
    ],
    ids=["done", "fetch failed", "stopped", "commit failed"],
)
def test_ingest(bare: Bare, machines: dict[str, str], plan: dict[str, Any], status: str, error: str | None) -> None:
    name = f"ingest-{abs(hash(json.dumps(plan)))}"
    ended = bare.run(machines["ingest"], name, payload(**plan))
    assert (ended["status"], ended.get("error")) == (status, error), ended


@pytest.mark.parametrize("count", [0, 3])
def test_refresh_ingests_each_item_and_goes_on_when_one_fails(bare: Bare, machines: dict[str, str], count: int) -> None:
    s3 = bare.client("s3")
    s3.create_bucket(Bucket=f"lake-{count}")
    plans = [
        payload(fetch=DONE, extract={**DONE, "manifest_key": "m"}, commit=DONE),
        payload(fetch={"outcome": "failed", "error": "SourceRefused", "cause": "no"}),
        payload(fetch=DONE, extract={**DONE, "manifest_key": "m"}, commit=DONE),
    ][:count]
    items = [{**plan, "execution": f"child-{count}-{number}"} for number, plan in enumerate(plans)]
    s3.put_object(Bucket=f"lake-{count}", Key="items.json", Body=json.dumps(items))
    model = payload(model=DONE)
    plan = {
        "plan": {**DONE, "bucket": f"lake-{count}", "items_key": "items.json"},
        "merge": {**DONE, "waves": [[model, model], [model]], "reports": [payload(report=DONE)]},
        "commit": DONE,
    }
    ended = bare.run(machines["refresh"], f"refresh-{count}", payload(**plan), 60)
    assert ended["status"] == "SUCCEEDED", ended
    base = machines["ingest"].replace(":stateMachine:", ":execution:")
    children = [bare.ended(f"{base}:child-{count}-{number}")["status"] for number in range(count)]
    assert children == ["SUCCEEDED", "FAILED", "SUCCEEDED"][:count]


# By the step that is asked again: its workflow, the function of its workers, what else the workflow needs.
DIVIDED = {
    "merge": ("refresh", "partition", {**DONE, "waves": [], "reports": []}),
    "extract": ("ingest", "extract", {**DONE, "manifest_key": "m"}),
}


@pytest.mark.parametrize("answer", [DONE, {"outcome": "failed"}, "raise"], ids=["done", "failed", "killed"])
@pytest.mark.parametrize("step", DIVIDED)
def test_a_step_in_parts_is_asked_again_when_its_workers_have_ended(
    bare: Bare, machines: dict[str, str], step: str, answer: Any
) -> None:
    """However they have ended: it finds out by itself what they have left."""
    kind, worker, ended_as = DIVIDED[step]
    s3, name = bare.client("s3"), f"{step}-{abs(hash(str(answer)))}"
    s3.create_bucket(Bucket=name)
    stage = {"bucket": name, "items_key": "items.json", "folder": "f", "stage": "sample"}
    plan: dict[str, Any] = {
        "plan": {**DONE, "bucket": name, "items_key": "none.json"},
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
    others = [(0, 0)] if kind == "refresh" else []  # the datasources that are ingested
    assert sorted((one["total"], one["failed"]) for one in counts) == [*others, (3, 3 if answer == "raise" else 0)]
