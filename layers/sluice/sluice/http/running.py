"""Runs as the API answers with them: started, waited for, seen by whom."""

from __future__ import annotations

import time
from collections.abc import Callable

from sluice.bootstrap import Platform
from sluice.domain.identity import Principal
from sluice.domain.run import Run, presented
from sluice.http.call import Answer, Call
from sluice.http.targets import run_resource
from sluice.security.policy import decide

_POLL_SECONDS = 0.15


def visible(services: Platform, principal: Principal, run: Run) -> bool:
    """Whether a principal may know of a run."""
    resource, _ = run_resource(services, principal, run)
    return decide(principal, "run.read", resource) == "allowed"


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
