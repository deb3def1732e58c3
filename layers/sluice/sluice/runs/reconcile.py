"""Reconciling runs: their final status if no stage could set it, and what their end causes."""

from __future__ import annotations

import time
from contextlib import suppress

import orjson
from aws_lambda_powertools import Logger

from sluice.container import Container
from sluice.domain.datasource import Datasource
from sluice.domain.names import now, rfc3339
from sluice.domain.redact import redact
from sluice.domain.run import Run
from sluice.domain.stale_input import IngestFailure
from sluice.errors import PROBLEM_TYPE_PREFIX, NotFound, RunStopped, all_errors
from sluice.metrics import count_run
from sluice.runs.drops import receive_missed, reject_drop
from sluice.runs.plan import children
from sluice.runs.pushes import release_drain
from sluice.runs.queue import free_orphaned_slots, release_slot, start_waiting
from sluice.runs.start import cancel_algorithms, follows_changes, redrive, refresh_for_change, release_refresh

_GRACE_SECONDS = 60
# Our own, and botocore's for what a service has answered.
_SHOWN_ERRORS = frozenset(kind.__name__ for kind in all_errors()) | {"ClientError"}
logger = Logger()


def reconcile(services: Container, run: Run) -> Run:
    """End a run whose execution has ended, and do what its end causes.

    It is safe at any time and safe to repeat, since events may be lost or delivered twice.

    Returns:
        The run afterwards.
    """
    if not run.finished and not run.waits:
        run = _reconcile_status(services, run)
    if run.finished and run.active is not None:
        _finish_up(services, run)
        if services.runs.mark_reconciled(run):
            count_run(services.settings.stack, run)
    if run.finished and run.drop is not None:
        start_waiting(services)
    return run


def reconcile_execution(services: Container, name: str) -> tuple[str, Run | None]:
    """Reconcile the run whose execution has ended, unless another attempt of it has begun.

    Args:
        name: the execution's name, `{run}-{attempt}`.

    Returns:
        The run's id, and the run afterwards; None if there is none.
    """
    run_id, _, attempt = name.rpartition("-")
    run = services.runs.find(run_id)
    # The event of an earlier attempt says nothing about the current one.
    if run is not None and str(run.attempt) == attempt:
        run = reconcile(services, run)
    return run_id, run


def _reconcile_status(services: Container, run: Run) -> Run:
    """Compare an unfinished run with its execution: start a lost one, or set the status of an ended one."""
    outcome = services.workflows.execution_state(run)
    if outcome is None:
        if run.parent is None:
            services.workflows.start(run)  # the process was killed after storing the run
        elif _parent_ended(services, run):
            _fail(services, run, "The refresh of this run ended before the run began.")
    elif outcome.status != "RUNNING":
        cause = _execution_error(outcome.error, outcome.cause)
        _fail(services, run, f"The run ended before its result was committed: {cause}. Redrive it.")
    return services.runs.get(run.id)


def _fail(services: Container, run: Run, detail: str) -> None:
    services.runs.finish(run, status="failed", finished_at=rfc3339(now()), error=RunStopped(detail).problem())


def _parent_ended(services: Container, run: Run) -> bool:
    parent = services.runs.find(run.parent or "")
    return parent is None or parent.finished


def _execution_error(error: str | None, cause: str | None) -> str:
    """The error and cause that Step Functions reports, in one line without a function's stack trace or secrets.

    Of an exception that is neither Sluice's nor an AWS service's, only the class is shown: the message may quote
    what the code was working on, such as a secret.
    """
    with suppress(orjson.JSONDecodeError, KeyError, TypeError):
        cause = orjson.loads(cause or "")["errorMessage"]
    # The names of services' errors have a dot: States.Timeout, Lambda.Unknown, Runtime.ExitError.
    if error is not None and "." not in error and error not in _SHOWN_ERRORS:
        cause = None
    message = ": ".join(part for part in (error, cause) if part) or "it was stopped"
    return redact(message.split("\n")[0])[:300].rstrip(".")


