"""What every engine that runs the workflows must do: the emulator, and the walker that unit tests use.

Each case plans what the functions answer. The plan travels as the run's id, so that functions need
no state: `PLANNED` is the code of such a function. Each contract of the port is a function that
takes the port.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from unittest.mock import ANY

from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import Run
from sluice.platform.workflows import ExecutionState

DONE: dict[str, Any] = {"outcome": "done"}
FAILED = {"outcome": "failed", "error": "SourceRefused", "cause": "The upstream answered 403."}
STOPPED = {"outcome": "stopped"}
INGESTED = {"fetch": DONE, "extract": {**DONE, "manifest_key": "m"}, "commit": DONE}
FUNCTIONS = ("fetch", "extract", "commit", "plan", "merge", "partition", "model", "report", "run_events")

# The plans of runs that the port starts: an id has no room for a plan, so it begins with the plan's name.
NAMED = {"good": INGESTED, "bad": {"fetch": FAILED}}
# Answers with what the event's plan says for the function, which its first line names. Of two answers the
# second one is given when the workers of a stage have ended.
PLANNED = (
    f"""
import json
NAMED = {NAMED!r}
"""
    + """
def handler(event, context):
    if "children_of" in event:
        return {"run": event["children_of"], "status": None}
    name = event["run_id"].partition("-")[0]
    plan = NAMED[name] if name in NAMED else json.loads(event["run_id"])
    function = FUNCTION
    answer = plan[f"{function} of a part" if "number" in event else function]
    if isinstance(answer, list):
        answer = answer[event.get("stage", "") != ""]
    if answer == "raise":
        raise RuntimeError("it broke")
    return {"run_id": event["run_id"], "attempt": event["attempt"], **answer}
"""
)


def payload(**plan: Any) -> dict[str, Any]:
    """The input of an execution whose functions answer so."""
    return {"run_id": json.dumps(plan), "attempt": 1}


@dataclass(frozen=True)
class Case:
    """One execution: what its functions answer, and how it must end.

    Args:
        kind: the workflow.
        items: the plans of the ingest runs of a refresh.
        error: the name of the error that the execution fails with; an emulator may not know a function's exceptions.
    """

    kind: str
    plan: dict[str, Any]
    status: str = "SUCCEEDED"
    error: str | None = None
    items: list[dict[str, Any]] = field(default_factory=list)


def _node(**plan: Any) -> dict[str, Any]:
    """A model of a wave."""
    return {"kind": "model", **payload(**plan)}


def _refresh(**changes: Any) -> dict[str, Any]:
    model, report = _node(model=DONE), payload(report=DONE)
    merged = {**DONE, "waves": [[model, model], [model]], "reports": [report, report]}
    return {"plan": DONE, "merge": merged, "commit": DONE, **changes}


def _with_models(*answers: Any, report: Any = DONE) -> dict[str, Any]:
    waves = [[_node(model=answer)] for answer in answers]
    return _refresh(merge={**DONE, "waves": waves, "reports": [payload(report=report)]})


CASES = {
    "an ingest": Case("ingest", INGESTED),
    "a fetch that fails": Case("ingest", {"fetch": FAILED}, "FAILED", "SourceRefused"),
    "a fetch that is stopped": Case("ingest", {"fetch": STOPPED}),
    "a fetch that raises": Case("ingest", {"fetch": "raise"}, "FAILED", ANY),
    "an extract that is stopped": Case("ingest", {"fetch": DONE, "extract": STOPPED}),
    "a commit that fails": Case("ingest", {**INGESTED, "commit": FAILED}, "FAILED", "SourceRefused"),
    "a refresh without ingests": Case("refresh", _refresh()),
    "a refresh of three, of which one fails": Case(
        "refresh", _refresh(), items=[INGESTED, {"fetch": FAILED}, INGESTED]
    ),
    "a plan that is stopped": Case("refresh", {"plan": STOPPED}),
    "a plan that fails": Case("refresh", {"plan": FAILED}, "FAILED", "SourceRefused"),
    "a merge that fails": Case("refresh", _refresh(merge=FAILED), "FAILED", "SourceRefused"),
    "a model that fails": Case("refresh", _with_models(DONE, FAILED), "FAILED", "SourceRefused"),
    "a model that is stopped": Case("refresh", _with_models(STOPPED, report=STOPPED) | {"commit": STOPPED}),
    "a report that fails": Case("refresh", _with_models(DONE, report=FAILED), "FAILED", "SourceRefused"),
    "a commit of a refresh that fails": Case("refresh", _refresh(commit=FAILED), "FAILED", "SourceRefused"),
}


class Workflows(Protocol):
    """The port: `sluice.platform.workflows.Workflows`."""

    def start(self, run: Run) -> None: ...

    def stop(self, run: Run) -> None: ...

    def execution_state(self, run: Run) -> ExecutionState | None: ...


def _run(plan: str) -> Run:
    """A run whose functions answer as a plan of `NAMED` says."""
    return Run(
        id=f"{plan}-{new_run_id()}", kind="ingest", datasource="a", created_at=rfc3339(now()), created_by="key/test"
    )


def template_name(function: str) -> str:
    """The name of a function in the template and the workflows: `run_events` is `RunEvents`."""
    return "".join(word.capitalize() for word in function.split("_"))


def code(function: str) -> str:
    """The code of a function that answers as planned."""
    return f"FUNCTION = {function!r}\n{PLANNED}"


def require_port(port: Workflows, end: Callable[[Run], None]) -> None:
    """Start, ask after and stop executions, as the platform does.

    Args:
        end: waits until the run's execution has ended.
    """
    never = _run("good")
    assert port.execution_state(never) is None, "it never began"
    port.stop(never)
    assert port.execution_state(never) is None, "stopping what never began changes nothing"

    succeeding = _run("good")
    for _ in range(2):
        port.start(succeeding)
    end(succeeding)
    port.start(succeeding)
    assert port.execution_state(succeeding) == ExecutionState("SUCCEEDED"), "starting again does nothing"
    port.stop(succeeding)
    assert port.execution_state(succeeding) == ExecutionState("SUCCEEDED"), "what has ended is not stopped"
    again = succeeding.model_copy(update={"attempt": 2})
    assert port.execution_state(again) is None, "another attempt is another execution"

    failing = _run("bad")
    port.start(failing)
    end(failing)
    assert port.execution_state(failing) == ExecutionState("FAILED", "SourceRefused", "The upstream answered 403.")
