"""The stage `plan`: which datasources a refresh ingests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.bootstrap import Platform
from sluice.domain.run import Run


def plan(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Decide which datasources a refresh ingests."""
    from sluice.runs import planning

    services.runs.advance(run, progress={"stage": "ingest", "current": 0, "total": None})
    return {"outcome": "done", "bucket": services.lake.bucket, "items_key": planning.plan(services, run)}
