"""A new version of a datasource refreshes the projects that follow changes."""

from __future__ import annotations

from sluice.container import Container
from sluice.domain.names import parse_time
from sluice.domain.publication import Publication
from sluice.domain.run import Run
from sluice.runs.start import follows_changes, refresh_for_change


class RefreshOnChange:
    """Starts a refresh of each project that has the datasource and `refresh_on: change`."""

    name = "refresh_on_change"

    def follow(self, services: Container, publication: Publication) -> None:
        """Start the refreshes, or have those under way followed by one more.

        Being told again starts at most one refresh more, which publishes nothing that is not new.
        """
        dataset = publication.dataset
        if dataset.owner_kind != "datasource" or publication.number is None:
            return
        merging = _project_that_merges(services, publication)
        for assigned in services.assignments.of_datasource(dataset.owner):
            if assigned.project == merging:
                continue
            project = services.definitions.find("project", assigned.project)
            if project is not None and follows_changes(project):
                refresh_for_change(services, project.name)


def _project_that_merges(services: Container, publication: Publication) -> str | None:
    """The project whose refresh has started the run that published, and merges the version by itself.

    A refresh merges once all runs that it has started have ended. So it has the version if it began
    to merge after the publication, or has yet to begin.
    """
    run = services.runs.find(publication.by)
    refresh = services.runs.find(run.parent) if run and run.parent else None
    if refresh is None:
        return None
    published_at = parse_time(publication.published_at)
    merged = any(event.event == "merge" and parse_time(event.time) >= published_at for event in refresh.timeline)
    return refresh.project if merged or _has_yet_to_merge(refresh) else None


def _has_yet_to_merge(refresh: Run) -> bool:
    started = any(event.event == "merge" and event.attempt == refresh.attempt for event in refresh.timeline)
    return not refresh.finished and not started
