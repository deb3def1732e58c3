"""Refreshes that reads start, because the data is older than an endpoint promises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sluice.container import Container
from sluice.domain.names import now, parse_time
from sluice.domain.run import Run
from sluice.reads.endpoints.freshness import Freshness
from sluice.runs.start import active_refresh, ensure_started, refresh_run

# Longer than a refresh takes. A lock that outlives its refresh does no harm: it names the run, which has ended.
_LOCK_SECONDS = 24 * 3600
# However little age an endpoint promises, readers do not send requests to a failing upstream more often than that.
_LEAST_PAUSE_SECONDS = 30


def shared_refresh(services: Container, project: str, by: str, freshness: Callable[[], Freshness]) -> Run:
    """The refresh that all readers of a project wait for: one that a client has just requested, or their own.

    Their own is started by the first of them.

    The lock names the run before the run exists. So if a reader is killed between the two, the next one starts
    the run, and no reader leaves a lock that others must wait for.

    Args:
        project: the slug.
        by: the principal that starts it.
        freshness: reads the freshness of the data from the catalog.

    Returns:
        The refresh. It has ended if it has refreshed the data since `freshness` was read last, or if it failed so
        recently that no other is started: within `ENDPOINT_RETRY_SECONDS`, or a shorter promised age of at least
        30 seconds.

    Raises:
        SluiceError: Step Functions refused; the next reader tries again.
    """
    running = _full_refresh(services, project)
    if running is not None:
        return running
    lock = f"read-refresh#{project}"
    while True:
        run = refresh_run(project, "read", by, "expiring")
        held = services.locks.acquire(lock, _LOCK_SECONDS, run=run.id)
        if held is None:
            return ensure_started(services, run)
        last = services.runs.find(held["run"])
        if last is None or not last.finished:
            return ensure_started(services, run.model_copy(update={"id": held["run"]}))
        if not _needs_another(last, freshness(), services.settings.endpoint_retry_seconds):
            return last
        if services.locks.extend(lock, _LOCK_SECONDS, "#run = :last", {"last": last.id}, run=run.id):
            return ensure_started(services, run)


def _full_refresh(services: Container, project: str) -> Run | None:
    """The active refresh that a client has requested, if it fetches all datasources and may end within the wait."""
    run = active_refresh(services, project)
    if run is None or run.finished or run.ingest != "all":
        return None
    wait = timedelta(seconds=services.settings.endpoint_wait_seconds)
    return run if now() - parse_time(run.created_at) < wait else None


def _needs_another(last: Run, freshness: Freshness, retry_seconds: int) -> bool:
    """Whether another refresh must be started after the last one, which has ended."""
    if not freshness.older_than_promised:
        return False
    created_at = parse_time(last.created_at)
    if freshness.refreshed_at is not None and parse_time(freshness.refreshed_at) >= created_at:
        return True  # it succeeded, and its data has become too old meanwhile
    pause = timedelta(seconds=min(retry_seconds, max(freshness.max_age_seconds, _LEAST_PAUSE_SECONDS)))
    return now() - parse_time(last.finished_at or last.created_at) > pause
