"""Signed links: URLs of a report, an endpoint, a model or the data, for people without a key."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from query.routes.data import get_project_data
from query.routes.endpoints import call_endpoint, parse_endpoint_request
from query.routes.query import get_model_data, load_stored_model
from query.routes.reports import REPORT_PARAMETERS, get_rendered_report, require_report_query
from sluice.access.link_targets import LinkTarget, link_lifetime, parse_target
from sluice.access.links import Link
from sluice.api.call import Answer, Call
from sluice.api.dataset_answers import DATA_MEDIA_TYPES, DATA_PARAMETERS, require_data_query
from sluice.api.paging import paginate
from sluice.api.project_resources import ENDPOINTS
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, IF_NONE_MATCH, LIMIT, Parameter, Routes
from sluice.container import Container
from sluice.domain.base import Document
from sluice.domain.dataset_id import DatasetId
from sluice.domain.endpoint import Endpoint
from sluice.domain.identity import Principal
from sluice.errors import Conflict, Invalid, NotFound
from sluice.projects.links import opened_link, valid_links

routes = Routes("endpoints")
_TOKEN = Parameter("token", "The token in the link's URL.")
_DAY = 86_400
_LINK_PARAMETERS = [parameter for parameter in DATA_PARAMETERS if parameter is not CURSOR]


class LinkRequest(Document):
    """What a link leads to, and how long it is valid."""

    target: Annotated[str, Field(min_length=1, max_length=2_000)] = Field(
        description="`data`, `models/{name}/data`, `reports/{name}/latest` or `endpoints/{name}`, with its query "
        "parameters."
    )
    expires_in_seconds: Annotated[int, Field(ge=1)] = Field(
        7 * _DAY,
        description="At most MAX_LINK_DAYS days; a link also ends when its creator may no longer "
        "create links of the project.",
    )


def _view(call: Call, services: Container, link: Link) -> dict[str, Any]:
    document = link.model_dump(mode="json", exclude={"project"})
    return {**document, "url": call.url(f"/links?token={services.links.token(link)}")}


@routes.post(
    "/projects/{slug}/links",
    "project.link",
    body=LinkRequest,
    answer="LinkView",
    status=201,
    parameters=[IDEMPOTENCY_KEY],
)
def make_link(call: Call, services: Container, slug: str) -> Answer:
    """Create a signed URL that anybody can open until it expires or is revoked."""
    request = call.document(LinkRequest)
    settings = services.settings
    lifetime = link_lifetime(request.expires_in_seconds, settings.max_link_days)
    target = parse_target(request.target)
    # Checked now, so that nobody is given a link that can never work.
    _require_openable(replace(call, query=target.query), services, slug, target)
    link = services.links.create(call.definition, request.target, lifetime, call.principal.id, settings.max_links)
    view = _view(call, services, link)
    return Answer(view, 201, {"Location": view["url"]})


@routes.get("/projects/{slug}/links", "project.link", answer="LinkViewList", parameters=[LIMIT, CURSOR])
def list_links(call: Call, services: Container, slug: str) -> Answer:
    """The project's links that can be opened, oldest first."""
    links = [_view(call, services, link) for link in valid_links(services, slug)]
    return paginate(call, services, ["links", slug], links)


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
    head=True,
)
def open_link(call: Call, services: Container) -> Answer:
    """Open a signed link."""
    link = opened_link(services, call.query_value("token"))
    target = parse_target(link.target)
    known = frozenset(parameter.name for parameter in DATA_PARAMETERS)
    # The link's own rights, not the caller's: it opens its project and nothing else.
    guest = Principal(id="link", role="viewer", projects=[link.project])
    return _answer(replace(call, caller=guest, query=target.query, known_parameters=known), services, link, target)


def _answer(call: Call, services: Container, link: Link, target: LinkTarget) -> Answer:
    match target.kind:
        case "data":
            return get_project_data(call, services, link.project)
        case "model":
            return get_model_data(call, services, link.project, target.name)
        case "endpoint":
            return call_endpoint(call, services, link.project, target.name)
        case "report":
            return get_rendered_report(call, services, link.project, target.name, target.run)


def _require_openable(call: Call, services: Container, slug: str, target: LinkTarget) -> None:
    """Refuse a target that could not be opened.

    Raises:
        Invalid: the endpoint, model or report does not exist, the model is a view, or reading with these parameters
            fails.
    """
    try:
        match target.kind:
            case "data":
                _require_parameters(call, _LINK_PARAMETERS)
                require_data_query(call, services, DatasetId.of_project(slug))
            case "model":
                _require_parameters(call, _LINK_PARAMETERS)
                load_stored_model(services, slug, target.name)
                require_data_query(call, services, DatasetId.of_project_resource(slug, "model", target.name))
            case "endpoint":
                endpoint = ENDPOINTS.load(services, slug, target.name)
                parse_endpoint_request(call, Endpoint.model_validate(endpoint.document))
            case "report":
                _require_parameters(call, REPORT_PARAMETERS)
                require_report_query(call, services, slug, target.name, target.run)
    except (NotFound, Conflict, Invalid) as error:
        raise Invalid(str(error), [{"pointer": "/target", "message": str(error)}]) from None


def _require_parameters(call: Call, parameters: list[Parameter]) -> None:
    if "cursor" in call.query:
        raise Invalid("A link cannot have a cursor, which leads to the middle of the rows; leave it out.")
    replace(call, known_parameters=frozenset(item.name for item in parameters)).require_known_parameters()
