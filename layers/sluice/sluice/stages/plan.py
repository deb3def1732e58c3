"""The stage `plan`: choosing the datasources that a refresh ingests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sluice.domain.run import Run
from sluice.services import WithAssignments, WithDatasets, WithDefinitions, WithLake, WithRuns


class Services(WithDefinitions, WithAssignments, WithDatasets, WithLake, WithRuns, Protocol):
    """What the stage needs."""


def plan(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Create the ingest runs of a refresh.

    Returns:
        `{"outcome", "bucket", "items_key", "ingests"}`: the object with the items of the workflow's map, and
        the number of ingest runs of all attempts.
    """
    from sluice.runs.plan import children, plan_ingests

    run = services.runs.advance(run, progress={"stage": "ingest", "current": 0, "total": None})
    items_key, sources = plan_ingests(services, run)
    services.runs.advance(run, sources=[source.model_dump() for source in sources])
    ingests = len(children(services, run))
    return {"outcome": "done", "bucket": services.lake.bucket, "items_key": items_key, "ingests": ingests}
