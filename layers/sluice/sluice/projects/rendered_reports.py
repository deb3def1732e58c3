"""Finding the version of a report that belongs to a run."""

from __future__ import annotations

from sluice.container import Container
from sluice.domain.dataset import Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import parse_time
from sluice.errors import NotFound


def rendered_version(services: Container, project: str, report: str, run_id: str) -> Version:
    """The version of a report as of a run.

    A report whose queries and data are the same as before is not rendered again. For such a run,
    this is the version that was published when it ended.

    Args:
        run_id: the run's id, or `latest` for the published version.

    Raises:
        NotPublished: `latest`, and nothing is published.
        NotFound: the run is not a successful run of this project.
    """
    dataset = DatasetId.of_project_resource(project, "report", report)
    if run_id == "latest":
        return services.datasets.published(dataset)
    try:
        return services.datasets.of_run(dataset, run_id)
    except NotFound:
        # Only a successful run has found that the report did not have to be rendered again.
        run = services.runs.find(run_id)
        if run is None or run.project != project or run.status != "succeeded" or run.finished_at is None:
            raise
        return services.datasets.version_as_of(dataset, parse_time(run.finished_at))
