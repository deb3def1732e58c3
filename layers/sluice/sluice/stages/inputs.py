"""Inputs that several stages read."""

from __future__ import annotations

from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, Run
from sluice.lake import object_keys
from sluice.services import WithDefinitions, WithLake, WithRuns


def datasource_of(services: WithDefinitions, run: Run) -> Datasource:
    """The current document of an ingest run's datasource.

    Raises:
        NotFound: the datasource was deleted.
    """
    return Datasource.model_validate(services.definitions.get("datasource", run.datasource or "").document)


def find_fetch_index(services: WithLake, run: Run) -> FetchIndex | None:
    """The index of the pages that this attempt has fetched, or else the latest attempt that has finished fetching.

    Returns:
        The index; None if no attempt has finished fetching.
    """
    for attempt in range(run.attempt, 0, -1):
        index = services.lake.find_json(object_keys.fetch_index(run, attempt))
        if index:
            return FetchIndex.model_validate(index)
    return None


def note_stage(services: WithRuns, run: Run, stage: str) -> None:
    """Store that a run is at a stage, unless another call of the stage has.

    Raises:
        RunStopped: the run was cancelled, has ended, or a newer attempt has begun.
    """
    if run.progress is None or run.progress.stage != stage:
        services.runs.advance(run, progress={"stage": stage, "current": 0, "total": None})
