"""Planning a refresh: which datasources are asked again, each by an ingest run of its own."""

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
    """What finding the ingest runs of a refresh needs."""


class PlanServices(ChildServices, WithDefinitions, WithAssignments, WithDatasets, Protocol):
    """What planning a refresh needs."""


def is_stale(datasource: Datasource, checked_at: str | None) -> bool:
    """Whether a datasource's data is older than it may be.

    Never ingested is stale. Else the age may be `max_age_seconds`, or the interval of its
    schedule; with neither (a cron schedule has no one interval) it is always stale. With
    `max_age_seconds` 0 the data never expires: it is ingested once, then only when asked for.
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
    """Write the refresh's items: one ingest run for each datasource to be asked.

    A plan that was written already stands, so that a repeated step does not ask twice; a
    redrive plans anew, and keeps the ingest runs that have succeeded.

    Returns:
        The key of the items in the lake, for the workflow's map.
    """
    key = object_keys.refresh_items(run)
    if services.lake.find_json(key) is None:
        done = _succeeded_before(services, run)
        chosen = [assigned for assigned in _pulled(services, run) if assigned.datasource not in done]
        services.lake.put_json(key, [_item(prepare_child(services, run, one.datasource)) for one in chosen])
    return services.lake.full_key(key)


def _item(child: Run) -> dict[str, Any]:
    return {
        "run_id": child.id,
        "attempt": child.attempt,
        "execution": execution_name(child),
        "datasource": child.datasource,
    }


def _pulled(services: PlanServices, run: Run) -> list[Assigned]:
    """The datasources that this refresh asks: pulled ones that are enabled, all or the stale."""
    if run.ingest == "none":
        return []
    chosen = []
    for assigned in services.assignments.of_project(run.project or ""):
        found = services.definitions.find("datasource", assigned.datasource)
        if found is None:
            continue
        datasource = Datasource.model_validate(found.document)
        checked_at = services.datasets.pointer(DatasetId.of_datasource(datasource.slug)).checked_at
        if (
            datasource.ARRIVAL == "pulled"
            and datasource.enabled
            and (run.ingest == "all" or is_stale(datasource, checked_at))
        ):
            chosen.append(assigned)
    return chosen


def children(services: ChildServices, run: Run) -> list[Run]:
    """The ingest runs of a refresh, of all its attempts."""
    found: list[Run] = []
    for attempt in range(1, run.attempt + 1):
        key = object_keys.refresh_items(run.model_copy(update={"attempt": attempt}))
        for item in services.lake.find_json(key) or []:
            child = services.runs.find(item["run_id"])
            if child is not None:
                found.append(child)
    return found


def _succeeded_before(services: ChildServices, run: Run) -> set[str]:
    return {child.datasource or "" for child in children(services, run) if child.status == "succeeded"}
