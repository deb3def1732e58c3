"""What a route acts on: found by its path, and decided about before its handler runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from sluice.access.policy import Resource, decide, require, require_role
from sluice.catalog.definitions import Definition, missing
from sluice.container import Container
from sluice.domain.identity import Principal
from sluice.domain.run import Run
from sluice.errors import NotFound


@dataclass(frozen=True)
class Target:
    """The resource of one request: the definition, and the run where the path names one.

    Args:
        resource: what the access policy knows about it; null where it does not exist.
        missing: the error for it where it does not exist.
        definition: null where it does not exist; for a run, what the run works for.
        again: finds it anew, and decides anew.
    """

    resource: Resource | None
    missing: NotFound
    definition: Definition | None = None
    run: Run | None = None
    again: Callable[[], Target | None] = lambda: None


def resource_of(services: Container, principal: Principal, found: Definition) -> Resource:
    """What the access policy knows about a project or datasource."""
    if found.kind == "project":
        return Resource(found.created_by, frozenset([found.name]))
    if principal.projects is None:
        return Resource(found.created_by)  # every project is visible: those that use it need not be read
    assigned = services.assignments.of_datasource(found.name)
    return Resource(found.created_by, frozenset(one.project for one in assigned))


def is_visible(services: Container, principal: Principal, found: Definition) -> bool:
    """Whether a principal may know of a project or datasource."""
    return decide(principal, f"{found.kind}.read", resource_of(services, principal, found)) == "allowed"


def run_resource(services: Container, principal: Principal, run: Run) -> tuple[Resource, Definition | None]:
    """What the access policy knows about a run: it is visible through what it works for.

    A run of a definition that was deleted belongs to nobody, even if another definition has
    the same name now.
    """
    found = services.definitions.find(run.type.belongs_to, run.belongs_to)
    if found is None or run.created_at < found.created_at:
        return Resource(None, starter=run.created_by), None
    owner = resource_of(services, principal, found)
    return Resource(owner.owner, owner.projects, run.created_by), found


def _project(services: Container, principal: Principal, names: Mapping[str, str]) -> Target:
    return _definition(services, principal, services.definitions.find("project", names["slug"]), "project", names)


def _datasource(services: Container, principal: Principal, names: Mapping[str, str]) -> Target:
    return _definition(services, principal, services.definitions.find("datasource", names["slug"]), "datasource", names)


def _deleted_datasource(services: Container, principal: Principal, names: Mapping[str, str]) -> Target:
    """A datasource to restore; one that is not deleted is found as well, so that it can be answered 409."""
    found = services.definitions.deleted("datasource", names["slug"])
    if found is None:
        found = services.definitions.find("datasource", names["slug"])
    return _definition(services, principal, found, "datasource", names)


def _definition(
    services: Container, principal: Principal, found: Definition | None, kind: str, names: Mapping[str, str]
) -> Target:
    error = missing(kind, names["slug"])
    return Target(resource_of(services, principal, found) if found else None, error, found)


def _run(services: Container, principal: Principal, names: Mapping[str, str]) -> Target:
    error = NotFound(f"There is no run {names['run_id']!r}.")
    run = services.runs.find(names["run_id"])
    if run is None:
        return Target(None, error)
    resource, definition = run_resource(services, principal, run)
    return Target(resource, error, definition, run)


# By the beginning of a route's path; the longest that fits counts.
_FINDERS: dict[str, Callable[[Container, Principal, Mapping[str, str]], Target]] = {
    "/projects/{slug}": _project,
    "/datasources/{slug}": _datasource,
    "/datasources/{slug}/restore": _deleted_datasource,
    "/runs/{run_id}": _run,
}


def find_target(
    services: Container, principal: Principal, path: str, action: str, creates: str | None, names: Mapping[str, str]
) -> Target | None:
    """What a route acts on, if the principal may do the route's action on it.

    Args:
        path: the route's path, with the names in braces.
        creates: the action where nothing exists under the path's name yet; null: that is an error.
        names: the parts of the path by their names.

    Returns:
        null for a route that acts on no single resource.

    Raises:
        NotFound: it does not exist, or the principal must not know of it.
        Forbidden: it belongs to somebody else.
    """
    finder = next((_FINDERS[begin] for begin in sorted(_FINDERS, reverse=True) if _begins(path, begin)), None)
    if finder is None:
        return None
    target = finder(services, principal, names)
    if target.resource is not None:
        require(principal, action, target.resource, target.missing)
    elif creates is not None:
        require_role(principal, creates)
    else:
        raise target.missing
    again = partial(find_target, services, principal, path, action, creates, names)
    return replace(target, again=again)


def _begins(path: str, beginning: str) -> bool:
    return path == beginning or path.startswith(beginning + "/")
