"""Signed links: addresses of a report, an endpoint or the data, for people without a key."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import Field

from query.routes.data import get_project_data
from query.routes.endpoints import call_endpoint, endpoint_request
from query.routes.reports import get_rendered_report
from sluice.bootstrap import Platform
from sluice.domain.base import Document
from sluice.domain.endpoint import Endpoint
from sluice.domain.identity import Principal
from sluice.domain.names import rfc3339
from sluice.errors import Invalid, NotFound
from sluice.http.call import Answer, Call
from sluice.http.data import DATA_PARAMETERS
from sluice.http.parts import ENDPOINTS, REPORTS
from sluice.http.resources import PROJECTS
from sluice.http.routes import IDEMPOTENCY_KEY, Parameter, Routes

routes = Routes("endpoints")
_TOKEN = Parameter("token", "What the link was made with.")
_DAY = 86_400


class LinkRequest(Document):
    """What a link leads to, and for how long."""

    target: Annotated[str, Field(min_length=1, max_length=2_000)] = Field(
        description="`data`, `reports/{name}/latest` or `endpoints/{name}`, with its query parameters."
    )
    expires_in_seconds: Annotated[int, Field(ge=1, le=365 * _DAY)] = 7 * _DAY


@routes.post(
    "/projects/{slug}/links",
    body=LinkRequest,
    answer={"type": "object"},
    status=201,
    parameters=[IDEMPOTENCY_KEY],
)
def make_link(call: Call, services: Platform, slug: str) -> Answer:
    """A signed address that anybody can open until it expires."""
    project = PROJECTS.load(call, services, slug)
    request = call.document(LinkRequest)
    _, query = _handler(slug, request.target)
    _require_target(replace(call, query=query), services, slug, request.target)
    expires = int(time.time()) + request.expires_in_seconds
    token = services.cursors.seal(["link"], [slug, project.created_at, request.target, expires])
    url = call.link(f"/links?token={token}")
    told = {"url": url, "target": request.target, "expires_at": rfc3339(datetime.fromtimestamp(expires, UTC))}
    return Answer(told, 201, {"Location": url})


@routes.get("/links", role=None, answer={"type": "object"}, parameters=[_TOKEN], media_types=("text/html", "text/csv"))
def open_link(call: Call, services: Platform) -> Answer:
    """What a signed link leads to."""
    try:
        sealed = services.cursors.open(["link"], call.one("token"))
    except Invalid:
        sealed = None
    if sealed is None or sealed[-1] < time.time():
        raise NotFound("The link has expired, or was never given out.")
    slug, created_at, target, _ = sealed
    project = services.definitions.find("project", slug)
    if project is None or project.created_at != created_at:
        raise NotFound("The project of this link is not there any more.")
    handler, query = _handler(slug, target)
    known = frozenset(parameter.name for parameter in DATA_PARAMETERS)
    guest = Principal(id="link", role="viewer", projects=[slug])
    return handler(replace(call, caller=guest, query=query, known_parameters=known), services)


def _require_target(call: Call, services: Platform, slug: str, target: str) -> None:
    """Refuse a target that nobody could open.

    Raises:
        Invalid: there is no such endpoint or report, or the endpoint does not take the parameters.
    """
    try:
        match urlsplit(target).path.strip("/").split("/"):
            case ["endpoints", name]:
                found = ENDPOINTS.load(call, services, slug, name)
                endpoint_request(call, Endpoint.model_validate(found.document))
            case ["reports", name, _]:
                REPORTS.load(call, services, slug, name)
    except (NotFound, Invalid) as error:
        raise Invalid(str(error), [{"pointer": "/target", "message": str(error)}]) from None


def _handler(slug: str, target: str) -> tuple[Callable[[Call, Platform], Answer], dict[str, list[str]]]:
    """Who answers a target, and its query parameters.

    Raises:
        Invalid: it is nothing that a link can lead to.
    """
    message = "A link leads to data, reports/{name}/latest or endpoints/{name}."
    try:
        parts = urlsplit(target)
    except ValueError:
        raise Invalid(message, [{"pointer": "/target", "message": message}]) from None
    if parts.scheme or parts.netloc:
        raise Invalid(message, [{"pointer": "/target", "message": message}])
    query: dict[str, list[str]] = parse_qs(parts.query, keep_blank_values=True)
    arguments: dict[str, Any]
    match parts.path.strip("/").split("/"):
        case ["data"]:
            arguments, handle = {"slug": slug}, get_project_data
        case ["endpoints", name]:
            arguments, handle = {"project": slug, "name": name}, call_endpoint
        case ["reports", name, run]:
            arguments, handle = {"slug": slug, "name": name, "run": run}, get_rendered_report
        case _:
            raise Invalid(message, [{"pointer": "/target", "message": message}])
    return (lambda call, services: handle(call, services, **arguments)), query
