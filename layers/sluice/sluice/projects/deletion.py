"""Deleting the resources of a deleted project."""

from __future__ import annotations

from sluice.catalog.definitions import COUNTED
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId


def delete_resources(services: Container, project: str, by: str) -> None:
    """Remove the models, reports, endpoints and links of a project that was deleted.

    Args:
        by: the principal that has deleted the project.
    """
    for kind in COUNTED:
        for name, resource in services.resources.all(kind, project).items():
            dataset = DatasetId.of_project_resource(project, kind, name)
            services.definitions.delete(resource, services.datasets.hide_writes(dataset, by))
