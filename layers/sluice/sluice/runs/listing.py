"""Listing runs by filters, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import is_slug, is_ulid, parse_time
from sluice.domain.run import Run


@dataclass(frozen=True)
class RunFilter:
    """Which runs are listed; a null filter lets every run through.

    Args:
        fields: the value that each field of a run must have, by the field's name.
        ids: run ids, separated by commas.
        since: the earliest time of creation.
    """

    fields: dict[str, str | None]
    ids: str | None = None
    since: datetime | None = None

    def matches(self, run: Run) -> bool:
        """Whether a run passes the filters by field and by time."""
        if self.since is not None and parse_time(run.created_at) < self.since:
            return False
        return all(value is None or getattr(run, name) == value for name, value in self.fields.items())


def matching_runs(services: Container, run_filter: RunFilter, before: str | None) -> Iterator[Run]:
    """The runs that a filter selects, newest first, read from the catalog as they are consumed.

    Args:
        before: a run id; only older runs are returned.
    """
    return (run for run in _candidates(services, run_filter, before) if run_filter.matches(run))


def _candidates(services: Container, run_filter: RunFilter, before: str | None) -> Iterator[Run]:
    """Reads the fewest runs: by id, else of one owner through the index, else all of them."""
    if run_filter.ids is not None:
        # Run ids are ULIDs, so their order is that of creation.
        ids = sorted({run_id for run_id in run_filter.ids.split(",") if is_ulid(run_id)}, reverse=True)
        runs = (services.runs.find(run_id) for run_id in ids if before is None or run_id < before)
        return (run for run in runs if run is not None)
    datasource, project = run_filter.fields.get("datasource"), run_filter.fields.get("project")
    slug = datasource if datasource is not None else project
    if slug is None:
        return services.runs.newest(None, before)
    if not is_slug(slug):
        return iter(())
    owner = DatasetId.of_datasource(slug) if datasource is not None else DatasetId.of_project(slug)
    return services.runs.newest(owner, before)
