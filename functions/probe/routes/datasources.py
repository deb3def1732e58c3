"""Trying a datasource, saved or not, with one request or a few pages; nothing is stored."""

from collections.abc import Callable
from dataclasses import asdict

from sluice.access.policy import decide, require
from sluice.access.secret_use import Author
from sluice.api.call import Answer, Call
from sluice.api.routes import Parameter, Routes
from sluice.api.targets import resource_of
from sluice.api.views import author_of
from sluice.catalog.definitions import missing
from sluice.container import Container
from sluice.domain.base import validate
from sluice.domain.datasource import Datasource
from sluice.errors import Invalid
from sluice.sources.registry import source_of

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
