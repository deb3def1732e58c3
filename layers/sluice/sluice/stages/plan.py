"""The stage `plan`: which datasources a refresh ingests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sluice.domain.run import Run
from sluice.services import WithAssignments, WithDatasets, WithDefinitions, WithLake, WithRuns


class Services(WithDefinitions, WithAssignments, WithDatasets, WithLake, WithRuns, Protocol):
    """What the stage needs."""


def plan(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Decide which datasources a refresh ingests.

    Returns:
        `{"outcome", "bucket", "items_key", "ingests"}`: where the items of the workflow's map are, and
        how many ingest runs the refresh has, those of earlier attempts included.
    """
    from sluice.runs.plan import children, plan_ingests

    services.runs.advance(run, progress={"stage": "ingest", "current": 0, "total": None})
    items_key = plan_ingests(services, run)
    ingests = len(children(services, run))
    return {"outcome": "done", "bucket": services.lake.bucket, "items_key": items_key, "ingests": ingests}
