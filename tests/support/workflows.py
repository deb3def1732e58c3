"""Runs the workflows' own definitions in this process, with the functions' own handlers.

It knows the few states that they use. A handler that raises is called again as often as the
state's Retry says; `Killed` stands for a process that died in the middle of a call.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sluice.container import Container
from sluice.domain.run import Run, execution_input, execution_name
from sluice.platform.workflows import ExecutionState
from support import permissions
from support.streams import PublicationStream

ROOT = Path(__file__).parents[2]
MACHINES = {
    path.name.removesuffix(".asl.json"): json.loads(path.read_text())
    for path in (ROOT / "workflows").glob("*.asl.json")
}
INGEST, REFRESH = MACHINES["ingest"], MACHINES["refresh"]


class Killed(BaseException):
    """The process of a function was killed."""


class Context:
    """What Lambda gives to a handler, as far as ours read it."""

    aws_request_id = "request-1"

    def __init__(self, seconds: float = 900) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


class ExecutionFailed(Exception):
    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


class LocalWorkflows:
    """The port `Workflows`, done at once and in this process.

    `settle_ends` says whether the status-change event of an execution's end arrives.
    """

    def __init__(self, services: Container) -> None:
        self.services = services
        self.outcomes: dict[str, ExecutionState] = {}
        self.settle_ends = True
        self.before_task: Callable[[str, dict[str, Any]], None] = lambda function, payload: None
        self.tasks: list[str] = []
        self.hold = False
        self.stream = PublicationStream()

    def deliver_publications(self) -> None:
        """Have the stream of published versions delivered, as it is soon after each of them."""
        self.stream.deliver(lambda: self.before_task("publications", {}), Context())

    def start(self, run: Run) -> None:
        permissions.note("states:StartExecution", f"stateMachine:{run.type.workflow}")
        with permissions.acting(None):
            self.execute(run.type.workflow, execution_name(run), execution_input(run))

    def stop(self, run: Run) -> None:
        permissions.note("states:StopExecution", f"execution:{run.type.workflow}:{execution_name(run)}")
        if self.outcomes.get(execution_name(run), ExecutionState("")).status == "RUNNING":
            self.outcomes[execution_name(run)] = ExecutionState("ABORTED")

    def execution_state(self, run: Run) -> ExecutionState | None:
        permissions.note("states:DescribeExecution", f"execution:{run.type.workflow}:{execution_name(run)}")
        return self.outcomes.get(execution_name(run))

    def execute(self, kind: str, name: str, payload: dict[str, Any], nested: bool = False) -> None:
        if name in self.outcomes:
            return
        self.outcomes[name] = ExecutionState("RUNNING")
        if self.hold:
            return
        try:
            self._walk(MACHINES[kind], payload)
            self.outcomes[name] = ExecutionState("SUCCEEDED")
        except ExecutionFailed as failure:
            self.outcomes[name] = ExecutionState("FAILED", failure.error, failure.cause)
            if nested:
                self.deliver_publications()
                raise
        self.deliver_publications()
        if self.settle_ends and not nested:
            self._tell_end(name)

    def _tell_end(self, name: str) -> None:
        """The status-change event, delivered again when its function dies, as Lambda does."""
        handler = importlib.import_module("run_events.app").handler
        for _ in range(3):
            try:
                self.before_task("run_events", {})
                handler({"detail": {"name": name, "status": self.outcomes[name].status}}, Context())
                return
            except Killed:
                continue

    def _walk(self, machine: dict[str, Any], payload: Any) -> Any:  # noqa: C901 - a case for each state
        name, data = machine["StartAt"], payload
        while True:
            state = machine["States"][name]
            match state["Type"]:
                case "Task":
                    result = self._task(state, data)
                    data = _placed(data, result, state.get("ResultPath", "$"))
                case "Choice":
                    name = _chosen(state, data)
                    continue
                case "Map" if "ItemReader" in state:
                    self._map(state, data)
                case "Map":
                    for item in _at(data, state["ItemsPath"]) if "ItemsPath" in state else data:
                        self._walk(state["ItemProcessor"], item)
                case "Pass":
                    data = state["Parameters"]
                case "Succeed":
                    return data
                case "Fail":
                    raise ExecutionFailed(_at(data, state["ErrorPath"]), _at(data, state["CausePath"]))
            if state.get("End"):
                return data
            name = state["Next"]

    def _task(self, state: dict[str, Any], data: dict[str, Any]) -> Any:
        if state["Resource"].endswith("startExecution.sync:2"):
            called = _filled(state["Parameters"], data)
            machine = called["StateMachineArn"].removeprefix("${").removesuffix("WorkflowArn}").lower()
            try:
                self.execute(machine, called["Name"], called["Input"], True)
            except ExecutionFailed:
                assert state["Catch"][0]["ErrorEquals"] == ["States.ALL"]
            return {"status": "ended"}
        if "Parameters" in state:
            data = _filled(state["Parameters"], data)
        if state["Resource"].endswith("lambda:invoke"):
            function, data = data["FunctionName"].removeprefix("${FunctionPrefix}"), data["Payload"]
        else:
            function = _snake(state["Resource"].removeprefix("${").removesuffix("FunctionArn}"))
        tries = 1 + state["Retry"][-1]["MaxAttempts"]
        for attempt in range(1, tries + 1):
            self.tasks.append(function)
            try:
                self.before_task(function, data)
                result = importlib.import_module(f"{function}.app").handler(dict(data), Context())
                return json.loads(json.dumps(result))
            except (Killed, Exception) as error:
                if attempt == tries:
                    raise ExecutionFailed(type(error).__name__, str(error)) from error
        raise AssertionError

    def _map(self, state: dict[str, Any], data: dict[str, Any]) -> None:
        key = data["items_key"]
        try:
            body = self.services.s3.get_object(Bucket=data["bucket"], Key=key)["Body"].read()
        except Killed:  # the workflow itself reads, and it is no function that could die
            self.before_task("map", data)
            body = self.services.s3.get_object(Bucket=data["bucket"], Key=key)["Body"].read()
        for item in json.loads(body):
            selected = {
                name.removesuffix(".$"): item[path.rpartition(".")[2]] for name, path in state["ItemSelector"].items()
            }
            try:
                self._walk(state["ItemProcessor"], selected)
            except ExecutionFailed:
                assert state["ToleratedFailurePercentage"] == 100


def _filled(template: Any, data: Any) -> Any:
    """Fill the parameters of a state: `name.$` is a path, or States.Format of one path."""
    if not isinstance(template, dict):
        return template
    filled = {}
    for name, value in template.items():
        if not name.endswith(".$"):
            filled[name] = _filled(value, data)
        elif formatted := re.fullmatch(r"States\.Format\('(.*)\{\}', (.*)\)", value):
            filled[name.removesuffix(".$")] = formatted[1] + _at(data, formatted[2])
        else:
            filled[name.removesuffix(".$")] = _at(data, value)
    return filled


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _placed(data: dict[str, Any], result: Any, path: str | None) -> dict[str, Any]:
    if path is None:
        return data
    return result if path == "$" else {**data, path.removeprefix("$."): result}


def _chosen(state: dict[str, Any], data: dict[str, Any]) -> str:
    for choice in state["Choices"]:
        if _at(data, choice["Variable"]) == choice.get("StringEquals", choice.get("NumericEquals")):
            return str(choice["Next"])
    return str(state["Default"])


def _at(data: Any, path: str) -> Any:
    for part in path.removeprefix("$.").split("."):
        data = data[part]
    return data
