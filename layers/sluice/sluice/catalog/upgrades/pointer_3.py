"""Pointers name the failed ingest that their published version stands in for."""

from __future__ import annotations

from typing import Any

from sluice.catalog.upgrades.refusal import DowngradeError

ENTITY, VERSION, RELEASE = "pointer", 3, "0.3"
WHAT = "pointers gain the completeness `stale` and `failure`"


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Add `failure`, which is null: the next ingest that fails sets it."""
    return {"failure": None, **item}


def downgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Remove `failure`.

    Raises:
        DowngradeError: the published version is stale, which its manifest says, too.
    """
    if item.get("completeness") == "stale":
        raise DowngradeError(
            "its published version is stale, which that release does not know; refresh or promote first"
        )
    return {name: value for name, value in item.items() if name != "failure"}
