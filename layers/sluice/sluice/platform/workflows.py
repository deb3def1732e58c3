"""Executions of the Step Functions state machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from sluice.aws import translated
from sluice.domain.run import Run, execution_input, execution_name

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True)
class ExecutionState:
    """The state of an execution.

    Args:
        status: as Step Functions names it, such as `RUNNING` or `TIMED_OUT`.
        error: the error's name, if it failed.
        cause: the error's text, if it failed.
    """

    status: str
    error: str | None = None
    cause: str | None = None


class Workflows:
    """Starts, stops and describes executions; each is named after its run and attempt.

    Args:
        prefix: the beginning of the state machines' ARNs; the name of a run type's workflow completes it.
    """

    def __init__(self, sfn: SFNClient, prefix: str) -> None:
        self._sfn = sfn
        self._prefix = prefix

    def _machine_arn(self, run: Run) -> str:
        return self._prefix + run.type.workflow

    def _execution_arn(self, run: Run) -> str:
        return self._machine_arn(run).replace(":stateMachine:", ":execution:") + f":{execution_name(run)}"

    def start(self, run: Run) -> None:
        """Start the run's current attempt; a second call changes nothing, since an execution's name is used once."""
        payload = orjson.dumps(execution_input(run)).decode()
        with translated():
            try:
                self._sfn.start_execution(
                    stateMachineArn=self._machine_arn(run), name=execution_name(run), input=payload
                )
            except self._sfn.exceptions.ExecutionAlreadyExists:
                return

    def stop(self, run: Run) -> None:
        """Stop the run's current attempt, if it is running."""
        with translated():
            try:
                self._sfn.stop_execution(executionArn=self._execution_arn(run), error="Cancelled")
            except self._sfn.exceptions.ExecutionDoesNotExist:
                return
            except self._sfn.exceptions.ValidationException:
                # An emulator refuses to stop what has ended; Step Functions leaves it as it is.
                if self.execution_state(run) in (None, ExecutionState("RUNNING")):
                    raise

    def execution_state(self, run: Run) -> ExecutionState | None:
        """The state of the run's current attempt; null if it was never started."""
        with translated():
            try:
                answer = self._sfn.describe_execution(executionArn=self._execution_arn(run))
            except self._sfn.exceptions.ExecutionDoesNotExist:
                return None
        return ExecutionState(answer["status"], answer.get("error"), answer.get("cause"))
