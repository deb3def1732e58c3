"""What several stages read of a run."""

from __future__ import annotations

from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, Run
from sluice.lake import object_keys
from sluice.services import WithDefinitions, WithLake


def datasource_of(services: WithDefinitions, run: Run) -> Datasource:
    """The datasource of an ingest run, as it is now."""
    return Datasource.model_validate(services.definitions.get("datasource", run.datasource or "").document)


def find_fetch_index(services: WithLake, run: Run) -> FetchIndex | None:
    """What was fetched by this attempt, or by the latest one before it that ended fetching."""
    for attempt in range(run.attempt, 0, -1):
        found = services.lake.find_json(object_keys.fetch_index(run, attempt))
        if found:
            return FetchIndex.model_validate(found)
    return None
