"""Runs as the API answers with them: started, waited for, seen by whom."""

from __future__ import annotations

import time
from collections.abc import Callable

from sluice.access.policy import decide
from sluice.api.call import Answer, Call
from sluice.api.targets import run_resource
from sluice.container import Container
from sluice.domain.identity import Principal
from sluice.domain.names import new_run_id
from sluice.domain.run import Run, run_view

_POLL_SECONDS = 0.15
_WAITING = "waiting-calls"
_MARGIN_SECONDS = 5


def visible(services: Container, principal: Principal, run: Run) -> bool:
    """Whether a principal may know of a run."""
    resource, _ = run_resource(services, principal, run)
    return decide(principal, "run.read", resource) == "allowed"


def started(call: Call, services: Container, start: Callable[[], Run]) -> Answer:
    """Start a run; 202 with it, or 200 when it ends within what `Prefer: wait` grants."""
    seconds = call.wait_seconds()
    run, waited = awaited(services, start(), seconds)
    headers = {"Location": call.link(f"/runs/{run.id}")}
    if waited:
        headers["Preference-Applied"] = f"wait={seconds}"
    return Answer(run_view(run), 200 if run.finished and seconds else 202, headers)


def awaited(services: Container, run: Run, seconds: float) -> tuple[Run, bool]:
    """Wait for the end of a run, unless too many calls wait already: each keeps a function busy.

    Returns:
        The run when it has ended, or as it stands after so many seconds; and whether it was waited for.
    """
    if run.finished or seconds <= 0:
        return run, seconds > 0
    holder = _take_slot(services, seconds)
    if holder is None:
        return run, False
    try:
        deadline = time.monotonic() + seconds
        while not run.finished and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            run = services.runs.get(run.id)
        return run, True
    finally:
        services.slots.free(_WAITING, holder)


def _take_slot(services: Container, seconds: float) -> str | None:
    """Take a slot for a call that waits; none when all are taken.

    A holder's name begins with the second in which its wait is over at the latest, so that the
    slot of a call that was killed can be taken away.
    """
    most = services.settings.max_waiting_calls
    holder = f"{int(time.time() + seconds) + _MARGIN_SECONDS:011d}#{new_run_id()}"
    if services.slots.take(_WAITING, holder, most):
        return holder
    present = f"{int(time.time()):011d}"
    gone = [other for other in services.slots.holders(_WAITING) if other < present]
    services.slots.free(_WAITING, *gone)
    return holder if gone and services.slots.take(_WAITING, holder, most) else None
