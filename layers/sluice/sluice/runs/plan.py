"""Planning a refresh: which datasources it ingests, each by a run of its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Protocol

from sluice.catalog.assignments import Assigned
from sluice.domain.dataset import Pointer
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.names import now, parse_time, rfc3339
from sluice.domain.run import Run, execution_name
from sluice.domain.schedule import interval_seconds
from sluice.domain.source_use import Outcome, SourceUse
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
    allowed = _allowed_seconds(datasource)
    if allowed == 0:
        return False
    return allowed is None or now() - parse_time(checked_at) > timedelta(seconds=allowed)


def _allowed_seconds(datasource: Datasource) -> int | None:
    """How long the datasource's data stays fresh; 0: always; null: not at all."""
    if datasource.max_age_seconds is None and datasource.schedule is not None:
        return interval_seconds(datasource.schedule)
    return datasource.max_age_seconds


def plan_ingests(services: PlanServices, run: Run) -> tuple[str, list[SourceUse]]:
    """Create the ingest runs of a refresh, and write the list of them. It is safe to repeat.

    A list that exists is used again, so a repeated step does not ingest twice. A redriven refresh has
    its own list, without the datasources whose ingest runs have succeeded.

    Returns:
        The key of the list in the lake, for the workflow's map; and what the refresh does with each datasource.
    """
    key = object_keys.refresh_items(run)
    sources = _sources(services, run)
    if services.lake.find_json(key) is None:
        done = _succeeded_before(services, run)
        chosen = [source.datasource for source in sources if source.outcome == "pending"]
        items = [_item(prepare_child(services, run, slug)) for slug in chosen if slug not in done]
        services.lake.put_json(key, items)
    return services.lake.full_key(key), settle_sources(sources, children(services, run))


def _item(child: Run) -> dict[str, Any]:
    return {
        "run_id": child.id,
        "attempt": child.attempt,
        "execution": execution_name(child),
        "datasource": child.datasource,
    }


def _sources(services: PlanServices, run: Run) -> list[SourceUse]:
    """What a refresh does with each datasource of its project; `pending` are those that it ingests."""
    sources = []
    for assigned in services.assignments.of_project(run.project or ""):
        definition = services.definitions.find("datasource", assigned.datasource)
        if definition is not None:
            datasource = Datasource.model_validate(definition.document)
            pointer = services.datasets.pointer(DatasetId.of_datasource(datasource.slug))
            sources.append(_source(run, datasource, pointer))
    return sources


def _source(run: Run, datasource: Datasource, pointer: Pointer) -> SourceUse:
    checked_at = pointer.checked_at
    if datasource.ARRIVAL != "pulled":
        return SourceUse(datasource=datasource.slug, outcome="received")
    if not datasource.enabled:
        return SourceUse(datasource=datasource.slug, outcome="disabled")
    if run.ingest == "none":
        return SourceUse(datasource=datasource.slug, outcome="not_requested")
    anyway = run.ingest == "all" or (run.ingest == "expiring" and datasource.is_refreshable)
    # Data whose latest ingest has failed is not known to be fresh, however young it is.
    if anyway or checked_at is None or pointer.failure is not None or is_stale(datasource, checked_at):
        return SourceUse(datasource=datasource.slug, outcome="pending")
    allowed = _allowed_seconds(datasource)
    until = rfc3339(parse_time(checked_at) + timedelta(seconds=allowed)) if allowed else None
    return SourceUse(datasource=datasource.slug, outcome="fresh", fresh_until=until)


def settle_sources(sources: list[SourceUse], ingests: list[Run]) -> list[SourceUse]:
    """Return what a refresh did with each datasource, from the state of its ingest runs.

    Args:
        sources: as they were planned.
        ingests: the ingest runs of all attempts, oldest attempt first; the last one of a datasource counts.
    """
    last = {ingest.datasource: ingest for ingest in ingests}
    settled = []
    for source in sources:
        ingest = last.get(source.datasource)
        if ingest is not None:
            outcome: Outcome = "pending" if not ingest.finished else "fetched"
            if ingest.status in ("failed", "cancelled"):
                outcome = "failed"
            source = SourceUse(datasource=source.datasource, outcome=outcome, run=ingest.id)
        settled.append(source)
    return settled


def refreshable_datasources(services: WithDefinitions, assigned: Iterable[Assigned]) -> list[Datasource]:
    """Those of these datasources that refreshes fetch again and again."""
    definitions = (services.definitions.find("datasource", assignment.datasource) for assignment in assigned)
    datasources = (Datasource.model_validate(found.document) for found in definitions if found is not None)
    return [datasource for datasource in datasources if datasource.is_refreshable]


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