def _finish_up(services: Container, run: Run) -> None:
    if run.type.starts_ingests:
        for child in children(services, run):
            if not child.finished and run.status == "cancelled":
                services.runs.finish(child, status="cancelled", finished_at=rfc3339(now()))
                services.workflows.stop(child)
            reconcile(services, services.runs.get(child.id))
        if run.status == "cancelled":
            cancel_algorithms(services, run)
        release_refresh(services, run)
        _merge_what_was_published(services, run)
    elif run.type.belongs_to == "datasource":
        _finish_up_ingest(services, run)


def _merge_what_was_published(services: Container, run: Run) -> None:
    """Refresh a project again whose refresh ended before it merged what its ingest runs have published.

    Nobody else would: the followers of these versions leave them to the refresh that made them.
    """
    merged = any(event.event == "merge" and event.attempt == run.attempt for event in run.timeline)
    if merged or run.status not in ("failed", "cancelled"):
        return
    if all(child.version is None for child in children(services, run)):
        return
    project = services.definitions.find("project", run.belongs_to)
    if project is not None and follows_changes(project):
        refresh_for_change(services, project.name)


def _finish_up_ingest(services: Container, run: Run) -> None:
    if run.drop is not None:
        release_slot(services, run)
    if run.trigger in ("drop", "push") and _was_lost(services, run):
        with suppress(NotFound):
            redrive(services, run)
            return
    if run.trigger == "push":
        release_drain(services, run)
    if run.status == "failed" and run.drop is not None:
        reject_drop(services, run)
    if run.status == "failed" and run.replay is None:
        _note_failed_fetch(services, run)


def _note_failed_fetch(services: Container, run: Run) -> None:
    """Note at the datasource that its data could not be fetched, so that merges until the next success say so.

    A file or push that cannot be read says nothing about the data that arrived before it.
    """
    definition = services.definitions.find("datasource", run.belongs_to)
    if definition is None or definition.created_at > run.created_at:
        return
    if Datasource.model_validate(definition.document).ARRIVAL == "pulled":
        error = (run.error or {}).get("detail") or f"its run {run.id} has failed"
        failure = IngestFailure(run=run.id, at=run.finished_at or rfc3339(now()), error=error)
        services.datasets.note_failure(run.owner, failure, run.created_at)


def _was_lost(services: Container, run: Run) -> bool:
    """Whether a run failed because its execution was lost, and has attempts left.

    Runs of pushes and drops are then redriven automatically: their sender has got a success and will not
    look at the run.
    """
    lost = run.status == "failed" and (run.error or {}).get("type") == PROBLEM_TYPE_PREFIX + RunStopped.code
    return lost and run.attempt < services.settings.lost_run_attempts


def reconcile_children(services: Container, run: Run) -> None:
    """Reconcile the ingest runs of a refresh, before it merges what they have published.

    A run whose function or execution was killed has no final status until it is reconciled.
    """
    for child in children(services, run):
        try:
            reconcile(services, child)
        except Exception:  # the merge then says that this one is missing, and has the others
            logger.exception("cannot reconcile", extra={"run_id": child.id})


def reconcile_if_silent(services: Container, run: Run) -> Run:
    """Reconcile a run whose lease has expired: its stages have reported nothing for that long.

    Returns:
        The run afterwards.
    """
    silent = not run.finished and not run.waits and run.lease_until < time.time()
    return reconcile(services, run) if silent else run


def sweep(services: Container, grace_seconds: float = _GRACE_SECONDS) -> int:
    """Repair what lost events have left: reconcile runs, queue runs for dropped files, start waiting runs.

    Args:
        grace_seconds: ignore runs that have reported within this time, and files that are younger.

    Returns:
        The number of runs that are still active or wait.
    """
    under_way = 0
    for listed in services.runs.active():
        if listed.waits:
            under_way += 1
            continue
        run = services.runs.get(listed.id)  # the index may lag behind
        reported_at = run.lease_until - services.settings.lease_seconds
        try:
            if reported_at + grace_seconds > time.time() or not reconcile(services, run).finished:
                under_way += 1
        except Exception:  # one run that cannot be reconciled must not stop the sweep
            logger.exception("cannot reconcile a run", extra={"run_id": run.id})
            under_way += 1
    free_orphaned_slots(services)
    start_waiting(services)
    under_way += receive_missed(services, grace_seconds)
    start_waiting(services)
    return under_way
