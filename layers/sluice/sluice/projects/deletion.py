"""Deleting the resources of a deleted project."""

from __future__ import annotations

from sluice.catalog.definitions import COUNTED
from sluice.container import Container
from sluice.projects.resource_outputs import hide_writes


def delete_resources(services: Container, project: str, by: str) -> None:
    """Remove the models, algorithms, reports, endpoints and links of a project that was deleted.

    Args:
        by: the principal that has deleted the project.
    """
    for kind in COUNTED:
        for name, resource in services.resources.all(kind, project).items():
            services.definitions.delete(resource, hide_writes(services, project, kind, name, by))
