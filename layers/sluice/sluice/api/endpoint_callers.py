"""Who may call a published endpoint."""

from __future__ import annotations

from sluice.access.policy import Resource, decide
from sluice.api.call import Call
from sluice.container import Container
from sluice.domain.endpoint import Endpoint
from sluice.domain.identity import Principal
from sluice.errors import NotFound, TooManyRequests, Unauthenticated
from sluice.projects.visibility import is_visible


def require_endpoint_caller(call: Call, services: Container, endpoint: Endpoint, project: str, name: str) -> None:
    """Refuse a caller that may not call an endpoint.

    Args:
        endpoint: the endpoint's document.
        project: the slug of its project.
        name: its name.

    Raises:
        Unauthenticated: the endpoint is not public, and the request has no credentials.
        NotFound: the caller must not know of the endpoint's project.
        TooManyRequests: `PUBLIC_REQUESTS_PER_MINUTE` requests without credentials came from this address.
    """
    if call.caller is not None:
        if not endpoint.public:
            _require_project_visible(call.caller, services, project, name)
        return
    if not endpoint.public:
        raise unauthenticated_endpoint()
    limit = services.settings.public_requests_per_minute
    wait = services.locks.admit(f"rate#{project}#{name}#{call.source_ip}", limit, 60)
    if wait is not None:
        raise TooManyRequests(f"More than {limit} requests within a minute; wait, or use an API key.", wait)


def unauthenticated_endpoint() -> Unauthenticated:
    """The error for a request without credentials; it does not tell whether the endpoint exists."""
    return Unauthenticated("There is no public endpoint of this name; send an API key.")


def _require_project_visible(caller: Principal, services: Container, project: str, name: str) -> None:
    # First without the project's owner: a key for all projects, or one that names this project, is
    # allowed by that alone, which saves each call of an endpoint a read of the catalog.
    if decide(caller, "project.read", Resource(owner="", projects=frozenset([project]))) == "allowed":
        return
    definition = services.definitions.find("project", project)
    if definition is None or not is_visible(services, caller, definition):
        raise NotFound(f"There is no endpoint {name!r} in {project!r}.")
