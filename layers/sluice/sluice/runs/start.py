"""Creating, starting, redriving and cancelling runs."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import Drop, Ingest, Run, Trigger
from sluice.errors import Conflict, NotFound, SluiceError
from sluice.lake import object_keys
from sluice.runs.queue import requeue, start_waiting
from sluice.services import WithRuns

_REFRESH_LOCK_SECONDS = 6 * 3600


def ingest_run(
    datasource: str, trigger: Trigger, by: str, *, drop: Drop | None = None, replay: int | None = None
) -> Run:
    """A new ingest run, neither stored nor started.

    Args:
        datasource: the slug.
        by: the principal that starts it; `sluice` if no principal does.
        drop: the dropped file that it ingests.
        replay: the version whose raw pages it reads again.
    """
    return Run(
        id=new_run_id(),
        kind="ingest",
        datasource=datasource,
        trigger=trigger,
        created_at=rfc3339(now()),
        created_by=by,
        drop=drop,
        replay=replay,
    )


def refresh_run(project: str, trigger: Trigger, by: str, ingest: Ingest = "stale", *, dry_run: bool = False) -> Run:
    """A new refresh of a project, neither stored nor started.

    Args:
        by: the principal that starts it; `sluice` if no principal does.
        ingest: which datasources it ingests before it merges.
        dry_run: compute everything, ingest and publish nothing.
    """
    return Run(
        id=new_run_id(),
        kind="refresh",
        project=project,
        trigger=trigger,
        created_at=rfc3339(now()),
        created_by=by,
        ingest="none" if dry_run else ingest,
        dry_run=dry_run,
    )


def single_output_run(project: str, kind: Literal["model", "report"], name: str, by: str) -> Run:
    """A new run of one model or report, neither stored nor started."""
    return Run(
        id=new_run_id(),
        kind=kind,
        project=project,
        part=name,
        trigger="api",
        created_at=rfc3339(now()),
        created_by=by,
        ingest="none",
    )


def start(services: Container, run: Run) -> Run:
    """Store a run and start its execution.

    Raises:
        Conflict: there is already a run with this id.
        SluiceError: Step Functions refused; the run is stored as failed.
    """
    services.runs.create(run)
    return _start_execution(services, run)


def _start_execution(services: Container, run: Run) -> Run:
    try:
        services.workflows.start(run)
    except SluiceError as error:
        services.runs.finish(run, status="failed", error=error.problem(), finished_at=rfc3339(now()))
        services.runs.mark_reconciled(run)
        from sluice.metrics import count_run  # imports Powertools, which `scheduled` does not need otherwise

        count_run(services.settings.stack, services.runs.get(run.id))
        raise
    return run


def start_refresh(services: Container, run: Run) -> Run:
    """Store a refresh that a client requests, and start its execution.

    Until it has ended, changes of datasources start no refresh of their own beside it, but one after it.

    Raises:
        Conflict: there is already a run with this id.
        SluiceError: Step Functions refused; the run is stored as failed.
    """
    services.runs.create(run)
    # Only now: whoever finds a lock without its run creates that run, and would create it as one for a change.
    if not run.dry_run:
        services.locks.acquire(_lock(run.belongs_to), _REFRESH_LOCK_SECONDS, run=run.id, again=False)
    return _start_execution(services, run)


def active_refresh(services: Container, project: str) -> Run | None:
    """The latest refresh that a client or a change has started and that held the project's lock; None if none did."""
    held = services.locks.read(_lock(project))
    return services.runs.find(held["run"]) if held is not None else None


def start_once(services: Container, event: str, seconds: int, run: Run) -> Run | None:
    """Start the run of an event that may be delivered several times.

    The event's lock names the run before the run exists. So a delivery that finds the lock can finish
    what an earlier one has begun that was killed or could not reach a service.

    Args:
        event: the name of the event's lock.
        seconds: how long repeated deliveries are recognized.
        run: the run to start, unless an earlier delivery has created one.

    Returns:
        The run; None if an earlier delivery has created it.
    """
    held = services.locks.acquire(event, seconds, run=run.id)
    started = ensure_started(services, run.model_copy(update={"id": held["run"]}) if held else run)
    return started if held is None else None


def ensure_started(services: Container, run: Run) -> Run:
    """Store and start a run, unless that has happened. It is safe to repeat and to call concurrently.

    Args:
        run: the run to store if there is none with its id.

    Returns:
        The run as it is stored.
    """
    stored = services.runs.find(run.id)
    if stored is None:
        with suppress(Conflict):
            services.runs.create(run)
    if stored is None or stored.status == "pending":
        services.workflows.start(stored or run)
    return stored or run


