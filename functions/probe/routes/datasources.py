"""Trying a datasource, saved or not: one live request, or a few pages; nothing is stored."""

from dataclasses import asdict

from sluice.bootstrap import Platform
from sluice.domain.base import validate
from sluice.domain.datasource import Datasource
from sluice.errors import Conflict, Invalid
from sluice.http.call import Answer, Call
from sluice.http.resources import DATASOURCES
from sluice.http.routes import Parameter, Routes

routes = Routes("datasources")
_PAGES = Parameter("pages", "How many pages to look at.", {"type": "integer", "minimum": 1, "default": 1})
_CHECKED = {
    "type": "object",
    "required": ["ok", "status", "elapsed_ms", "records", "reason"],
    "properties": {
        "ok": {"type": "boolean"},
        "status": {"type": ["integer", "null"]},
        "elapsed_ms": {"type": "integer"},
        "records": {"type": ["integer", "null"]},
        "reason": {"type": ["string", "null"]},
    },
}
_PREVIEW = {
    "type": "object",
    "required": ["records", "schema", "pages"],
    "properties": {
        "records": {"type": "array", "items": {"type": "object"}},
        "schema": {"type": "array", "items": {"type": "object"}},
        "pages": {"type": "integer"},
        "warnings": {"type": "array", "items": {"type": "string"}},
    },
}


@routes.post("/datasources/check", body=Datasource, answer=_CHECKED)
def check_document(call: Call, services: Platform) -> Answer:
    """Try a datasource that is not saved with one live request."""
    return _check(_unsaved(call), services)


@routes.post("/datasources/preview", body=Datasource, answer=_PREVIEW, parameters=[_PAGES])
def preview_document(call: Call, services: Platform) -> Answer:
    """Show the first records of a datasource that is not saved."""
    return _preview(call, _unsaved(call), services)


@routes.post("/datasources/{slug}/check", answer=_CHECKED)
def check_datasource(call: Call, services: Platform, slug: str) -> Answer:
    """Try a datasource with one live request."""
    return _check(_saved(call, services, slug), services)


@routes.post("/datasources/{slug}/preview", answer=_PREVIEW, parameters=[_PAGES])
def preview_datasource(call: Call, services: Platform, slug: str) -> Answer:
    """Show the first records of a datasource."""
    return _preview(call, _saved(call, services, slug), services)


def _unsaved(call: Call) -> Datasource:
    body = call.json()
    call.require_known_parameters()
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object.")
    return validate(Datasource, {"name": "unsaved", **body})


def _saved(call: Call, services: Platform, slug: str) -> Datasource:
    found = DATASOURCES.load(call, services, slug)
    call.require_known_parameters()
    return Datasource.model_validate(found.document)


def _require_http(datasource: Datasource) -> None:
    if datasource.kind != "http":
        raise Conflict(f"A datasource of kind {datasource.kind} has no upstream that could be asked.")


def _check(datasource: Datasource, services: Platform) -> Answer:
    from sluice.sources.probe import Probe

    _require_http(datasource)
    probe = Probe(datasource, services.settings, services.secrets.value, services.source_transport)
    return Answer(asdict(probe.check()))


def _preview(call: Call, datasource: Datasource, services: Platform) -> Answer:
    from sluice.extract.preview import Preview
    from sluice.formats.limits import Limits
    from sluice.sources.probe import Probe, probing_run

    settings = services.settings
    pages = call.integer("pages", 1, 1, settings.preview_pages)
    _require_http(datasource)
    preview = Preview(probing_run(datasource.slug), datasource, Limits.of(settings), settings.preview_records)
    probe = Probe(datasource, settings, services.secrets.value, services.source_transport)
    count = probe.preview(pages, lambda page: preview.look(page.receipt, page.received.body))
    return Answer(preview.presented(count))
