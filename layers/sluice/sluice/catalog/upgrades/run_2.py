"""Runs keep a timeline."""

from __future__ import annotations

from typing import Any

ENTITY, VERSION, RELEASE = "run", 2, "0.2"
WHAT = "runs gain a timeline"


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """The run's item with the moments that it has kept so far."""
    known = [("created_at", "created", 1), ("started_at", "started", 1)]
    since = item.get("timeline", [])  # of a run that was under way when the release changed
    known += [] if since else [("finished_at", item["status"], item["attempt"])]
    events = [
        {"time": item[name], "event": event, "attempt": attempt, "detail": {}}
        for name, event, attempt in known
        if item.get(name) and event not in {one["event"] for one in since}
    ]
    return {**item, "timeline": [*events, *since]}


def downgrade(item: dict[str, Any]) -> dict[str, Any]:
    """The run's item without its timeline."""
    return {name: value for name, value in item.items() if name != "timeline"}
