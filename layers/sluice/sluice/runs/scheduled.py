"""The runs that schedules start."""

from __future__ import annotations

from typing import Any

from sluice.container import Container
from sluice.domain.run import Run
from sluice.runs.start import ingest_run, refresh_run, start_once

# Longer than the 14 days that an event can stay in the queue of undelivered events: it must find its lock.
_SEEN_SECONDS = 15 * 86400


def fire(services: Container, event: dict[str, Any], request_id: str) -> Run | None:
    """Start the run of a datasource's or project's schedule, once for each firing.

    Args:
        event: `{"kind", "slug", "execution"}`, as the schedule sends it.
        request_id: identifies the firing if `execution` does not.

    Returns:
        The run; None if an earlier delivery has started it, or if the datasource or project was deleted,
        is disabled, or no longer has a schedule.
    """
    kind, slug = event["kind"], event["slug"]
    definition = services.definitions.find(kind, slug)
    if definition is None or not definition.document["enabled"] or definition.document["schedule"] is None:
        return None
    # An emulator may not replace the placeholder `<aws.scheduler.execution-id>`.
    execution = event.get("execution", "<")
    firing = request_id if execution.startswith("<") else execution
    run = ingest_run(slug, "schedule", "sluice") if kind == "datasource" else refresh_run(slug, "schedule", "sluice")
    return start_once(services, f"schedule#{kind}#{slug}#{firing}", _SEEN_SECONDS, run)
