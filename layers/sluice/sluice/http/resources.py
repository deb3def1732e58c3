"""Datasources and projects: the same verbs, preconditions and order of checks for both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pydantic import create_model

from sluice.bootstrap import Platform
from sluice.catalog.definitions import Definition, Kind, missing
from sluice.domain.base import merge_patch, validate
from sluice.domain.datasource import Datasource
from sluice.domain.identity import Principal
from sluice.domain.project import Project
from sluice.errors import Conflict, Invalid, PreconditionFailed
from sluice.http.call import Answer, Call

_TRIES = 20
D = TypeVar("D", bound=Datasource | Project)


def view(found: Definition) -> dict[str, Any]:
    """A definition as the API shows it: the document, and what the catalog knows about it."""
    known = {
        "etag": found.etag,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
        "created_by": found.created_by,
    }
    return {**found.document, **known}


def viewed(model: type[D]) -> Any:
    """The model of what `view` gives, for OpenAPI."""
    return create_model(
        f"{model.__name__}View",
        __base__=model,
        etag=(str, ...),
        created_at=(str, ...),
        updated_at=(str, ...),
        created_by=(str, ...),
    )


class Resource(Generic[D]):
    """The verbs of one kind of definition.

    Args:
        sees: whether a principal may know of a definition.
        written: what else a write causes; it must be safe to repeat.
    """

    def __init__(
        self,
        kind: Kind,
        model: type[D],
        path: str,
        sees: Callable[[Platform, Principal, Definition], bool],
        written: Callable[[Platform, D], None],
        unchangeable: tuple[str, ...] = (),
    ) -> None:
        self._kind = kind
        self._model = model
        self._path = path
        self._sees = sees
        self._written = written
        self._unchangeable = unchangeable

    def load(self, call: Call, services: Platform, slug: str) -> Definition:
        """The definition, if the caller may know of it.

        Raises:
            NotFound: there is none that the caller sees.
        """
        found = services.definitions.get(self._kind, slug)
        if not self._sees(services, call.principal, found):
            raise missing(self._kind, slug)
        return found

    def list(self, call: Call, services: Platform) -> Answer:
        """One page of the definitions that the caller sees, by slug."""
        limit = call.limit()
        bound = [self._kind, call.principal.projects]
        after = services.cursors.open(bound, call.one("cursor"))
        items: list[Definition] = []
        while True:
            found, following = services.definitions.page(self._kind, limit - len(items), after)
            items += [one for one in found if self._sees(services, call.principal, one)]
            if following is None or len(items) == limit:
                break
            after = following
        cursor = services.cursors.seal(bound, following) if following is not None else None
        return Answer({"items": [view(one) for one in items], "next": cursor})

    def read(self, call: Call, services: Platform, slug: str) -> Answer:
        """One definition; 304 when the client has it."""
        found = self.load(call, services, slug)
        headers = {"ETag": f'"{found.etag}"'}
        return Answer(status=304, headers=headers) if call.has(found.etag) else Answer(view(found), headers=headers)

    def create(self, call: Call, services: Platform) -> Answer:
        """A new definition."""
        return self._create(call, services, call.document(self._model))

    def _create(self, call: Call, services: Platform, document: D) -> Answer:
        found = services.definitions.create(self._kind, document.slug, _dumped(document), call.principal.id)
        self._written(services, document)
        headers = {"Location": call.link(f"{self._path}/{found.name}"), "ETag": f'"{found.etag}"'}
        return Answer(view(found), 201, headers)

    def put(self, call: Call, services: Platform, slug: str) -> Answer:
        """Create or replace the definition of this slug."""
        return unless_overtaken(call, lambda: self._put(call, services, slug))

    def _put(self, call: Call, services: Platform, slug: str) -> Answer:
        found = services.definitions.find(self._kind, slug)
        if found is not None:
            found = self.load(call, services, slug)
            call.principal.require_owner(found.created_by)
        body = call.json()
        call.require_match(found.etag if found else None)
        call.require_known_parameters()
        document = self._validated(body, slug)
        if found is None:
            return self._create(call, services, document)
        return self._replace(services, found, document)

    def patch(self, call: Call, services: Platform, slug: str) -> Answer:
        """Change parts of a definition (JSON merge patch)."""
        return unless_overtaken(call, lambda: self._patch(call, services, slug))

    def _patch(self, call: Call, services: Platform, slug: str) -> Answer:
        found = self.load(call, services, slug)
        call.principal.require_owner(found.created_by)
        body = call.json()
        call.require_match(found.etag)
        call.require_known_parameters()
        if not isinstance(body, dict):
            raise Invalid("The body must be a JSON object.")
        return self._replace(services, found, self._validated(merge_patch(found.document, body), slug))

    def _validated(self, body: Any, slug: str) -> D:
        if isinstance(body, dict):
            body = {"slug": slug, **body}
        document = validate(self._model, body)
        if document.slug != slug:
            message = f"The slug is {slug!r} and never changes."
            raise Invalid(message, [{"pointer": "/slug", "message": message}])
        return document

    def _replace(self, services: Platform, found: Definition, document: D) -> Answer:
        new = _dumped(document)
        for name in self._unchangeable:
            if new[name] != found.document[name]:
                message = f"{name} is {found.document[name]!r} and never changes; make a new {self._kind} instead."
                raise Invalid(message, [{"pointer": f"/{name}", "message": message}])
        stored = services.definitions.replace(found, new)
        self._written(services, document)
        return Answer(view(stored), headers={"ETag": f'"{stored.etag}"'})


def unless_overtaken(call: Call, write: Callable[[], Answer]) -> Answer:
    """The write, done anew when somebody else's came first and the client did not ask to know."""
    conditional = call.header("if-match") is not None or call.header("if-none-match") is not None
    for _ in range(_TRIES):
        try:
            return write()
        except (PreconditionFailed, Conflict):
            if conditional:
                raise
    return write()


def _dumped(document: D) -> dict[str, Any]:
    dumped: dict[str, Any] = document.model_dump(mode="json", by_alias=True)
    return dumped


def sees_project(services: Platform, principal: Principal, found: Definition) -> bool:
    """Whether a principal may know of a project: its key covers it, or it made the project."""
    return principal.sees_project(found.name) or found.created_by == principal.id


def sees_datasource(services: Platform, principal: Principal, found: Definition) -> bool:
    """Whether a principal may know of a datasource: one of its projects uses it, or it made it."""
    if principal.projects is None or found.created_by == principal.id:
        return True
    return any(one.project in principal.projects for one in services.assignments.of_datasource(found.name))


def _datasource_written(services: Platform, document: Datasource) -> None:
    services.schedules.apply("datasource", document.slug, document.schedule, enabled=document.enabled)


def _project_written(services: Platform, document: Project) -> None:
    enabled = document.enabled and document.refresh_on != "manual"
    services.schedules.apply("project", document.slug, document.schedule, enabled=enabled)


DATASOURCES = Resource(
    "datasource", Datasource, "/datasources", sees_datasource, _datasource_written, unchangeable=("kind",)
)
PROJECTS = Resource("project", Project, "/projects", sees_project, _project_written)
