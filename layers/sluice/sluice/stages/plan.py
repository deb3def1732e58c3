"""The stage `plan`: which datasources a refresh ingests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.container import Container
from sluice.domain.run import Run


def plan(services: Container, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Decide which datasources a refresh ingests."""
    from sluice.runs import plan

    services.runs.advance(run, progress={"stage": "ingest", "current": 0, "total": None})
    return {"outcome": "done", "bucket": services.lake.bucket, "items_key": plan.plan(services, run)}
