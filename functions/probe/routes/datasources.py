"""Trying a datasource, saved or not, with one request or a few pages; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from sluice.access.policy import decide, require, require_role
from sluice.access.secret_use import Author
from sluice.api.call import Answer, Call
from sluice.api.routes import Parameter, Routes
from sluice.api.views import author_of
from sluice.catalog.definitions import missing
from sluice.container import Container
from sluice.domain.base import validate
from sluice.domain.datasource import Datasource, HttpDatasource
from sluice.domain.datasource.detect_request import DetectRequest
from sluice.domain.run import PageReceipt
from sluice.errors import Invalid
from sluice.projects.visibility import resource_of
from sluice.sources.registry import source_of

if TYPE_CHECKING:
    from sluice.sources.http.detection.detector import Detector

routes = Routes("datasources")
_PAGES = Parameter("pages", "How many pages to request.", {"type": "integer", "minimum": 1, "default": 1})


@routes.post("/datasources/check", "datasource.try", body=Datasource, answer="CheckResult")
def check_document(call: Call, services: Container) -> Answer:
    """Send one request for a datasource that is not saved."""
    return _check(call, services, *_unsaved(call, services))


@routes.post("/datasources/preview", "datasource.try", body=Datasource, answer="Preview", parameters=[_PAGES])
def preview_document(call: Call, services: Container) -> Answer:
    """Show the first records of a datasource that is not saved."""
    return _preview(call, services, *_unsaved(call, services))


@routes.post("/datasources/detect", "datasource.try", body=DetectRequest, answer="Detection")
def detect_datasource(call: Call, services: Container) -> Answer:
    """Propose the document of a datasource from what its address answers; nothing is stored."""
    request = call.document(DetectRequest)
    return Answer(asdict(_detector(call, services, request).detect(partial(_sample, services))))


@routes.post("/datasources/{slug}/check", "datasource.run", answer="CheckResult")
def check_datasource(call: Call, services: Container, slug: str) -> Answer:
    """Send one request for a datasource."""
    return _check(call, services, *_saved(call))


@routes.post("/datasources/{slug}/preview", "datasource.run", answer="Preview", parameters=[_PAGES])
def preview_datasource(call: Call, services: Container, slug: str) -> Answer:
    """Show the first records of a datasource."""
    return _preview(call, services, *_saved(call))


def _unsaved(call: Call, services: Container) -> tuple[Datasource, Author]:
    body = call.json()
    call.require_known_parameters()
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object.")
    datasource = validate(Datasource, {"name": "unsaved", **body})
    if datasource.NEEDS is not None:
        require_role(call.principal, datasource.NEEDS)
    datasource.require_safe()
    _require_slug(call, services, datasource)
    return datasource, Author(call.principal.id, call.principal.role)


def _require_slug(call: Call, services: Container, datasource: Datasource) -> None:
    """Refuse a document with the slug of a stored or deleted datasource that the caller must not know of.

    The slug decides which inbox folder the document may read, and which projects its secrets must allow. The files
    are the owner's: another query could read what the stored one leaves out.

    Raises:
        NotFound: the caller must not know of the datasource.
        Forbidden: the document reads a file in the inbox, and the datasource belongs to somebody else.
    """
    slug = datasource.slug
    stored = services.definitions.find("datasource", slug) or services.definitions.deleted("datasource", slug)
    if stored is not None:
        action = "datasource.try" if datasource.inbox_key() is None else "datasource.update"
        require(call.principal, action, resource_of(services, call.principal, stored), missing("datasource", slug))


def _saved(call: Call) -> tuple[Datasource, Author]:
    call.require_known_parameters()
    return Datasource.model_validate(call.definition.document), author_of(call.definition)


def _secrets(call: Call, services: Container, datasource: Datasource, author: Author) -> Callable[[str], str]:
    """The function that reads the datasource's secrets; its errors explain a refusal only to who manages secrets."""
    explain = decide(call.principal, "secret.manage") == "allowed"
    return services.secret_use.reader(datasource, author, explain=explain)


def _detector(call: Call, services: Container, request: DetectRequest) -> Detector:
    # Imported here: the other routes of this function need no detection.
    from sluice.sources.http.detection.detector import Detector

    http = {"url": request.url, "auth": request.auth.model_dump(by_alias=True)}
    unsaved = HttpDatasource.model_validate({"name": "unsaved", "kind": "http", "http": http})
    secret = _secrets(call, services, unsaved, Author(call.principal.id, call.principal.role))
    definitions = services.definitions

    def is_taken(slug: str) -> bool:
        return (definitions.find("datasource", slug) or definitions.deleted("datasource", slug)) is not None

    return Detector(request.url, request.auth, services.settings, secret, services.source_transport, is_taken)


def _sample(services: Container, datasource: Datasource, receipt: PageReceipt, content: IO[bytes]) -> dict[str, Any]:
    """The first records of a page, as the datasource reads them."""
    from sluice.extract.preview_dataset import Preview, preview_run
    from sluice.formats.limits import Limits

    settings = services.settings
    run, limits = preview_run(datasource.slug), Limits.of(settings)
    preview = Preview(run, datasource, limits, settings.detect_sample, settings.detect_records)
    preview.add_page(receipt, content)
    return preview.response(1)


def _check(call: Call, services: Container, datasource: Datasource, author: Author) -> Answer:
    source = source_of(datasource.kind)
    return Answer(asdict(source.check(datasource, services, _secrets(call, services, datasource, author))))


def _preview(call: Call, services: Container, datasource: Datasource, author: Author) -> Answer:
    # Imported here: `check` needs neither, and DuckDB is slow to load.
    from sluice.extract.preview_dataset import Preview, preview_run
    from sluice.formats.limits import Limits

    settings = services.settings
    pages = call.integer("pages", 1, 1, settings.preview_pages)
    preview = Preview(preview_run(datasource.slug), datasource, Limits.of(settings), settings.preview_records)
    secret = _secrets(call, services, datasource, author)
    count = source_of(datasource.kind).preview(datasource, services, secret, pages, preview.add_page)
    return Answer(preview.response(count))
