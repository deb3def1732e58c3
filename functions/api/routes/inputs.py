"""Inputs of algorithms: versioned documents."""

from sluice.api.call import Answer, Call
from sluice.api.inputs import (
    DELETED,
    KIND,
    current_etag,
    etag_headers,
    inline,
    list_answer,
    raw_json,
    summary,
    written_headers,
)
from sluice.api.paging import paginate
from sluice.api.resources import retry_overtaken_write
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, LIMIT, Parameter, Routes
from sluice.catalog.definitions import Definition, missing
from sluice.catalog.inputs import latest_version
from sluice.container import Container
from sluice.domain.input import InputRequest, NewInput, RestoreRequest
from sluice.inputs.pins import pin_view
from sluice.inputs.service import (
    Content,
    create_input,
    delete_input,
    diff_versions,
    document_text,
    parse_input,
    restore_input,
    write_input,
)
from sluice.projects.visibility import is_visible, visible_pins

routes = Routes("inputs")
_MAX_VERSION = 10**9
_NUMBER = {"type": "integer", "minimum": 1}
_VERSION = Parameter("version", "The version to read instead of the latest.", _NUMBER)
_FROM = Parameter("from", "The older version; default: the one before `to`.", _NUMBER)
_TO = Parameter("to", "The newer version; default: the latest.", _NUMBER)
_FORCE = Parameter(
    "force",
    "`true` deletes the input even if projects pin it; they go on with the versions that they pin.",
    {"type": "boolean", "default": False},
)


@routes.get("/inputs", "input.list", answer="InputSummaryViewList", parameters=[KIND, DELETED, LIMIT, CURSOR])
def list_inputs(call: Call, services: Container) -> Answer:
    """The inputs, by slug; deleted ones are left out, or listed alone with `deleted=true`."""
    return list_answer(call, services, lambda item: is_visible(services, call.principal, item))


@routes.post("/inputs", "input.create", body=NewInput, answer="InputView", status=201, parameters=[IDEMPOTENCY_KEY])
def create_new_input(call: Call, services: Container) -> Answer:
    """Create an input with its first version; 409 if the slug is used."""
    body = call.json(exact=True)
    call.require_known_parameters()
    request, content = parse_input(services, NewInput, body)
    created = create_input(services, request.slug, content, request.comment, call.principal)
    return _written(call, created, content, created=True)


def _written(call: Call, stored: Definition, content: Content, *, created: bool) -> Answer:
    view = {**summary(stored), "document": inline(call, content.text)}
    return Answer(view, 201 if created else 200, written_headers(call, stored, created=created))


@routes.get("/inputs/{slug}", "input.read", answer="InputView", parameters=[_VERSION, IF_NONE_MATCH])
def get_input(call: Call, services: Container, slug: str) -> Answer:
    """The latest version of an input, or another one.

    A deleted input is 404; its versions stay readable by their numbers.
    """
    stored, number = call.definition, call.integer("version", 0, 1, _MAX_VERSION)
    if stored.deleted_at is not None and not number:
        raise missing("input", slug)
    version = services.inputs.version(slug, number) if number else latest_version(stored)
    if call.client_has(stored.etag):
        return Answer(status=304, headers=etag_headers(stored))
    document = raw_json(document_text(services, version.hash))
    return Answer({**summary(stored, version), "document": document}, headers=etag_headers(stored))


@routes.put(
    "/inputs/{slug}",
    "input.update",
    creates="input.create",
    body=InputRequest,
    answer="InputView",
    parameters=[IF_MATCH],
)
def put_input(call: Call, services: Container, slug: str) -> Answer:
    """Store a document as a new version of an input, which is created if there is none.

    A document that is that of the latest version makes no new one. An input that was deleted is there again, with all
    of its versions.
    """

    def put(stored: Definition | None) -> Answer:
        body = call.json(exact=True)
        call.require_match(current_etag(stored))
        call.require_known_parameters()
        request, content = parse_input(services, InputRequest, body, stored)
        written, created = write_input(services, slug, stored, content, request.comment, call.principal)
        return _written(call, written, content, created=created)

    return retry_overtaken_write(call, put)


@routes.delete("/inputs/{slug}", "input.delete", status=204, parameters=[IF_MATCH, _FORCE])
def remove_input(call: Call, services: Container, slug: str) -> Answer:
    """Delete an input; its versions stay, and `POST /inputs/{slug}/restore` recovers it.

    It is refused while projects pin the input, unless `force=true` is sent.
    """

    def delete(stored: Definition | None) -> Answer:
        if stored is None or stored.deleted_at is not None:
            raise missing("input", slug)
        call.require_match(stored.etag)
        call.require_known_parameters()
        force = call.choice("force", ("true", "false"), "false") == "true"
        delete_input(services, stored, call.principal, force=force)
        return Answer(status=204)

    return retry_overtaken_write(call, delete)


@routes.get("/inputs/{slug}/versions", "input.read", answer="InputVersionViewList", parameters=[LIMIT, CURSOR])
def list_input_versions(call: Call, services: Container, slug: str) -> Answer:
    """The versions of an input, newest first; also of one that was deleted."""
    bound, limit = ["input-versions", slug], call.limit()
    before = services.cursors.open(bound, call.query_value("cursor"))
    versions = services.inputs.versions(slug, limit + 1, before)
    cursor = services.cursors.seal(bound, versions[limit - 1].number) if len(versions) > limit else None
    return Answer({"items": [version.model_dump() for version in versions[:limit]], "next": cursor})


@routes.get("/inputs/{slug}/projects", "input.read", answer="PinViewList", parameters=[LIMIT, CURSOR])
def list_input_projects(call: Call, services: Container, slug: str) -> Answer:
    """The projects that pin an input: all for who may share it, else those that the caller sees."""
    pins = visible_pins(services, call.principal, call.definition)
    return paginate(
        call, services, ["input-projects", slug], [pin_view(services, pin, call.definition) for pin in pins]
    )


@routes.post(
    "/inputs/{slug}/restore", "input.restore", body=RestoreRequest, answer="InputView", parameters=[IDEMPOTENCY_KEY]
)
def restore_input_version(call: Call, services: Container, slug: str) -> Answer:
    """Make the document of an old version a new version, with a comment of its own; it also recovers a deleted input.

    If the latest version has this document already, nothing changes.
    """

    def restore(stored: Definition | None) -> Answer:
        if stored is None:
            raise missing("input", slug)
        request = call.document(RestoreRequest, {})
        restored = restore_input(services, stored, request, call.principal)
        text = document_text(services, latest_version(restored).hash)
        return Answer({**summary(restored), "document": inline(call, text)}, headers=etag_headers(restored))

    return retry_overtaken_write(call, restore)


@routes.get("/inputs/{slug}/diff", "input.read", answer="InputDiff", parameters=[_FROM, _TO, LIMIT, CURSOR])
def diff_input_versions(call: Call, services: Container, slug: str) -> Answer:
    """The differences between two versions of an input.

    Elements of a list are matched by what identifies them, such as the name of a node, and not by their indexes.
    """
    call.require_known_parameters()
    newer = call.integer("to", latest_version(call.definition).number, 1, _MAX_VERSION)
    older = call.integer("from", max(newer - 1, 1), 1, _MAX_VERSION)
    changes, truncated = diff_versions(services, slug, older, newer)
    page = paginate(call, services, ["input-diff", slug, older, newer], changes)
    return Answer({**page.body, "from": older, "to": newer, "truncated": truncated})
