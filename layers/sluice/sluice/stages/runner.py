"""Running one stage of a run: each call of a stage's function is one step of a workflow.

A step returns `{"outcome": …}`, by which the workflow branches. Errors that a user must fix are outcomes,
too: not every emulator of Step Functions reports the class of an exception. Only errors that are worth a
retry are raised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger

from sluice.catalog.table import Write
from sluice.container import Container, container
from sluice.domain.names import now, rfc3339
from sluice.domain.run import TERMINAL, Run, count_requests
from sluice.errors import (
    NotFound,
    RunError,
    RunStopped,
    SluiceError,
    VersionConflict,
)
from sluice.services import WithDefinitions

logger = Logger()
# The first parameter is `Any`, since each stage has its own protocol of services; the container satisfies all.
Step = Callable[[Any, Run, dict[str, Any], Callable[[], float]], dict[str, Any]]


def run_step(step: Step, event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run one step of a run's current attempt.

    Args:
        step: the stage.
        event: `{"run_id", "attempt"}` and what the stage needs from the previous step.
        context: Lambda's context.

    Returns:
        The outcome, the run's id and attempt, and what the next step needs. The outcomes are `"done"`; `"more"`
        and `"parts"`: call the step again, after the workers; `"conflict"`: merge again; `"failed"`: the run's
        error is stored; and `"stopped"`: the run has ended or was redriven.

    Raises:
        Exception: whatever is worth a retry, such as `Unavailable`.
    """
    services = container()
    logger.append_keys(run_id=event["run_id"], attempt=event["attempt"])
    run = services.runs.get(event["run_id"])
    if run.attempt != event["attempt"] or run.status not in ("pending", "running"):
        return _stopped(run, event)
    if step.__name__ not in run.type.stages:
        raise AssertionError(f"A run of kind {run.kind} has no stage {step.__name__}.")
    try:
        require_owner(services, run)
        if run.status == "pending":
            run = services.runs.advance(run, status="running", started_at=run.started_at or rfc3339(now()))
        return {**step(services, run, event, _seconds_left(context)), "run_id": run.id, "attempt": run.attempt}
    except RunStopped:
        return _stopped(services.runs.get(run.id), event)
    except VersionConflict as conflict:
        logger.info(conflict.detail)
        return {"outcome": "conflict", "run_id": run.id, "attempt": run.attempt}
    except (RunError, NotFound) as error:
        return _failed(services, run, error)


def require_owner(services: WithDefinitions, run: Run) -> Write:
    """A write, for a commit, that requires the run's datasource or project to be the one that it was created for.

    Raises:
        NotFound: the datasource or project was deleted, even if a new one has its name.
    """
    kind, name = run.type.belongs_to, run.belongs_to
    definition = services.definitions.find(kind, name)
    if definition is None or definition.created_at > run.created_at:
        raise NotFound(f"The {kind} {name!r} of this run was deleted.")
    return services.definitions.require_same_write(definition)


def _stopped(run: Run, event: dict[str, Any]) -> dict[str, Any]:
    """The outcome of a step of an ended or redriven run: `done` for a repeated commit, otherwise `stopped`."""
    committed = run.attempt == event["attempt"] and run.status in TERMINAL - {"failed", "cancelled"}
    outcome = "done" if committed else "stopped"
    return {"outcome": outcome, "run_id": event["run_id"], "attempt": event["attempt"]}


def _failed(services: Container, run: Run, error: SluiceError) -> dict[str, Any]:
    """Store that the run has failed; the workflow fails with `error` and `cause`.

    Only the run has the details, which may quote a record: logs and histories of workflows cannot be erased.
    """
    requests = count_requests(services.pages.of_run(run.id)) if run.drop is None and run.replay is None else 0
    services.runs.finish(run, status="failed", error=error.problem(), finished_at=rfc3339(now()), requests=requests)
    logger.warning("the run has failed", extra={"error": type(error).__name__})
    return {
        "outcome": "failed",
        "run_id": run.id,
        "attempt": run.attempt,
        "error": type(error).__name__,
        "cause": f"GET /runs/{run.id} says why.",
    }


def _seconds_left(context: Any) -> Callable[[], float]:
    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    return seconds_left
