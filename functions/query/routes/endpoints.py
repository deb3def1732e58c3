"""Published endpoints, as everybody calls them who may, and signed links to a project's results."""

import hashlib
from typing import Any

from sluice.access.policy import Resource, decide
from sluice.api.call import Answer, Call
from sluice.api.endpoint_servers import endpoint_server
from sluice.api.routes import IF_NONE_MATCH, Parameter, Routes
from sluice.api.targets import is_visible
from sluice.container import Container
from sluice.domain.endpoint import Endpoint
from sluice.domain.identity import Principal
from sluice.domain.schema import BIGINT_RANGE
from sluice.errors import Invalid, NotFound, TooManyRequests, Unauthenticated
from sluice.reads.endpoints.answers import FORMATS, MEDIA_TYPES
from sluice.reads.endpoints.server import Request

routes = Routes("endpoints")
_FORMAT = Parameter("format", "The form of the answer.", {"type": "string", "enum": list(FORMATS), "default": "json"})
_BOM = Parameter(
    "bom", "For CSV: begin with a byte order mark, by which Excel knows UTF-8.", {"type": "boolean", "default": False}
)


@routes.get(
    "/endpoints/{project}/{name}",
    None,
    anonymous=True,
    answer="EndpointResult",
    parameters=[_FORMAT, _BOM, IF_NONE_MATCH],
    media_types=("application/json", "text/csv"),
)
def call_endpoint(call: Call, services: Container, project: str, name: str) -> Answer:
    """The answer of a published endpoint; its own parameters are those of its document."""
    server = endpoint_server(services)
    try:
        found = server.find(project, name, lambda one: _require_caller(call, services, one, project, name))
    except NotFound:
        if call.caller is None:
            raise _unauthenticated() from None  # whoever sends no key learns no names
        raise
    endpoint = found.endpoint
    request = endpoint_request(call, endpoint)
    kept = server.answer(found, request)
    etag = hashlib.sha256(kept.content).hexdigest()[:32]
    scope = "public" if endpoint.public else "private"
    headers = {
        "ETag": f'"{etag}"',
        "Age": str(kept.age),
        "Cache-Control": f"{scope}, max-age={endpoint.cache_seconds}",
        "X-Cache": "hit" if kept.hit else "miss",
    }
    if call.has(etag):
        return Answer(status=304, headers=headers)
    return Answer(kept.content, headers=headers, media_type=MEDIA_TYPES[request.form])


def _require_caller(call: Call, services: Container, endpoint: Endpoint, project: str, name: str) -> None:
    if call.caller is not None:
        if not endpoint.public:
            _require_visible(call.caller, services, project, name)
        return
    if not endpoint.public:
        raise _unauthenticated()
    most = services.settings.public_requests_per_minute
    wait = services.locks.admit(f"rate#{project}#{name}#{call.source}", most, 60)
    if wait is not None:
        raise TooManyRequests(f"More than {most} requests within a minute; wait, or use an API key.", wait)


def _require_visible(caller: Principal, services: Container, project: str, name: str) -> None:
    """Refuse a caller that must not know of an endpoint's project.

    A key for all projects, or one that names the project, needs no look at its definition.
    """
    resource = Resource(owner="", projects=frozenset([project]))
    if decide(caller, "project.read", resource) == "allowed":
        return
    found = services.definitions.find("project", project)
    if found is None or not is_visible(services, caller, found):
        raise NotFound(f"There is no endpoint {name!r} in {project!r}.")


def _unauthenticated() -> Unauthenticated:
    return Unauthenticated("There is no public endpoint of this name: send an API key.")


def endpoint_request(call: Call, endpoint: Endpoint) -> Request:
    """What a call asks of an endpoint.

    Raises:
        Invalid: a parameter is unknown, missing, or not of its type.
    """
    known = {*endpoint.parameters, "format", "bom"}
    unknown = sorted(set(call.query) - known)
    if unknown:
        faults = [_fault(name, "Unknown query parameter.") for name in unknown]
        raise Invalid(f"The endpoint has no parameter {unknown[0]}; it has {', '.join(sorted(known))}.", faults)
    form = call.choice("format", FORMATS, "json")
    bom = call.choice("bom", ("true", "false"), "false") == "true"
    values: dict[str, Any] = {}
    for name, parameter in endpoint.parameters.items():
        text = call.one(name)
        if text is None and parameter.required:
            raise Invalid(f"The parameter {name} is required.", [_fault(name, "Give a value.")])
        if text is None and parameter.default is not None:
            text = str(parameter.default).lower() if isinstance(parameter.default, bool) else str(parameter.default)
        try:
            values[name] = None if text is None else parameter.parse_value(text)
        except ValueError as error:
            raise Invalid(f"The parameter {name} cannot be {text!r}: {error}.", [_fault(name, str(error))]) from None
        if isinstance(values[name], int) and values[name] not in BIGINT_RANGE:
            raise Invalid(f"The parameter {name} is too large.", [_fault(name, "Give a smaller number.")])
    return Request(values, form, bom and form == "csv")


def _fault(name: str, message: str) -> dict[str, str]:
    return {"pointer": f"?{name}", "message": message}
