"""Which projects, datasources and inputs a principal may know of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sluice.access.policy import Resource, decide, require
from sluice.catalog.assignments import Assigned
from sluice.catalog.definitions import Definition, missing
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
    uses = _SHARED[definition.kind](services, definition.name)
    reachable = not roles and any(_reaches(services, principal, definition, use) for use in uses)
    return Resource(owner, frozenset(use.project for use in uses), roles=roles, reachable=reachable)


@dataclass(frozen=True)
class _Use:
    """That a project uses something.

    Args:
        by: who has assigned or pinned it; None for a project itself.
    """

    project: str
    by: str | None = None


def _project_itself(services: Container, slug: str) -> list[_Use]:
    return [_Use(slug)]


def _uses_of_datasource(services: Container, slug: str) -> list[_Use]:
    return [_Use(assigned.project, assigned.created_by) for assigned in services.assignments.of_datasource(slug)]


def _uses_of_input(services: Container, slug: str) -> list[_Use]:
    return [_Use(pin.name.partition("#")[0], pin.created_by) for pin in services.pins.of_input(slug)]


# The kinds that can be shared, each with the projects that use one.
_SHARED: dict[str, Callable[[Container, str], list[_Use]]] = {
    "project": _project_itself,
    "datasource": _uses_of_datasource,
    "input": _uses_of_input,
}


def _reaches(services: Container, principal: Principal, definition: Definition, use: _Use) -> bool:
    """Whether a principal sees a datasource or input by a project that uses it, or a project by itself."""
    project = services.definitions.find("project", use.project)
    if project is None:
        return False
    if project.created_by != principal.id and not services.members.roles(principal, project):
        return False
    return use.by is None or _is_held(services, definition, {use.by, project.created_by})


def _is_held(services: Container, definition: Definition, holders: set[str]) -> bool:
    """Whether somebody sees a datasource or input by himself: as its owner, by a share of its own, or as an admin.

    Otherwise who once had a share could pass it on by a project, and it would never end.

    Args:
        holders: who has assigned or pinned it in a project, and the project's owner.
    """
    if definition.created_by in holders or not all(holder.startswith("user/") for holder in holders):
        return True  # which projects a key reaches is decided by who has issued it
    shared = {member.principal for member in services.members.of_resource(definition)}
    if not shared.isdisjoint(holders):
        return True
    people = services.people.find_all(sorted(holders)).values()
    groups = {f"group/{group}" for person in people for group in person.groups}
    return not shared.isdisjoint(groups) or any(person.role == "admin" for person in people)


def is_visible(services: Container, principal: Principal, definition: Definition) -> bool:
    """Whether a principal may know that a project, datasource or input exists."""
    return decide(principal, f"{definition.kind}.read", resource_of(services, principal, definition)) == "allowed"


def require_usable(services: Container, principal: Principal, definition: Definition) -> None:
    """Refuse a principal that sees a datasource or input, but may not have a project use it: others would see it, too.

    Raises:
        NotFound: the principal must not know of it.
        Forbidden: it is a person who does not own it, and with whom it is not shared as editor.
    """
    resource = resource_of(services, principal, definition)
    require(principal, f"{definition.kind}.use", resource, missing(definition.kind, definition.name))


def visible_assignments(services: Container, principal: Principal, datasource: Definition) -> list[Assigned]:
    """The assignments of a datasource to projects: all for who may share it, for others those they may know of."""
    assignments = services.assignments.of_datasource(datasource.name)
    visible = _visible_projects(services, principal, datasource, [item.project for item in assignments])
    return [item for item in assignments if item.project in visible]


def visible_pins(services: Container, principal: Principal, stored: Definition) -> list[Definition]:
    """The pins of an input in projects: all for who may share it, for others those they may know of."""
    pins = services.pins.of_input(stored.name)
    visible = _visible_projects(services, principal, stored, [pin.name.partition("#")[0] for pin in pins])
    return [pin for pin in pins if pin.name.partition("#")[0] in visible]


def _visible_projects(services: Container, principal: Principal, used: Definition, slugs: Sequence[str]) -> set[str]:
    projects = [project for slug in slugs if (project := services.definitions.find("project", slug)) is not None]
    # Who answers for something must know who uses it. A key for some projects knows of no other ones.
    shares = principal.projects is None and (
        decide(principal, "member.manage", resource_of(services, principal, used)) == "allowed"
    )
    return {project.name for project in projects if shares or is_visible(services, principal, project)}
