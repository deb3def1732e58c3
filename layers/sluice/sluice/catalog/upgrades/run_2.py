"""Runs get a timeline."""

from __future__ import annotations

from typing import Any

ENTITY, VERSION, RELEASE = "run", 2, "0.2"
WHAT = "runs gain a timeline"


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Add a timeline with the times that the run has stored."""
    times = [("created_at", "created", 1), ("started_at", "started", 1)]
    timeline = item.get("timeline", [])  # of a run that was active while the release was deployed
    times += [] if timeline else [("finished_at", item["status"], item["attempt"])]
    events = [
        {"time": item[name], "event": event, "attempt": attempt, "detail": {}}
        for name, event, attempt in times
        if item.get(name) and event not in {entry["event"] for entry in timeline}
    ]
    return {**item, "timeline": [*events, *timeline]}


def downgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Remove the timeline."""
    return {name: value for name, value in item.items() if name != "timeline"}
