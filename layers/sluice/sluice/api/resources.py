"""Datasources and projects: one implementation of verbs, preconditions and order of checks for both."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from sluice.api.call import Answer, Call
from sluice.api.datasource_rules import datasource_view, require_writable
from sluice.api.views import definition_view
from sluice.catalog.definitions import Definition, Kind, missing
from sluice.container import Container
from sluice.domain.base import merge_patch, validate
from sluice.domain.datasource import Datasource
from sluice.domain.identity import Principal
from sluice.domain.json_text import same_json
from sluice.domain.project import Project
from sluice.errors import AlreadyExists, Conflict, Invalid, PreconditionFailed, Unavailable
from sluice.projects.visibility import is_visible

# How long a write without a precondition is retried while others change the same resource.
_RETRY_SECONDS = 10.0
_MAX_PAUSE_SECONDS = 0.4
D = TypeVar("D", bound=Datasource | Project)


def _plain_view(_: Container, __: Principal, stored: Definition) -> dict[str, Any]:
    return definition_view(stored)


class Resource(Generic[D]):
    """The verbs of one kind of definition.

    Args:
        model: the document's class.
        path: the list's path, below `/v1`.
        on_write: called after each write; it must be safe to repeat.
        check: raises if a principal may not write a document; it gets the stored definition, null if new.
        show: the definition as the API shows it to a principal.
        unchangeable: the fields that cannot be changed.
        restorable: whether the slug of a deleted definition stays reserved until it can no longer be restored.
    """

    def __init__(
        self,
        kind: Kind,
        model: type[D],
        path: str,
        on_write: Callable[[Container, D], None],
        check: Callable[[Container, Principal, D, Definition | None], None] = lambda *_: None,
        show: Callable[[Container, Principal, Definition], dict[str, Any]] = _plain_view,
        unchangeable: tuple[str, ...] = (),
        *,
        restorable: bool = False,
    ) -> None:
        self._kind = kind
        self._model = model
        self._path = path
        self._check = check
        self._on_write = on_write
        self._show = show
        self._unchangeable = unchangeable
        self._restorable = restorable

    def load(self, call: Call, services: Container, slug: str) -> Definition:
        """A definition that is not the route's target, if the caller may see it.

        Args:
            slug: from the path or the body.

        Raises:
            NotFound: it does not exist, or the caller must not know of it.
        """
        definition = services.definitions.get(self._kind, slug)
        if not is_visible(services, call.principal, definition):
            raise missing(self._kind, slug)
        return definition

    def list(self, call: Call, services: Container) -> Answer:
        """One page of the definitions that the caller may see, by slug.

        Raises:
            Invalid: `limit` or `cursor` is not valid.
        """
        limit = call.limit()
        bound = [self._kind, call.principal.projects]
        after = services.cursors.open(bound, call.query_value("cursor"))
        items: list[Definition] = []
        # Hidden definitions are left out, so several pages of the table may be needed to fill one of the list.
        while True:
            definitions, following = services.definitions.page(self._kind, limit - len(items), after)
            items += [definition for definition in definitions if is_visible(services, call.principal, definition)]
            if following is None or len(items) == limit:
                break
            after = following
        cursor = services.cursors.seal(bound, following) if following is not None else None
        shown = [self._show(services, call.principal, item) for item in items]
        return Answer({"items": shown, "next": cursor})

    def read(self, call: Call, services: Container) -> Answer:
        """The route's definition; 304 if the client has its current state."""
        definition = call.definition
        headers = {"ETag": f'"{definition.etag}"'}
        return (
            Answer(status=304, headers=headers)
            if call.client_has(definition.etag)
            else self._answer(services, call.principal, definition, headers)
        )

    def _answer(
        self,
        services: Container,
        principal: Principal,
        definition: Definition,
        headers: dict[str, str],
        status: int = 200,
    ) -> Answer:
        return Answer(self._show(services, principal, definition), status, headers)

    def create(self, call: Call, services: Container) -> Answer:
        """Create a definition from the body (201).

        Raises:
            Invalid: the body is not valid, or the caller may not write it.
            Conflict: the slug is used.
            NotFound: the slug is used by a definition that the caller must not know of.
        """
        return self._create(call, services, call.document(self._model))

    def _create(self, call: Call, services: Container, document: D) -> Answer:
        principal = call.principal
        self._check(services, principal, document, None)
        reserved = timedelta(days=services.settings.restore_days) if self._restorable else None
        try:
            definition = services.definitions.create(
                self._kind, document.slug, _content(document), principal.id, principal.role, reserved
            )
        except Conflict:
            self._require_visible(services, principal, document.slug)
            raise
        # The schedule follows the write. Every write sets it again, so one that was missed is repaired.
        self._on_write(services, document)
        headers = {"Location": call.url(f"{self._path}/{definition.name}"), "ETag": f'"{definition.etag}"'}
        return self._answer(services, principal, definition, headers, 201)

    def _require_visible(self, services: Container, principal: Principal, slug: str) -> None:
        """Answer 404 instead of 409 if the slug belongs to a definition that the caller must not know of."""
        definition = services.definitions.find(self._kind, slug) or services.definitions.deleted(self._kind, slug)
        if definition is not None and not is_visible(services, principal, definition):
            raise missing(self._kind, slug)

    def put(self, call: Call, services: Container, slug: str) -> Answer:
        """Create the definition of this slug (201) or replace it (200).

        Raises:
            PreconditionFailed: `If-Match` or `If-None-Match` does not hold.
            Invalid: the body is not valid, changes a fixed field, or the caller may not write it.
        """
        return retry_overtaken_write(call, lambda definition: self._put(call, services, slug, definition))

    def _put(self, call: Call, services: Container, slug: str, definition: Definition | None) -> Answer:
        body = call.json()
        call.require_match(definition.etag if definition else None)
        call.require_known_parameters()
        document = self._validated(body, slug)
        if definition is None:
            return self._create(call, services, document)
        return self._replace(call, services, definition, document)

    def patch(self, call: Call, services: Container, slug: str) -> Answer:
        """Change fields of a definition by a JSON merge patch (RFC 7396).

        Raises:
            NotFound: there is no definition of this slug.
            PreconditionFailed: `If-Match` does not hold.
            Invalid: the result is not valid, changes a fixed field, or the caller may not write it.
        """
        return retry_overtaken_write(call, lambda definition: self._patch(call, services, slug, definition))

    def _patch(self, call: Call, services: Container, slug: str, definition: Definition | None) -> Answer:
        if definition is None:
            raise missing(self._kind, slug)
        body = call.json()
        call.require_match(definition.etag)
        call.require_known_parameters()
        if not isinstance(body, dict):
            raise Invalid("The body must be a JSON object.")
        return self._replace(call, services, definition, self._validated(merge_patch(definition.document, body), slug))

    def _validated(self, body: Any, slug: str) -> D:
        # The slug in the path is the default, so that a body need not repeat it.
        if isinstance(body, dict):
            body = {"slug": slug, **body}
        document = validate(self._model, body)
        if document.slug != slug:
            message = f"The slug is {slug!r} and cannot be changed."
            raise Invalid(message, [{"pointer": "/slug", "message": message}])
        return document

    def _replace(self, call: Call, services: Container, definition: Definition, document: D) -> Answer:
        new = _content(document)
        for name in self._unchangeable:
            if new[name] != definition.document[name]:
                message = (
                    f"{name} is {definition.document[name]!r} and cannot be changed; create a new {self._kind} instead."
                )
                raise Invalid(message, [{"pointer": f"/{name}", "message": message}])
        # A document that stays the same needs no right to its secrets: somebody else may have written it.
        if not same_json(new, definition.document):
            self._check(services, call.principal, document, definition)
        stored = services.definitions.replace(definition, new, call.principal.id, call.principal.role)
        self._on_write(services, document)
        return self._answer(services, call.principal, stored, {"ETag": f'"{stored.etag}"'})


