"""Signed links: addresses of a report, an endpoint or the data, for people without a key."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import Field

from query.routes.data import get_project_data
from query.routes.endpoints import call_endpoint, endpoint_request
from query.routes.reports import get_rendered_report
from sluice.access.links import Link
from sluice.api.call import Answer, Call
from sluice.api.dataset_answers import DATA_MEDIA_TYPES, DATA_PARAMETERS
from sluice.api.paging import paged
from sluice.api.project_resources import ENDPOINTS, REPORTS
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, IF_NONE_MATCH, LIMIT, Parameter, Routes
from sluice.container import Container
from sluice.domain.base import Document
from sluice.domain.endpoint import Endpoint
from sluice.domain.identity import Principal
from sluice.errors import Invalid, NotFound

routes = Routes("endpoints")
_TOKEN = Parameter("token", "What the link was made with.")
_DAY = 86_400


class LinkRequest(Document):
    """What a link leads to, and for how long."""

    target: Annotated[str, Field(min_length=1, max_length=2_000)] = Field(
        description="`data`, `reports/{name}/latest` or `endpoints/{name}`, with its query parameters."
    )
    expires_in_seconds: Annotated[int, Field(ge=1)] = Field(
        7 * _DAY, description="At most MAX_LINK_DAYS days; a link also ends with the key that made it."
    )


def _view(call: Call, services: Container, link: Link) -> dict[str, Any]:
    shown = link.model_dump(mode="json", exclude={"project"})
    return {**shown, "url": call.link(f"/links?token={services.links.token(link)}")}


@routes.post(
    "/projects/{slug}/links",
    "project.link",
    body=LinkRequest,
    answer="LinkView",
    status=201,
    parameters=[IDEMPOTENCY_KEY],
)
def make_link(call: Call, services: Container, slug: str) -> Answer:
    """A signed address that anybody can open until it expires or is revoked."""
    request = call.document(LinkRequest)
    settings = services.settings
    if request.expires_in_seconds > settings.max_link_days * _DAY:
        message = f"A link is valid for at most {settings.max_link_days} days: {settings.max_link_days * _DAY} seconds."
        raise Invalid(message, [{"pointer": "/expires_in_seconds", "message": message}])
    _, query = _handler(slug, request.target)
    _require_target(replace(call, query=query), services, slug, request.target)
    lifetime = timedelta(seconds=request.expires_in_seconds)
    link = services.links.create(call.definition, request.target, lifetime, call.principal.id, settings.max_links)
    shown = _view(call, services, link)
    return Answer(shown, 201, {"Location": shown["url"]})


@routes.get("/projects/{slug}/links", "project.link", answer="LinkViewList", parameters=[LIMIT, CURSOR])
def list_links(call: Call, services: Container, slug: str) -> Answer:
    """The project's links that can be opened, oldest first."""
    links = [_view(call, services, link) for link in services.links.valid(slug)]
    return paged(call, services, ["links", slug], links)


@routes.delete("/projects/{slug}/links/{link_id}", "project.link", status=204)
def delete_link(call: Call, services: Container, slug: str, link_id: str) -> Answer:
    """Revoke a link."""
    call.require_known_parameters()
    services.links.delete(slug, link_id)
    return Answer(status=204)


@routes.get(
    "/links",
    None,
    answer="LinkedData",
    parameters=[_TOKEN, IF_NONE_MATCH],
    media_types=("text/html", *DATA_MEDIA_TYPES),
)
def open_link(call: Call, services: Container) -> Answer:
    """What a signed link leads to."""
    link = services.links.opened(call.one("token"))
    handler, query = _handler(link.project, link.target)
    known = frozenset(parameter.name for parameter in DATA_PARAMETERS)
    guest = Principal(id="link", role="viewer", projects=[link.project])
    return handler(replace(call, caller=guest, query=query, known_parameters=known), services)


def _require_target(call: Call, services: Container, slug: str, target: str) -> None:
    """Refuse a target that nobody could open.

    Raises:
        Invalid: there is no such endpoint or report, or the endpoint does not take the parameters.
    """
    try:
        match urlsplit(target).path.strip("/").split("/"):
            case ["endpoints", name]:
                found = ENDPOINTS.load(services, slug, name)
                endpoint_request(call, Endpoint.model_validate(found.document))
            case ["reports", name, _]:
                REPORTS.load(services, slug, name)
    except (NotFound, Invalid) as error:
        raise Invalid(str(error), [{"pointer": "/target", "message": str(error)}]) from None


def _handler(slug: str, target: str) -> tuple[Callable[[Call, Container], Answer], dict[str, list[str]]]:
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
