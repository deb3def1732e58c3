"""Starting runs: by the API, by a schedule, by a drop, and by the change of a dataset."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import Drop, Run, Trigger
from sluice.errors import Conflict, NotFound, SluiceError
from sluice.runs.queue import requeue, start_waiting
from sluice.services import WithRuns

Ingest = Literal["stale", "all", "none"]
_REFRESH_LOCK_SECONDS = 6 * 3600


def ingest_run(
    datasource: str, trigger: Trigger, by: str, *, drop: Drop | None = None, replay: int | None = None
) -> Run:
    """An ingest run of a datasource, not started yet."""
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
    """A refresh of a project, not started yet."""
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
    """A run of one model or report alone, not started yet."""
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
    """Store a run and start it."""
    services.runs.create(run)
    try:
        services.workflows.start(run)
    except SluiceError as error:
        services.runs.finish(run, status="failed", error=error.problem(), finished_at=rfc3339(now()))
        services.runs.mark_reconciled(run)
        from sluice.metrics import count_run  # the function `scheduled` needs Powertools for nothing else

        count_run(services.settings.stack, services.runs.get(run.id))
        raise
    return run


def start_once(services: Container, event: str, seconds: int, run: Run) -> Run | None:
    """Start the run of an event that may be delivered several times.

    The event's lock names the run before the run exists, so that a delivery which finds the
    lock can finish what one that was killed, or could not reach a service, has begun.

    Returns:
        The run; none when an earlier delivery has started it.
    """
    held = services.locks.acquire(event, seconds, run=run.id)
    started = ensure_started(services, run.model_copy(update={"id": held["run"]}) if held else run)
    return started if held is None else None


def ensure_started(services: Container, run: Run) -> Run:
    """Start a run whose id is settled; whoever comes second changes nothing."""
    stored = services.runs.find(run.id)
    if stored is None:
        with suppress(Conflict):
            services.runs.create(run)
    if stored is None or stored.status == "pending":
        services.workflows.start(stored or run)
    return stored or run


def prepare_child(services: WithRuns, parent: Run, datasource: str) -> Run:
    """Store the ingest run of one datasource of a refresh; the refresh's workflow starts it."""
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
    """Whether a new version of one of its datasources refreshes the project."""
    return bool(project.document["enabled"]) and project.document["refresh_on"] == "change"


def refresh_for_change(services: Container, project: str) -> Run | None:
    """Start a refresh, or have the one under way followed by one more.

    It ingests nothing: the change is there already, and asking other upstreams again because
    of it would let two projects that share datasources wake each other for ever.
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
    """Let go of what a refresh for a change holds; follow up on changes that came meanwhile.

    The lock is never let go while a change waits: it is handed to the next refresh, and only
    then is that one made, so that whoever finds the lock can make good what a crash left.
    """
    assert run.project is not None
    lock = _lock(run.project)
    held = services.locks.read(lock)
    if held is None:
        return
    if held["run"] != run.id:
        if services.runs.find(held["run"]) is None:
            following = refresh_run(run.project, "change", "sluice", "none")
            ensure_started(services, following.model_copy(update={"id": held["run"]}))
        return
    if services.locks.release(lock, "#run = :run AND #again = :no", {"run": run.id, "no": False}):
        return
    following = refresh_run(run.project, "change", "sluice", "none")
    mine = {"run_before": run.id}
    if services.locks.update(lock, "#run = :run_before", mine, run=following.id, again=False):
        ensure_started(services, following)


def _lock(project: str) -> str:
    return f"refresh#{project}"


def redrive(services: Container, run: Run) -> Run:
    """Begin a run's next attempt: it goes on from what the earlier ones have stored.

    Raises:
        Conflict: the run has not ended in failure.
        NotFound: what it works for was deleted.
    """
    if services.definitions.find(run.type.belongs_to, run.belongs_to) is None:
        raise NotFound(f"The {run.type.belongs_to} of this run was deleted.")
    if run.parent and not run.finished:
        raise Conflict("The run belongs to a refresh that is under way.")
    if run.drop is not None:
        requeue(services, run)
        start_waiting(services)
        return services.runs.get(run.id)
    again = services.runs.reopen(run)
    services.workflows.start(again)
    return again


def cancel(services: Container, run: Run) -> Run:
    """End a run now; what it has stored stays, and nothing more is published by it.

    Raises:
        Conflict: it has ended already.
    """
    if not services.runs.finish(run, status="cancelled", finished_at=rfc3339(now())):
        raise Conflict(f"The run {run.id} has ended already.")
    services.workflows.stop(run)
    return services.runs.get(run.id)
