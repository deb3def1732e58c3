"""The follower that refreshes projects when one of their datasources changes."""

from __future__ import annotations

from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.event import EventType
from sluice.domain.names import parse_time
from sluice.domain.publication import Publication
from sluice.domain.run import Run
from sluice.runs.start import follows_changes, refresh_for_change


class RefreshOnChange:
    """Starts a refresh of each project that has the datasource and `refresh_on: change`."""

    name = "refresh_on_change"
    takes = frozenset[EventType]({"version.published"})

    def follow(self, services: Container, publication: Publication) -> None:
        """Start the refreshes, or request one more after those that are active.

        A project that was never published is left alone until all of its required datasources that are fetched have
        data: a refresh for a change fetches nothing, so it could only fail or publish a part. Whoever requests the
        first refresh, or its schedule, fetches them.

        A repeated delivery starts at most one more refresh, which publishes nothing if its inputs are the same.
        """
        dataset = publication.dataset
        if dataset.owner_kind != "datasource" or publication.number is None:
            return
        refresh = _refresh_that_merges(services, publication)
        for assigned in services.assignments.of_datasource(dataset.owner):
            project = services.definitions.find("project", assigned.project)
            if project is None or not follows_changes(project) or _is_of(refresh, project):
                continue
            if _awaits_first_fetch(services, project.name):
                continue
            refresh_for_change(services, project.name)


def _awaits_first_fetch(services: Container, project: str) -> bool:
    """Whether a project has published nothing, and lacks data of a required datasource that refreshes fetch."""
    if services.datasets.pointer(DatasetId.of_project(project)).published is not None:
        return False
    for assigned in services.assignments.of_project(project):
        definition = services.definitions.find("datasource", assigned.datasource)
        if assigned.optional or definition is None:
            continue
        is_pulled = Datasource.model_validate(definition.document).ARRIVAL == "pulled"
        if is_pulled and services.datasets.pointer(DatasetId.of_datasource(assigned.datasource)).published is None:
            return True
    return False


def _is_of(refresh: Run | None, project: Definition) -> bool:
    """Whether a refresh is one of this project, and not of a deleted one of the same name."""
    return refresh is not None and refresh.project == project.name and project.created_at <= refresh.created_at


def _refresh_that_merges(services: Container, publication: Publication) -> Run | None:
    """The refresh that has ingested the version and merges it anyway; None if there is none.

    A refresh merges after all of its ingest runs have ended, and none of them can be redriven before it has
    ended. So it merges the version if it began to merge after the publication, or has not begun yet. If it
    ends before that, `runs.reconcile` starts another refresh.
    """
    run = services.runs.find(publication.by)
    refresh = services.runs.find(run.parent) if run and run.parent else None
    if refresh is None:
        return None
    published_at = parse_time(publication.published_at)
    merged = any(event.event == "merge" and parse_time(event.time) >= published_at for event in refresh.timeline)
    return refresh if merged or _has_yet_to_merge(refresh) else None


def _has_yet_to_merge(refresh: Run) -> bool:
    started = any(event.event == "merge" and event.attempt == refresh.attempt for event in refresh.timeline)
    return not refresh.finished and not started
