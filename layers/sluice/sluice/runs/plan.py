"""Planning a refresh: which datasources it ingests, each by a run of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from sluice.catalog.assignments import Assigned
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.names import now, parse_time
from sluice.domain.run import Run, execution_name
from sluice.domain.schedule import interval_seconds
from sluice.lake import object_keys
from sluice.runs.start import prepare_child
from sluice.services import WithAssignments, WithDatasets, WithDefinitions, WithLake, WithRuns


class ChildServices(WithLake, WithRuns, Protocol):
    """What `children` needs."""


class PlanServices(ChildServices, WithDefinitions, WithAssignments, WithDatasets, Protocol):
    """What `plan_ingests` needs."""


def is_stale(datasource: Datasource, checked_at: str | None) -> bool:
    """Whether a refresh must ingest a datasource again.

    Data expires after `max_age_seconds` (0: never), or else after the interval of the datasource's
    schedule. With neither, it is always stale; a cron schedule has no fixed interval.

    Args:
        datasource: the document.
        checked_at: the time of the last successful ingest; None if there was none, which is stale.
    """
    if checked_at is None:
        return True
    allowed = datasource.max_age_seconds
    if allowed == 0:
        return False
    if allowed is None and datasource.schedule is not None:
        allowed = interval_seconds(datasource.schedule)
    return allowed is None or now() - parse_time(checked_at) > timedelta(seconds=allowed)


def plan_ingests(services: PlanServices, run: Run) -> str:
    """Create the ingest runs of a refresh, and write the list of them. It is safe to repeat.

    A list that exists is used again, so a repeated step does not ingest twice. A redriven refresh has
    its own list, without the datasources whose ingest runs have succeeded.

    Returns:
        The key of the list in the lake, for the workflow's map.
    """
    key = object_keys.refresh_items(run)
    if services.lake.find_json(key) is None:
        done = _succeeded_before(services, run)
        chosen = [assigned for assigned in _ingested(services, run) if assigned.datasource not in done]
        services.lake.put_json(key, [_item(prepare_child(services, run, assigned.datasource)) for assigned in chosen])
    return services.lake.full_key(key)


def _item(child: Run) -> dict[str, Any]:
    return {
        "run_id": child.id,
        "attempt": child.attempt,
        "execution": execution_name(child),
        "datasource": child.datasource,
    }


def _ingested(services: PlanServices, run: Run) -> list[Assigned]:
    """The datasources that this refresh ingests: enabled ones with an upstream, either all or the stale ones."""
    if run.ingest == "none":
        return []
    chosen = []
    for assigned in services.assignments.of_project(run.project or ""):
        definition = services.definitions.find("datasource", assigned.datasource)
        if definition is None:
            continue
        datasource = Datasource.model_validate(definition.document)
        checked_at = services.datasets.pointer(DatasetId.of_datasource(datasource.slug)).checked_at
        if (
            datasource.ARRIVAL == "pulled"
            and datasource.enabled
            and (run.ingest == "all" or is_stale(datasource, checked_at))
        ):
            chosen.append(assigned)
    return chosen


def children(services: ChildServices, run: Run) -> list[Run]:
    """The ingest runs of all attempts of a refresh, oldest attempt first."""
    runs: list[Run] = []
    for attempt in range(1, run.attempt + 1):
        key = object_keys.refresh_items(run.model_copy(update={"attempt": attempt}))
        for item in services.lake.find_json(key) or []:
            child = services.runs.find(item["run_id"])
            if child is not None:
                runs.append(child)
    return runs


def _succeeded_before(services: ChildServices, run: Run) -> set[str]:
    """The datasources that earlier attempts of a refresh have ingested."""
    return {child.datasource or "" for child in children(services, run) if child.status == "succeeded"}
