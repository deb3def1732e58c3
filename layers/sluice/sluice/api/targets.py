"""The resource that a route acts on: loaded by its path, with access checked before the handler runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from sluice.access.policy import ACTIONS, Resource, decide, require, require_role
from sluice.catalog.definitions import Definition, missing
from sluice.container import Container
from sluice.domain.identity import Principal
from sluice.domain.run import Run
from sluice.errors import NotFound
from sluice.projects.visibility import resource_of

if TYPE_CHECKING:
    from sluice.domain.assets.kinds import AssetKind


@dataclass(frozen=True)
class Target:
    """The resource of one request: the definition, and the run where the path names one.

    Args:
        resource: the facts that the access policy needs; null if the resource does not exist.
        missing: the 404 error to raise if it does not exist.
        definition: the project, datasource, input or asset; for a run, the one that it belongs to. Null if it does not
            exist.
        run: the run, where the path names one.
        reload: loads the target again and checks access again.
    """

    resource: Resource | None
    missing: NotFound
    definition: Definition | None = None
    run: Run | None = None
    reload: Callable[[], Target | None] = lambda: None


Finder = Callable[[Container, Principal, Mapping[str, str]], Target]


def run_resource(services: Container, principal: Principal, run: Run) -> tuple[Resource, Definition | None]:
    """The facts that the access policy needs about a run: those of the definition that it belongs to.

    A run of a deleted definition belongs to nobody, even if a later definition has the same name.

    Returns:
        The facts, and the definition; null if it was deleted.
    """
    definition = services.definitions.find(run.type.belongs_to, run.belongs_to)
    if definition is None or run.created_at < definition.created_at:
        return Resource(None, starter=run.created_by), None
    owner = resource_of(services, principal, definition)
    return replace(owner, starter=run.created_by), definition


def _project(services: Container, principal: Principal, names: Mapping[str, str]) -> Target:
    return _definition(services, principal, services.definitions.find("project", names["slug"]), "project", names)


def _datasource(services: Container, principal: Principal, names: Mapping[str, str]) -> Target:
    return _definition(services, principal, services.definitions.find("datasource", names["slug"]), "datasource", names)


def _deleted_datasource(services: Container, principal: Principal, names: Mapping[str, str]) -> Target:
    """A datasource to restore; an existing one is returned too, so that the handler answers 409 and not 404."""
    definition = services.definitions.deleted("datasource", names["slug"])
    if definition is None:
        definition = services.definitions.find("datasource", names["slug"])
    return _definition(services, principal, definition, "datasource", names)


def _definition(
    services: Container, principal: Principal, definition: Definition | None, kind: str, names: Mapping[str, str]
) -> Target:
    error = missing(kind, names["slug"])
    return Target(resource_of(services, principal, definition) if definition else None, error, definition)


def _asset(kind: AssetKind, noun: str, field: str, types: Collection[str], *, deleted: bool = False) -> Finder:
    """A finder of a site, of equipment or of a sensor.

    Args:
        kind: its kind.
        noun: what errors call it.
        field: the path's parameter with its name.
        types: the types of sites that the path has; empty for all.
        deleted: whether a deleted asset is found, too.
    """

    def find(services: Container, principal: Principal, names: Mapping[str, str]) -> Target:
        definition = (services.assets.existed if deleted else services.definitions.find)(kind, names[field])
        if definition is not None and types and definition.document["type"] not in types:
            definition = None
        resource = resource_of(services, principal, definition) if definition else None
        return Target(resource, missing(noun, names[field]), definition)

    return find


def _input(services: Container, principal: Principal, names: Mapping[str, str]) -> Target:
    """An input, even if it is deleted: its versions stay readable, and a new version recovers it."""
    definition = services.inputs.existed(names["slug"])
    return _definition(services, principal, definition, "input", names)


def _run(services: Container, principal: Principal, names: Mapping[str, str]) -> Target:
    error = NotFound(f"There is no run {names['run_id']!r}.")
    run = services.runs.find(names["run_id"])
    if run is None:
        return Target(None, error)
    resource, definition = run_resource(services, principal, run)
    return Target(resource, error, definition, run)


def _subscription(services: Container, principal: Principal, names: Mapping[str, str]) -> Target:
    name = names["subscription_id"]
    definition = services.definitions.find("subscription", name)
    resource = Resource(definition.created_by) if definition else None
    return Target(resource, missing("subscription", name), definition)


# By the prefix of a route's path; the longest prefix that fits is used.
_FINDERS: dict[str, Finder] = {
    "/projects/{slug}": _project,
    "/datasources/{slug}": _datasource,
    "/datasources/{slug}/restore": _deleted_datasource,
    "/inputs/{slug}": _input,
    "/runs/{run_id}": _run,
    "/sites/{code}": _asset("site", "site", "code", ()),
    "/sites/{code}/history": _asset("site", "site", "code", (), deleted=True),
    "/vessels/{code}": _asset("site", "vessel", "code", ("vessel",)),
    "/vessels/{code}/history": _asset("site", "vessel", "code", ("vessel",), deleted=True),
    "/equipment/{code}": _asset("equipment", "equipment", "code", ()),
    "/equipment/{code}/history": _asset("equipment", "equipment", "code", (), deleted=True),
    "/sensors/{sensor_id}": _asset("sensor", "sensor", "sensor_id", ()),
    "/sensors/{sensor_id}/history": _asset("sensor", "sensor", "sensor_id", (), deleted=True),
    "/subscriptions/{subscription_id}": _subscription,
}


def find_target(
    services: Container, principal: Principal, path: str, action: str, creates: str | None, names: Mapping[str, str]
) -> Target | None:
    """Load the resource that a route acts on, and check that the principal may do the route's action.

    Args:
        path: the route's path, with its parameters in braces.
        action: the route's action.
        creates: the action that is checked instead if the resource does not exist; null if it must exist.
        names: the path's parameters and their values.

    Returns:
        Null for a route that acts on no single resource.

    Raises:
        NotFound: the resource does not exist, or the principal must not know of it.
        Forbidden: the role is too low, or the resource belongs to somebody else.
    """
    finder = next((_FINDERS[prefix] for prefix in sorted(_FINDERS, reverse=True) if _has_prefix(path, prefix)), None)
    if finder is None:
        return None
    target = finder(services, principal, names)
    if target.resource is not None:
        require(principal, action, target.resource, target.missing)
    # Without a resource, `creates` depends on the role alone: nobody owns it yet.
    elif creates is not None:
        require_role(principal, creates)
    else:
        raise target.missing
    reload = partial(find_target, services, principal, path, action, creates, names)
    return replace(target, reload=reload)


# The parameter of a path that names what a query parameter of `GET /me` names.
_NAMED = {
    "project": ("/projects/{slug}", "slug"),
    "datasource": ("/datasources/{slug}", "slug"),
    "input": ("/inputs/{slug}", "slug"),
    "run": ("/runs/{run_id}", "run_id"),
}
NAMED_KINDS = tuple(_NAMED)


def allowed_actions(services: Container, principal: Principal, kind: str | None = None, name: str = "") -> list[str]:
    """The actions of the access policy that a principal may do, in the policy's order.

    Args:
        kind: of the resource, one of `NAMED_KINDS`; null: on no single resource, or on what is the principal's own.
        name: the slug or id of the resource.

    Raises:
        NotFound: the resource does not exist, or the principal must not know of it.
    """
    if kind is None:
        return [action for action in ACTIONS if _may(principal, action, None)]
    path, parameter = _NAMED[kind]
    target = _FINDERS[path](services, principal, {parameter: name})
    if target.resource is None or decide(principal, f"{kind}.read", target.resource) == "hidden":
        raise target.missing
    return [action for action in ACTIONS if _may(principal, action, target.resource)]


def _may(principal: Principal, action: str, resource: Resource | None) -> bool:
    # A page by its hash is nobody's in particular: it is hidden from who does not see everything.
    hidden = action == "page.read" and not principal.sees_everything
    return not hidden and decide(principal, action, resource) == "allowed"


def _has_prefix(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")
