"""Calls one stage of a run: each call of a stage's function is one step of a workflow.

A step answers `{"outcome": …}`, on which the workflow decides: errors that a user must mend are
outcomes too, since not every engine tells a workflow the class of an exception. Only what is
worth trying again is raised.
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
# Each stage takes a protocol of its own of what it needs; the container has it all.
Step = Callable[[Any, Run, dict[str, Any], Callable[[], float]], dict[str, Any]]


def run_step(step: Step, event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do one step of a run's attempt.

    Args:
        event: `{"run_id", "attempt"}` and what the step before answered.

    Returns:
        `{"outcome": "done"}` with what the next step needs, `"more"` to be called again,
        `"conflict"` to merge again, `"failed"` with the run's error stored, or `"stopped"`.
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
    """The condition, for a commit, that what a run works for is what it was made for.

    Raises:
        NotFound: it was deleted, even if another one has its name now.
    """
    kind, name = run.type.belongs_to, run.belongs_to
    found = services.definitions.find(kind, name)
    if found is None or found.created_at > run.created_at:
        raise NotFound(f"The {kind} {name!r} of this run was deleted.")
    return services.definitions.require_same_write(found)


def _stopped(run: Run, event: dict[str, Any]) -> dict[str, Any]:
    """A step of a run that has ended: a repeated commit is fine, anything else stops here."""
    committed = run.attempt == event["attempt"] and run.status in TERMINAL - {"failed", "cancelled"}
    outcome = "done" if committed else "stopped"
    return {"outcome": outcome, "run_id": event["run_id"], "attempt": event["attempt"]}


def _failed(services: Container, run: Run, error: SluiceError) -> dict[str, Any]:
    asked = count_requests(services.pages.of_run(run.id)) if run.drop is None and run.replay is None else 0
    services.runs.finish(run, status="failed", error=error.problem(), finished_at=rfc3339(now()), requests=asked)
    logger.warning(error.detail)
    return {
        "outcome": "failed",
        "run_id": run.id,
        "attempt": run.attempt,
        "error": type(error).__name__,
        "cause": error.detail[:1000],
    }


def _seconds_left(context: Any) -> Callable[[], float]:
    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    return seconds_left
