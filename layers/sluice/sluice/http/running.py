"""Runs as the API answers with them: started, waited for, seen by whom."""

from __future__ import annotations

import time
from collections.abc import Callable

from sluice.bootstrap import Platform
from sluice.domain.identity import Principal
from sluice.domain.run import Run, presented
from sluice.errors import NotFound
from sluice.http.call import Answer, Call
from sluice.http.resources import sees_datasource, sees_project
from sluice.runs.settling import current

_POLL_SECONDS = 0.15


def visible(services: Platform, principal: Principal, run: Run) -> bool:
    """Whether a principal may know of a run: of what it works for, that is.

    A run of a definition that was deleted is an admin's to see; it is nothing of the one that
    has the same name now.
    """
    if run.kind == "ingest":
        found = services.definitions.find("datasource", run.datasource or "")
        sees = sees_datasource
    else:
        found = services.definitions.find("project", run.project or "")
        sees = sees_project
    if found is None or run.created_at < found.created_at:
        return principal.role == "admin"
    return sees(services, principal, found)


def load_run(call: Call, services: Platform, run_id: str) -> Run:
    """The run, if the caller may know of it.

    Raises:
        NotFound: there is none that the caller sees.
    """
    run = services.runs.get(run_id)
    if not visible(services, call.principal, run):
        raise NotFound(f"There is no run {run_id!r}.")
    return current(services, run)


def started(call: Call, services: Platform, start: Callable[[], Run]) -> Answer:
    """Start a run; 202 with it, or 200 when it ends within what `Prefer: wait` grants."""
    seconds = call.wait_seconds()
    run = awaited(services, start(), seconds)
    headers = {"Location": call.link(f"/runs/{run.id}")}
    if seconds:
        headers["Preference-Applied"] = f"wait={seconds}"
    return Answer(presented(run), 200 if run.finished and seconds else 202, headers)


def awaited(services: Platform, run: Run, seconds: float) -> Run:
    """The run when it has ended, or as it stands after so many seconds."""
    deadline = time.monotonic() + seconds
    while not run.finished and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        run = services.runs.get(run.id)
    return run
