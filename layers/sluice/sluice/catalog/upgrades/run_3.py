"""Runs name the earlier versions that stood in for failed sources, and say what they have fetched."""

from __future__ import annotations

from typing import Any

ENTITY, VERSION, RELEASE = "run", 3, "0.3"
WHAT = "runs gain the completeness `stale`, `stale`, `sources` and `summary`"


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Add the new fields, which are empty: an earlier release has not stored what stood in."""
    return {"stale": [], "sources": [], "summary": None, **item}


def downgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Remove the new fields; `unproven` is the nearest state that release 0.2 knows."""
    rest = {name: value for name, value in item.items() if name not in ("stale", "sources", "summary")}
    return {**rest, "completeness": "unproven"} if rest.get("completeness") == "stale" else rest
