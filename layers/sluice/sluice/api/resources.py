"""Datasources and projects: the same verbs, preconditions and order of checks for both."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from sluice.api.call import Answer, Call
from sluice.api.datasource_rules import require_writable, shown_datasource
from sluice.api.targets import is_visible
from sluice.api.views import view
from sluice.catalog.definitions import Definition, Kind, missing
from sluice.container import Container
from sluice.domain.base import merge_patch, validate
from sluice.domain.datasource import Datasource
from sluice.domain.identity import Principal
from sluice.domain.json_text import same_json
from sluice.domain.project import Project
from sluice.errors import AlreadyExists, Conflict, Invalid, PreconditionFailed, Unavailable

# How long a write without a precondition is repeated while others change the same resource.
_WRITE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 0.4
D = TypeVar("D", bound=Datasource | Project)


class Resource(Generic[D]):
    """The verbs of one kind of definition.

    Args:
        check: raises when a principal may not write a document; it is given the stored definition,
            if there is one.
        written: what else a write causes; it must be safe to repeat.
        show: a stored document as the API shows it.
        unchangeable: the fields that never change.
        restorable: whether the slug of a deleted definition stays reserved for its restoration.
    """

    def __init__(
        self,
        kind: Kind,
        model: type[D],
        path: str,
        written: Callable[[Container, D], None],
        check: Callable[[Container, Principal, D, Definition | None], None] = lambda *_: None,
        show: Callable[[Definition], dict[str, Any]] = view,
        unchangeable: tuple[str, ...] = (),
        *,
        restorable: bool = False,
    ) -> None:
        self._kind = kind
        self._model = model
        self._path = path
        self._check = check
        self._written = written
        self._show = show
        self._unchangeable = unchangeable
        self._restorable = restorable

    def load(self, call: Call, services: Container, slug: str) -> Definition:
        """A definition that the path does not name first, if the caller may know of it.

        Raises:
            NotFound: there is none that the caller sees.
        """
        found = services.definitions.get(self._kind, slug)
        if not is_visible(services, call.principal, found):
            raise missing(self._kind, slug)
        return found

    def list(self, call: Call, services: Container) -> Answer:
        """One page of the definitions that the caller sees, by slug."""
        limit = call.limit()
        bound = [self._kind, call.principal.projects]
        after = services.cursors.open(bound, call.one("cursor"))
        items: list[Definition] = []
        while True:
            found, following = services.definitions.page(self._kind, limit - len(items), after)
            items += [one for one in found if is_visible(services, call.principal, one)]
            if following is None or len(items) == limit:
                break
            after = following
        cursor = services.cursors.seal(bound, following) if following is not None else None
        return Answer({"items": [self._show(one) for one in items], "next": cursor})

    def read(self, call: Call) -> Answer:
        """One definition; 304 when the client has it."""
        found = call.definition
        headers = {"ETag": f'"{found.etag}"'}
        return Answer(status=304, headers=headers) if call.has(found.etag) else self._shown(found, headers)

    def _shown(self, found: Definition, headers: dict[str, str], status: int = 200) -> Answer:
        return Answer(self._show(found), status, headers)

    def create(self, call: Call, services: Container) -> Answer:
        """A new definition."""
        return self._create(call, services, call.document(self._model))

    def _create(self, call: Call, services: Container, document: D) -> Answer:
        principal = call.principal
        self._check(services, principal, document, None)
        reserved = timedelta(days=services.settings.restore_days) if self._restorable else None
        try:
            found = services.definitions.create(
                self._kind, document.slug, _dumped(document), principal.id, principal.role, reserved
            )
        except Conflict:
            self._require_visible(services, principal, document.slug)
            raise
        self._written(services, document)
        headers = {"Location": call.link(f"{self._path}/{found.name}"), "ETag": f'"{found.etag}"'}
        return self._shown(found, headers, 201)

    def _require_visible(self, services: Container, principal: Principal, slug: str) -> None:
        """Answer 404 instead of 409 for a slug that is taken by what the caller must not know of."""
        found = services.definitions.find(self._kind, slug) or services.definitions.deleted(self._kind, slug)
        if found is not None and not is_visible(services, principal, found):
            raise missing(self._kind, slug)

    def put(self, call: Call, services: Container, slug: str) -> Answer:
        """Create or replace the definition of this slug."""
        return until_stored(call, lambda found: self._put(call, services, slug, found))

    def _put(self, call: Call, services: Container, slug: str, found: Definition | None) -> Answer:
        body = call.json()
        call.require_match(found.etag if found else None)
        call.require_known_parameters()
        document = self._validated(body, slug)
        if found is None:
            return self._create(call, services, document)
        return self._replace(call, services, found, document)

    def patch(self, call: Call, services: Container, slug: str) -> Answer:
        """Change parts of a definition (JSON merge patch)."""
        return until_stored(call, lambda found: self._patch(call, services, slug, found))

    def _patch(self, call: Call, services: Container, slug: str, found: Definition | None) -> Answer:
        if found is None:
            raise missing(self._kind, slug)
        body = call.json()
        call.require_match(found.etag)
        call.require_known_parameters()
        if not isinstance(body, dict):
            raise Invalid("The body must be a JSON object.")
        return self._replace(call, services, found, self._validated(merge_patch(found.document, body), slug))

    def _validated(self, body: Any, slug: str) -> D:
        if isinstance(body, dict):
            body = {"slug": slug, **body}
        document = validate(self._model, body)
        if document.slug != slug:
            message = f"The slug is {slug!r} and never changes."
            raise Invalid(message, [{"pointer": "/slug", "message": message}])
        return document

    def _replace(self, call: Call, services: Container, found: Definition, document: D) -> Answer:
        new = _dumped(document)
        for name in self._unchangeable:
            if new[name] != found.document[name]:
                message = f"{name} is {found.document[name]!r} and never changes; make a new {self._kind} instead."
                raise Invalid(message, [{"pointer": f"/{name}", "message": message}])
        if not same_json(new, found.document):
            self._check(services, call.principal, document, found)
        stored = services.definitions.replace(found, new, call.principal.id, call.principal.role)
        self._written(services, document)
        return self._shown(stored, {"ETag": f'"{stored.etag}"'})


def until_stored(call: Call, write: Callable[[Definition | None], Answer]) -> Answer:
    """Do a write; when somebody else's came first and the client asked for no precondition, do it again.

    Args:
        write: is given the definition that the path names, read anew for each try; null where it
            does not exist.

    Raises:
        PreconditionFailed, AlreadyExists: only where the client sent `If-Match` or `If-None-Match`.
        Unavailable: others kept changing the resource.
    """
    target = call.target
    assert target is not None
    conditional = call.header("if-match") is not None or call.header("if-none-match") is not None
    deadline, tried = time.monotonic() + _WRITE_SECONDS, 0
    while True:
        try:
            return write(target.definition)
        except (PreconditionFailed, AlreadyExists) as overtaken:
            if conditional:
                raise
            if time.monotonic() > deadline:
                raise Unavailable("Others keep changing the resource; try again.") from overtaken
        # Full jitter, so that of many writers one comes through each time.
        time.sleep(random.uniform(0, min(0.01 * 2**tried, _LONGEST_PAUSE_SECONDS)))  # noqa: S311 - guards nothing
        tried += 1
        target = target.again()
        assert target is not None


def _dumped(document: D) -> dict[str, Any]:
    dumped: dict[str, Any] = document.model_dump(mode="json", by_alias=True)
    return dumped


def _datasource_written(services: Container, document: Datasource) -> None:
    services.schedules.apply("datasource", document.slug, document.schedule, enabled=document.enabled)


def _project_written(services: Container, document: Project) -> None:
    enabled = document.enabled and document.refresh_on != "manual"
    services.schedules.apply("project", document.slug, document.schedule, enabled=enabled)


DATASOURCES = Resource(
    "datasource",
    Datasource,
    "/datasources",
    _datasource_written,
    require_writable,
    shown_datasource,
    unchangeable=("kind",),
    restorable=True,
)
PROJECTS = Resource("project", Project, "/projects", _project_written)