def retry_overtaken_write(call: Call, write: Callable[[Definition | None], Answer]) -> Answer:
    """Do a write; if another write came first and the client sent no precondition, retry it.

    Args:
        write: gets the definition that the path names, read again for each try; null if it does not exist.

    Returns:
        What `write` returns.

    Raises:
        PreconditionFailed: only if the client sent `If-Match` or `If-None-Match`.
        AlreadyExists: only then, too, if another resource has the name that this one was to get.
        Unavailable: other writes came first for 10 seconds.
    """
    target = call.target
    assert target is not None
    # With a precondition the client wants to learn that the resource has changed.
    conditional = call.header("if-match") is not None or call.header("if-none-match") is not None
    deadline, retries = time.monotonic() + _RETRY_SECONDS, 0
    while True:
        try:
            return write(target.definition)
        except (PreconditionFailed, AlreadyExists) as overtaken:
            if conditional:
                present = target.reload()
                if isinstance(overtaken, AlreadyExists) and (present is None or present.definition is None):
                    raise  # not the resource itself is there, but a name that it was to have
                raise PreconditionFailed("The resource has changed; read it again and repeat.") from overtaken
            if time.monotonic() > deadline:
                raise Unavailable("The resource keeps being changed by other requests; try again.") from overtaken
        # Full jitter, so that one of many concurrent writers succeeds each time.
        time.sleep(random.uniform(0, min(0.01 * 2**retries, _MAX_PAUSE_SECONDS)))  # noqa: S311 - guards nothing
        retries += 1
        target = target.reload()
        assert target is not None


def _content(document: D) -> dict[str, Any]:
    content: dict[str, Any] = document.model_dump(mode="json", by_alias=True)
    return content


def _apply_datasource_schedule(services: Container, document: Datasource) -> None:
    services.schedules.apply("datasource", document.slug, document.schedule, enabled=document.enabled)


def _apply_project_schedule(services: Container, document: Project) -> None:
    enabled = document.enabled and document.refresh_on != "manual"
    services.schedules.apply("project", document.slug, document.schedule, enabled=enabled)


DATASOURCES = Resource(
    "datasource",
    Datasource,
    "/datasources",
    _apply_datasource_schedule,
    require_writable,
    datasource_view,
    unchangeable=("kind",),
    restorable=True,
)
PROJECTS = Resource("project", Project, "/projects", _apply_project_schedule)
