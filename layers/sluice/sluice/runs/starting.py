"""Starting runs: by the API, by a schedule, by a drop, and by the change of a dataset."""

from __future__ import annotations

from typing import Literal

from sluice.bootstrap import Platform
from sluice.catalog.definitions import Definition
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import Drop, Run, Trigger
from sluice.errors import Conflict, NotFound, SluiceError

Ingest = Literal["stale", "all", "none"]
_REFRESH_LOCK_SECONDS = 6 * 3600


def start_ingest(
    services: Platform,
    datasource: str,
    trigger: Trigger,
    by: str,
    *,
    drop: Drop | None = None,
    replay: int | None = None,
) -> Run:
    """Start an ingest run of a datasource."""
    run = Run(
        id=new_run_id(),
        kind="ingest",
        datasource=datasource,
        trigger=trigger,
        created_at=rfc3339(now()),
        created_by=by,
        drop=drop,
        replay=replay,
    )
    return _start(services, run)


def start_refresh(services: Platform, project: str, trigger: Trigger, by: str, ingest: Ingest = "stale") -> Run:
    """Start a refresh of a project."""
    run = Run(
        id=new_run_id(),
        kind="refresh",
        project=project,
        trigger=trigger,
        created_at=rfc3339(now()),
        created_by=by,
        ingest=ingest,
    )
    return _start(services, run)


def _start(services: Platform, run: Run) -> Run:
    services.runs.create(run)
    try:
        services.workflows.start(run)
    except SluiceError as error:
        services.runs.finish(run, status="failed", error=error.problem(), finished_at=rfc3339(now()))
        services.runs.settled(run)
        raise
    return run


def prepare_child(services: Platform, parent: Run, datasource: str) -> Run:
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


def changed(services: Platform, datasource: str, but_not: str | None = None) -> None:
    """Refresh the projects that follow a datasource's changes.

    Args:
        but_not: a project that is being refreshed just now and caused the change.
    """
    for assigned in services.assignments.of_datasource(datasource):
        if assigned.project == but_not:
            continue
        found = services.definitions.find("project", assigned.project)
        if found and follows_changes(found):
            refresh_for_change(services, assigned.project)


def follows_changes(project: Definition) -> bool:
    """Whether a new version of one of its datasources refreshes the project."""
    return bool(project.document["enabled"]) and project.document["refresh_on"] == "change"


def refresh_for_change(services: Platform, project: str) -> Run | None:
    """Start a refresh, or have the one under way followed by one more.

    It ingests nothing: the change is there already, and asking other upstreams again because
    of it would let two projects that share datasources wake each other for ever.
    """
    while True:
        run_id = new_run_id()
        held = services.locks.acquire(_lock(project), _REFRESH_LOCK_SECONDS, run=run_id, again=False)
        if held is None:
            run = Run(
                id=run_id,
                kind="refresh",
                project=project,
                trigger="change",
                created_at=rfc3339(now()),
                created_by="sluice",
                ingest="none",
            )
            return _start(services, run)
        holder = str(held.get("run"))
        if _ended(services, holder):
            services.locks.release(_lock(project), "#run = :run", {"run": holder})
        elif services.locks.change(_lock(project), "#run = :run", {"run": holder}, again=True):
            return None


def _ended(services: Platform, run_id: str) -> bool:
    run = services.runs.find(run_id)
    return run is not None and run.finished


def release_refresh(services: Platform, run: Run) -> None:
    """Let go of what a refresh for a change holds; follow up on changes that came meanwhile."""
    assert run.project is not None
    held = services.locks.read(_lock(run.project))
    if held is None or held.get("run") != run.id:
        return
    if services.locks.release(_lock(run.project), "#run = :run AND #again = :no", {"run": run.id, "no": False}):
        return
    if services.locks.release(_lock(run.project), "#run = :run", {"run": run.id}):
        refresh_for_change(services, run.project)


def _lock(project: str) -> str:
    return f"refresh#{project}"


def redrive(services: Platform, run: Run) -> Run:
    """Begin a run's next attempt: it goes on from what the earlier ones have stored.

    Raises:
        Conflict: the run has not ended in failure.
        NotFound: what it works for was deleted.
    """
    kind: Literal["datasource", "project"] = "datasource" if run.kind == "ingest" else "project"
    if services.definitions.find(kind, run.datasource or run.project or "") is None:
        raise NotFound(f"The {kind} of this run was deleted.")
    if run.parent and not run.finished:
        raise Conflict("The run belongs to a refresh that is under way.")
    again = services.runs.reopen(run)
    services.workflows.start(again)
    return again


def cancel(services: Platform, run: Run) -> Run:
    """End a run now; what it has stored stays, and nothing more is published by it.

    Raises:
        Conflict: it has ended already.
    """
    if not services.runs.finish(run, status="cancelled", finished_at=rfc3339(now())):
        raise Conflict(f"The run {run.id} has ended already.")
    services.workflows.stop(run)
    return services.runs.get(run.id)
