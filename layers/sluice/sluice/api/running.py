"""Runs in the API: who sees them, and answers that start a run and wait for it."""

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
from sluice.errors import NotFound

# The run is polled, since neither DynamoDB nor Step Functions can notify a waiting function.
_POLL_SECONDS = 0.15
_WAITING = "waiting-calls"
# How long after its wait a call may still need to free its slot.
_MARGIN_SECONDS = 5


def is_run_visible(services: Container, principal: Principal, run: Run) -> bool:
    """Whether a principal may know that a run exists."""
    resource, _ = run_resource(services, principal, run)
    return decide(principal, "run.read", resource) == "allowed"


def readable_run(services: Container, principal: Principal, run_id: str) -> Run:
    """A run that a principal may read.

    Raises:
        NotFound: there is none, or the principal must not know of it.
    """
    run = services.runs.find(run_id)
    if run is None or not is_run_visible(services, principal, run):
        raise NotFound(f"There is no run {run_id!r}.")
    return run


def start_answer(call: Call, services: Container, start: Callable[[], Run]) -> Answer:
    """Start a run and, with `Prefer: wait`, wait for its end.

    Args:
        start: starts the run.

    Returns:
        200 with the run if it ends within the wait, else 202.
    """
    seconds = call.wait_seconds()
    run, waited = wait_for_run(services, start(), seconds)
    headers = {"Location": call.url(f"/runs/{run.id}")}
    if waited:
        headers["Preference-Applied"] = f"wait={seconds}"
    return Answer(run_view(run), 200 if run.finished and seconds else 202, headers)


def wait_for_run(services: Container, run: Run, seconds: float, most: int | None = None) -> tuple[Run, bool]:
    """Wait for the end of a run, unless too many calls are waiting already.

    Each waiting call occupies a concurrent execution of Lambda, which the run's own stages need too.

    Args:
        seconds: the longest wait.
        most: how many calls may wait, this one included; None: `MAX_WAITING_CALLS`.

    Returns:
        The run as it stands afterwards, and whether this call waited.
    """
    if run.finished or seconds <= 0:
        return run, seconds > 0
    holder = _take_slot(services, seconds, services.settings.max_waiting_calls if most is None else most)
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


def _take_slot(services: Container, seconds: float, slots: int) -> str | None:
    """Take a slot for a waiting call; null when none is free.

    A holder's name begins with the Unix time at which its wait ends at the latest. So the slot of a
    call that was killed can be recognised and freed.
    """
    holder = f"{int(time.time() + seconds) + _MARGIN_SECONDS:011d}#{new_run_id()}"
    if services.slots.take(_WAITING, holder, slots):
        return holder
    current_second = f"{int(time.time()):011d}"
    expired = [name for name in services.slots.holders(_WAITING) if name < current_second]
    services.slots.free(_WAITING, *expired)
    return holder if expired and services.slots.take(_WAITING, holder, slots) else None
