"""Which projects, datasources and inputs a principal may know of."""

from __future__ import annotations

from sluice.access.policy import Resource, decide
from sluice.catalog.assignments import Assigned
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.identity import Principal


def resource_of(services: Container, principal: Principal, definition: Definition) -> Resource:
    """The facts that the access policy needs about a project, datasource or input.

    Args:
        principal: who asks; its projects decide whether assignments have to be read.
    """
    if definition.kind == "project":
        return Resource(definition.created_by, frozenset([definition.name]))
    if principal.projects is None:
        return Resource(definition.created_by)  # sees every project, so one read of the catalog is saved
    if definition.kind == "input":
        return Resource(definition.created_by, frozenset(services.pins.projects_of(definition.name)))
    assignments = services.assignments.of_datasource(definition.name)
    return Resource(definition.created_by, frozenset(assignment.project for assignment in assignments))


def is_visible(services: Container, principal: Principal, definition: Definition) -> bool:
    """Whether a principal may know that a project, datasource or input exists."""
    return decide(principal, f"{definition.kind}.read", resource_of(services, principal, definition)) == "allowed"


def visible_assignments(services: Container, principal: Principal, slug: str) -> list[Assigned]:
    """The assignments of a datasource to projects that a principal may know of.

    Args:
        slug: the datasource's slug.
    """
    assignments = services.assignments.of_datasource(slug)
    projects = {item.project: services.definitions.find("project", item.project) for item in assignments}
    return [
        item
        for item in assignments
        if (project := projects[item.project]) is not None and is_visible(services, principal, project)
    ]