def prepare_child(services: WithRuns, parent: Run, datasource: str) -> Run:
    """Store the ingest run of one datasource of a refresh; the workflow of the refresh starts it."""
    run = Run(
        id=new_run_id(),
        kind="ingest",
        datasource=datasource,
        trigger="refresh",
        created_at=rfc3339(now()),
        created_by=parent.created_by,
        parent=parent.id,
    )
    return services.runs.create(run)


def follows_changes(project: Definition) -> bool:
    """Whether a new version of one of the project's datasources starts a refresh."""
    return bool(project.document["enabled"]) and project.document["refresh_on"] == "change"


def refresh_for_change(services: Container, project: str) -> Run | None:
    """Start a refresh for a change, or request one more after the active one.

    It ingests nothing: the change is published already. If it ingested other datasources, two projects
    that share datasources would trigger each other forever.

    Returns:
        The new refresh; None if the active one will be followed by another.
    """
    while True:
        run = refresh_run(project, "change", "sluice", "none")
        held = services.locks.acquire(_lock(project), _REFRESH_LOCK_SECONDS, run=run.id, again=False)
        if held is None:
            return ensure_started(services, run)
        holder = services.runs.find(held["run"])
        if holder is not None and holder.finished:
            services.locks.release(_lock(project), "#run = :run", {"run": holder.id})
        elif services.locks.update(_lock(project), "#run = :run", {"run": held["run"]}, again=True):
            ensure_started(services, run.model_copy(update={"id": held["run"]}))
            return None


def release_refresh(services: Container, run: Run) -> None:
    """Release the lock of a refresh that a change has started; start one more if there were changes meanwhile.

    The lock is not released while a change waits. It is handed over to the next refresh before that is
    created, so that any process that finds the lock can create a refresh that a crash has prevented.
    """
    assert run.project is not None
    lock = _lock(run.project)
    held = services.locks.read(lock)
    if held is None:
        return
    if held["run"] != run.id:
        # The lock was handed over, but the process was killed before it created the run.
        if services.runs.find(held["run"]) is None:
            following = refresh_run(run.project, "change", "sluice", "none")
            ensure_started(services, following.model_copy(update={"id": held["run"]}))
        return
    if services.locks.release(lock, "#run = :run AND #again = :no", {"run": run.id, "no": False}):
        return
    following = refresh_run(run.project, "change", "sluice", "none")
    values = {"run_before": run.id}
    if services.locks.update(lock, "#run = :run_before", values, run=following.id, again=False):
        ensure_started(services, following)


def _lock(project: str) -> str:
    return f"refresh#{project}"


def redrive(services: Container, run: Run) -> Run:
    """Begin the next attempt of a run, which continues from what earlier attempts have stored.

    Returns:
        The run in its new attempt.

    Raises:
        Conflict: the run has succeeded or is active, or belongs to a refresh that is active.
        NotFound: its datasource or project was deleted.
    """
    if services.definitions.find(run.type.belongs_to, run.belongs_to) is None:
        raise NotFound(f"The {run.type.belongs_to} of this run was deleted.")
    refresh = services.runs.find(run.parent) if run.parent else None
    if refresh is not None and not refresh.finished:
        raise Conflict(
            f"The run belongs to the refresh {refresh.id}, which is still running; wait for it or cancel it."
        )
    if run.drop is not None:
        requeue(services, run)
        start_waiting(services)
        return services.runs.get(run.id)
    reopened = services.runs.reopen(run)
    services.workflows.start(reopened)
    return reopened


def cancel(services: Container, run: Run) -> Run:
    """Cancel a run: it publishes nothing anymore, and what it has stored stays.

    Returns:
        The cancelled run.

    Raises:
        Conflict: the run has already ended.
    """
    if not services.runs.finish(run, status="cancelled", finished_at=rfc3339(now())):
        raise Conflict(f"The run {run.id} has already ended.")
    services.workflows.stop(run)
    if run.type.starts_ingests:
        cancel_algorithms(services, run)
    return services.runs.get(run.id)


def cancel_algorithms(services: Container, refresh: Run) -> None:
    """Cancel the runs of algorithms that a cancelled refresh has begun; it is safe to repeat."""
    keys = services.lake.list_keys(object_keys.algorithm_children(refresh))
    named = (services.lake.find_json(key) for key in keys)
    found = (services.runs.find(item["run"]) for item in named if item is not None)
    for child in found:
        if child is None or child.parent != refresh.id:
            continue
        if services.runs.finish(child, status="cancelled", finished_at=rfc3339(now())):
            services.workflows.stop(child)
