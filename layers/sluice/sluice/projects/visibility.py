"""Which projects, datasources and inputs a principal may know of."""

from __future__ import annotations

from collections.abc import Callable

from sluice.access.policy import Resource, decide
from sluice.catalog.assignments import Assigned
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.identity import Principal


def resource_of(services: Container, principal: Principal, definition: Definition) -> Resource:
    """The facts that the access policy needs about a project, datasource, input or another definition.

    Args:
        principal: who asks; what it sees decides what has to be read.
    """
    owner = definition.created_by
    owns = principal.id == owner and principal.projects is None
    if definition.kind not in _SHARED or principal.role == "admin" or owns:
        return Resource(owner)
    if principal.sees_everything and principal.role == "viewer":
        return Resource(owner)  # a key that reads everything and writes nothing: shares cannot give it more
    roles = frozenset(services.members.roles(principal, definition))
    if principal.sees_everything:
        return Resource(owner, roles=roles)  # sees every project, so one read of the catalog is saved
    projects = _SHARED[definition.kind](services, definition.name)
    reachable = not roles and any(_reaches(services, principal, slug) for slug in projects)
    return Resource(owner, frozenset(projects), roles=roles, reachable=reachable)


def _project_itself(services: Container, slug: str) -> list[str]:
    return [slug]


def _projects_of_datasource(services: Container, slug: str) -> list[str]:
    return [assignment.project for assignment in services.assignments.of_datasource(slug)]


def _projects_of_input(services: Container, slug: str) -> list[str]:
    return services.pins.projects_of(slug)


# The kinds that can be shared, each with the projects that use one.
_SHARED: dict[str, Callable[[Container, str], list[str]]] = {
    "project": _project_itself,
    "datasource": _projects_of_datasource,
    "input": _projects_of_input,
}


def _reaches(services: Container, principal: Principal, project: str) -> bool:
    """Whether a principal owns a project, or one of its shares is of it."""
    definition = services.definitions.find("project", project)
    if definition is None:
        return False
    return definition.created_by == principal.id or bool(services.members.roles(principal, definition))


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
