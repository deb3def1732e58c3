"""The inputs that projects pin for the runs of their algorithms."""

from sluice.api.call import Answer, Call
from sluice.api.inputs import etag_headers
from sluice.api.paging import paginate
from sluice.api.resources import retry_overtaken_write
from sluice.api.routes import CURSOR, IF_MATCH, IF_NONE_MATCH, LIMIT, Routes
from sluice.catalog.definitions import Definition, missing
from sluice.catalog.pins import not_pinned
from sluice.container import Container
from sluice.domain.input import PinRequest
from sluice.inputs.pins import pin_input, pin_view, pinned_inputs
from sluice.projects.visibility import is_visible, require_usable

routes = Routes("inputs")


@routes.get("/projects/{slug}/inputs", "project.read", answer="PinViewList", parameters=[LIMIT, CURSOR])
def list_project_inputs(call: Call, services: Container, slug: str) -> Answer:
    """The inputs that a project pins, by slug, with the versions that runs take now."""
    pins = [pin_view(services, pin, head) for pin, head in pinned_inputs(services, slug)]
    return paginate(call, services, ["pins", slug], pins)


@routes.get("/projects/{slug}/inputs/{input_slug}", "project.read", answer="PinView", parameters=[IF_NONE_MATCH])
def get_pin(call: Call, services: Container, slug: str, input_slug: str) -> Answer:
    """The pin of an input in a project."""
    pin = _stored(services, slug, input_slug)
    if call.client_has(pin.etag):
        return Answer(status=304, headers=etag_headers(pin))
    return Answer(pin_view(services, pin, services.inputs.get(input_slug)), headers=etag_headers(pin))


@routes.put(
    "/projects/{slug}/inputs/{input_slug}",
    "project.assign",
    body=PinRequest,
    answer="PinView",
    parameters=[IF_MATCH],
)
def put_pin(call: Call, services: Container, slug: str, input_slug: str) -> Answer:
    """Pin a version of an input in a project, or have its runs follow the latest one.

    A traffic matrix must fit a topology that the project pins, and clusters must, too: all of their nodes must be
    nodes of the topology.
    """

    def put(project: Definition | None) -> Answer:
        if project is None:
            raise missing("project", slug)
        head = services.inputs.get(input_slug)
        if not is_visible(services, call.principal, head):
            raise missing("input", input_slug)
        stored = services.pins.find(slug, input_slug)
        request = call.document(PinRequest, {}, lambda: call.require_match(stored.etag if stored else None))
        if stored is None:
            require_usable(services, call.principal, head)
        pin = pin_input(services, project, input_slug, request.version, stored, call.principal.id)
        headers = etag_headers(pin)
        if stored is None:
            headers["Location"] = call.url(f"/projects/{slug}/inputs/{input_slug}")
        return Answer(pin_view(services, pin, services.inputs.get(input_slug)), 200 if stored else 201, headers)

    return retry_overtaken_write(call, put)


@routes.delete("/projects/{slug}/inputs/{input_slug}", "project.assign", status=204, parameters=[IF_MATCH])
def delete_pin(call: Call, services: Container, slug: str, input_slug: str) -> Answer:
    """Remove the pin of an input from a project; the input stays."""

    def delete(_: Definition | None) -> Answer:
        pin = _stored(services, slug, input_slug)
        call.require_match(pin.etag)
        call.require_known_parameters()
        services.pins.delete(pin)
        return Answer(status=204)

    return retry_overtaken_write(call, delete)


def _stored(services: Container, slug: str, input_slug: str) -> Definition:
    pin = services.pins.find(slug, input_slug)
    if pin is None:
        raise not_pinned(slug, input_slug)
    return pin
