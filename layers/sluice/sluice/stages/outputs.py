"""What the stages share that make an output of a run, a model or a report, from its outputs so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from sluice.domain.run import Run
from sluice.services import (
    WithAssignments,
    WithDatasets,
    WithDefinitions,
    WithLake,
    WithResources,
    WithRuns,
    WithSandbox,
    WithSettings,
)
from sluice.stages.inputs import note_stage

if TYPE_CHECKING:
    from sluice.models.project_tables import ProjectTables


class Services(
    WithDefinitions,
    WithAssignments,
    WithResources,
    WithRuns,
    WithDatasets,
    WithLake,
    WithSettings,
    WithSandbox,
    Protocol,
):
    """What the stages need."""


def begin_output(
    services: Services, run: Run, kind: Literal["model", "report"], name: str
) -> tuple[dict[str, Any], ProjectTables]:
    """Note the stage, and read what it makes and of what.

    Args:
        kind: the stage, which is also the kind of the output's definition.
        name: the model or report.

    Returns:
        The document of the model or report, and the project's tables with the run's outputs so far.

    Raises:
        NotFound: the model or report was deleted.
    """
    from sluice.catalog.project_resources import resource_name
    from sluice.projects.refresh_outputs import run_tables

    note_stage(services, run, kind)
    definition = services.definitions.get(kind, resource_name(run.project or "", name))
    return definition.document, run_tables(services, run)
