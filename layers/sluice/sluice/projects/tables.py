"""The tables of a project: the published ones, and those that a run reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from sluice.domain.dataset import Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.model import Model
from sluice.models.project_tables import MERGED, ProjectTables
from sluice.projects.refresh_nodes import tables_of_algorithms
from sluice.services import WithAssignments, WithDatasets, WithLake, WithResources


class TableServices(WithAssignments, WithResources, WithDatasets, WithLake, Protocol):
    """What reading the tables of a project needs."""


def models_of(services: WithResources, project: str) -> dict[str, Model]:
    """A project's models, by name."""
    stored = services.resources.all("model", project)
    return {name: Model.model_validate(definition.document) for name, definition in stored.items()}


def published_tables(services: TableServices, project: str, as_of: datetime | None = None) -> ProjectTables:
    """The published tables of a project.

    Args:
        as_of: a time in the past; None for the versions that are published now.
    """
    assigned = services.assignments.of_project(project)
    models = models_of(services, project)
    return ProjectTables(
        project,
        assigned,
        models,
        services.datasets,
        services.lake,
        algorithm_tables=lambda: tables_of_algorithms(services, project),
        as_of=as_of,
    )


def tables_with(
    services: TableServices, project: str, outputs: Mapping[str, Manifest], *, derived: bool = True
) -> ProjectTables:
    """The tables of a project as a run reads them: its own outputs, otherwise the published ones.

    Datasources are read in the versions that the run's merge has read.

    Args:
        outputs: the manifests that the run has written, by table name.
        derived: whether tables that are made after the merge, of models and algorithms, can be read.
    """
    unpublished = {name: manifest for name, manifest in outputs.items() if manifest.stage != "report"}
    if MERGED in unpublished:
        for source in unpublished[MERGED].inputs:
            version = services.datasets.any_version(DatasetId.of_datasource(source.datasource), source.version)
            # A datasource's version gets its number when it is committed, after its manifest is written.
            manifest = services.lake.manifest(version.manifest_key)
            unpublished[source.alias] = manifest.model_copy(update={"number": version.number})
    return ProjectTables(
        project,
        services.assignments.of_project(project),
        models_of(services, project) if derived else {},
        services.datasets,
        services.lake,
        algorithm_tables=(lambda: tables_of_algorithms(services, project)) if derived else set,
        unpublished=unpublished,
    )
