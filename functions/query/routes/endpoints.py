"""Calling published endpoints."""

import hashlib

from sluice.api.call import Answer, Call
from sluice.api.dataset_answers import version_headers
from sluice.api.endpoint_callers import require_endpoint_caller, unauthenticated_endpoint
from sluice.api.endpoint_freshness import age_headers, refresh_if_too_old
from sluice.api.endpoint_servers import endpoint_server
from sluice.api.routes import IF_NONE_MATCH, Parameter, Routes
from sluice.container import Container
from sluice.domain.endpoint import Endpoint
from sluice.errors import NotFound
from sluice.reads.endpoints.answers import FORMATS, MEDIA_TYPES
from sluice.reads.endpoints.parameters import require_known_parameters, typed_values
from sluice.reads.endpoints.server import Request
from sluice.reads.file_names import file_name

routes = Routes("endpoints")
_FORMAT = Parameter("format", "The format of the answer.", {"type": "string", "enum": list(FORMATS), "default": "json"})
_BOM = Parameter(
    "bom",
    "For CSV: begin with a byte order mark, so that Excel reads the file as UTF-8.",
    {"type": "boolean", "default": False},
)


@routes.get(
    "/endpoints/{project}/{name}",
    None,
    anonymous=True,
    answer="EndpointResult",
    parameters=[_FORMAT, _BOM, IF_NONE_MATCH],
    media_types=("application/json", "text/csv"),
    head=True,
)
def call_endpoint(call: Call, services: Container, project: str, name: str) -> Answer:
    """Call a published endpoint; its own query parameters are those in its document."""
    server = endpoint_server(services)
    try:
        endpoint = server.find(
            project, name, lambda document: require_endpoint_caller(call, services, document, project, name)
        )
    except NotFound:
        # Whoever sends no key learns no names: a missing endpoint looks like a private one.
        if call.caller is None:
            raise unauthenticated_endpoint() from None
        raise
    document = endpoint.endpoint
    request = parse_endpoint_request(call, document)
    freshness = None
    if document.requested_time(request.values) is None:
        endpoint = refresh_if_too_old(services, server, endpoint, call.caller)
        freshness = endpoint.freshness()
    answer = server.answer(endpoint, request, freshness)
    # Of the content, not of the versions: a new version with the same rows needs no transfer.
    etag = hashlib.sha256(answer.content).hexdigest()[:32]
    headers = {
        "ETag": f'"{etag}"',
        "X-Cache": "hit" if answer.hit else "miss",
        **version_headers(answer.about),
        **age_headers(document, answer, freshness),
    }
    if call.client_has(etag):
        return Answer(status=304, headers=headers)
    file = file_name([project, name], answer.about["version"], request.form)
    return Answer(answer.content, headers=headers, media_type=MEDIA_TYPES[request.form], filename=file)


def parse_endpoint_request(call: Call, endpoint: Endpoint) -> Request:
    """The parameters and the format that a call asks an endpoint for.

    Raises:
        Invalid: a parameter is unknown or missing, or does not fit its type.
    """
    require_known_parameters(endpoint, set(call.query))
    output_format = call.choice("format", FORMATS, "json")
    bom = call.choice("bom", ("true", "false"), "false") == "true"
    values = typed_values(endpoint, {name: call.query_value(name) for name in endpoint.parameters})
    return Request(values, output_format, bom and output_format == "csv")
