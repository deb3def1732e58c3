"""What a schedule does when it fires."""

from __future__ import annotations

from typing import Any

from sluice.container import Container
from sluice.domain.run import Run
from sluice.runs.start import ingest_run, refresh_run, start_once

# Longer than an event can wait in the queue of undelivered ones, 14 days.
_SEEN_SECONDS = 15 * 86400


def fire(services: Container, event: dict[str, Any], request_id: str) -> Run | None:
    """Start the run of a datasource's or project's schedule, once for each firing.

    Args:
        event: `{"kind", "slug", "execution"}`; an emulator may leave the placeholder of the
            execution's id in place, then the request's id tells a repeated delivery.

    Returns:
        The run; none when the firing was seen before, or its definition is gone, paused, or
        has no schedule any more.
    """
    kind, slug = event["kind"], event["slug"]
    found = services.definitions.find(kind, slug)
    if found is None or not found.document["enabled"] or found.document["schedule"] is None:
        return None
    execution = event.get("execution", "<")
    firing = request_id if execution.startswith("<") else execution
    run = ingest_run(slug, "schedule", "sluice") if kind == "datasource" else refresh_run(slug, "schedule", "sluice")
    return start_once(services, f"schedule#{kind}#{slug}#{firing}", _SEEN_SECONDS, run)
