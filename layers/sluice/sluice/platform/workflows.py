"""Executions of the state machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from sluice.aws import translated
from sluice.domain.run import Run, execution_name

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True)
class Outcome:
    """How an execution stands."""

    status: str
    error: str | None = None
    cause: str | None = None


class Workflows:
    """Starts, stops and asks after executions; their names derive from the run.

    Args:
        prefix: what the ARNs of the state machines begin with; the run type's workflow follows.
    """

    def __init__(self, sfn: SFNClient, prefix: str) -> None:
        self._sfn = sfn
        self._prefix = prefix

    def _machine_arn(self, run: Run) -> str:
        return self._prefix + run.type.workflow

    def _execution_arn(self, run: Run) -> str:
        return self._machine_arn(run).replace(":stateMachine:", ":execution:") + f":{execution_name(run)}"

    def start(self, run: Run) -> None:
        """Start the run's present attempt; starting it twice starts it once."""
        payload = orjson.dumps({"run_id": run.id, "attempt": run.attempt}).decode()
        with translated():
            try:
                self._sfn.start_execution(
                    stateMachineArn=self._machine_arn(run), name=execution_name(run), input=payload
                )
            except self._sfn.exceptions.ExecutionAlreadyExists:
                return

    def stop(self, run: Run) -> None:
        """Stop the run's present attempt; one that has ended, or never began, stays as it is."""
        with translated():
            try:
                self._sfn.stop_execution(executionArn=self._execution_arn(run), error="Cancelled")
            except self._sfn.exceptions.ExecutionDoesNotExist:
                return
            except self._sfn.exceptions.ValidationException:
                # An emulator refuses to stop what has ended; Step Functions leaves it as it is.
                if self.outcome(run) in (None, Outcome("RUNNING")):
                    raise

    def outcome(self, run: Run) -> Outcome | None:
        """How the run's present attempt stands; none when it never began."""
        with translated():
            try:
                answer = self._sfn.describe_execution(executionArn=self._execution_arn(run))
            except self._sfn.exceptions.ExecutionDoesNotExist:
                return None
        return Outcome(answer["status"], answer.get("error"), answer.get("cause"))
