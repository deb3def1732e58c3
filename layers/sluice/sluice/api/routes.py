"""The route tables: each handler with its path, action and documents.

The template, the OpenAPI document and the resolver are all generated from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from sluice.access.policy import ACTIONS
from sluice.api.call import Answer
from sluice.api.deprecation import Deprecation
from sluice.domain.identity import Role

Handler = Callable[..., Answer]


@dataclass(frozen=True)
class Parameter:
    """A query parameter or header that a route understands.

    Args:
        schema: the JSON schema of one value.
        repeated: whether it may be sent more than once.
        place: `query` or `header`.
    """

    name: str
    description: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    repeated: bool = False
    place: str = "query"


VIEW_AS = Parameter(
    "view_as", "For admins: the answer that this principal would get, such as `user:<subject>` or `key:<id>`."
)
IF_MATCH = Parameter("If-Match", "The ETag that the resource must have for the change to be made.", place="header")
IF_NONE_MATCH_OF_WRITES = Parameter(
    "If-None-Match",
    "`*`: the change is made only if the resource does not exist yet, so that a PUT replaces nothing. An ETag: only if "
    "the resource does not have it.",
    place="header",
)


@dataclass(frozen=True)
class Route:
    """One path and method.

    Args:
        path: below `/v1`, with its parameters in braces.
        handler: called with the call, the container and the path's parameters.
        action: the access policy's action; null for a route that needs no credentials.
        creates: the action that is checked instead if the resource of the path does not exist yet.
        body: the model, or the JSON schema, of the request's body.
        body_media_type: the media type of the request's body; null for that of JSON, or of a merge patch.
        answer: the name of the model in `sluice.api.responses` that JSON answers fit; null if the
            route answers no JSON. It is a name, so that functions do not import models that only the
            OpenAPI document needs.
        status: the status of a success.
        also: further statuses that are not problems, with the names of their models.
        small: whether every answer fits the gateway's limit, so that none is a redirect.
        anonymous: whether credentials are checked if they are sent, although none are required.
        head: whether HEAD is answered like GET, without the body. Tools that read a file by its URL ask for its
            size first.
        audited: whether requests are recorded in the audit; null: those that can change something are.
        any_query: whether query parameters that the route does not know are passed over, as for a page whose links
            go through programs that add some.
        acts: whether a GET does more than reading, so that an admin may not do it as somebody else.
        deprecated: since when the route is deprecated, and which one has replaced it; null: it is not deprecated.
    """

    method: str
    path: str
    handler: Handler
    action: str | None
    creates: str | None = None
    body: type[BaseModel] | dict[str, Any] | None = None
    body_media_type: str | None = None
    answer: str | None = None
    status: int = 200
    also: Mapping[int, str] = field(default_factory=dict)
    parameters: Sequence[Parameter] = ()
    media_types: Sequence[str] = ("application/json",)
    tag: str = ""
    small: bool = False
    anonymous: bool = False
    head: bool = False
    audited: bool | None = None
    any_query: bool = False
    acts: bool = False
    deprecated: Deprecation | None = None

    def __post_init__(self) -> None:
        # A misspelled action fails the import, and with it every test, instead of a request.
        for action in (self.action, self.creates):
            if action is not None and action not in ACTIONS:
                raise ValueError(f"{self.method} {self.path} declares the unknown action {action!r}")

    @property
    def all_parameters(self) -> Sequence[Parameter]:
        """The parameters of the route, and those that every route of its kind understands."""
        # `Call.require_match` checks both headers, so a route that honours one honours the other.
        if IF_MATCH in self.parameters:
            return (*self.parameters, IF_NONE_MATCH_OF_WRITES)
        reads = self.method == "GET" and self.action is not None and not self.anonymous and not self.acts
        return (*self.parameters, VIEW_AS) if reads else self.parameters

    @property
    def methods(self) -> tuple[str, ...]:
        """The HTTP methods that the handler answers."""
        return (self.method, "HEAD") if self.head else (self.method,)

    @property
    def changes(self) -> bool:
        """Whether requests can change something."""
        return self.method != "GET"

    @property
    def is_audited(self) -> bool:
        """Whether requests are recorded in the audit."""
        return self.changes if self.audited is None else self.audited

    @property
    def role(self) -> Role | None:
        """The lowest role that may call the route; null for one that needs no credentials."""
        return ACTIONS[self.action].role if self.action is not None else None

    @property
    def may_redirect(self) -> bool:
        """Whether an answer that is too large to be inline becomes a 303 redirect."""
        return self.method in ("GET", "POST") and self.status == 200 and not self.small

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().split("\n")[0]

    @property
    def details(self) -> str:
        """The rest of the handler's docstring, for readers of the API; empty if there is none."""
        return " ".join((self.handler.__doc__ or "").strip().partition("\n")[2].split())

    @property
    def operation_id(self) -> str:
        """The handler's name, which is unique over all routes."""
        return self.handler.__name__


class Routes:
    """The route table of one resource, filled by decorators.

    Args:
        tag: the OpenAPI tag that groups these routes.
    """

    def __init__(self, tag: str) -> None:
        self._routes: list[Route] = []
        self._tag = tag

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def _add(self, method: str, path: str, action: str | None, **options: Any) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self._routes.append(Route(method, path, handler, action, tag=self._tag, **options))
            return handler

        return register

    def get(self, path: str, action: str | None, **options: Any) -> Callable[[Handler], Handler]:
        """Register a handler for GET; `options` are further fields of `Route`."""
        return self._add("GET", path, action, **options)

    def post(self, path: str, action: str | None, **options: Any) -> Callable[[Handler], Handler]:
        """Register a handler for POST; `options` are further fields of `Route`."""
        return self._add("POST", path, action, **options)

    def put(self, path: str, action: str | None, **options: Any) -> Callable[[Handler], Handler]:
        """Register a handler for PUT; `options` are further fields of `Route`."""
        return self._add("PUT", path, action, **options)

    def patch(self, path: str, action: str | None, **options: Any) -> Callable[[Handler], Handler]:
        """Register a handler for PATCH; `options` are further fields of `Route`."""
        return self._add("PATCH", path, action, **options)

    def delete(self, path: str, action: str | None, **options: Any) -> Callable[[Handler], Handler]:
        """Register a handler for DELETE; `options` are further fields of `Route`."""
        return self._add("DELETE", path, action, **options)


MERGE_PATCH = {
    "type": "object",
    "description": "A JSON merge patch (RFC 7396): the fields to change; null removes a field.",
}
LIMIT = Parameter(
    "limit", "The most items of a page.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
)
CURSOR = Parameter("cursor", "`next` of the previous page.")
IF_NONE_MATCH = Parameter(
    "If-None-Match", "The ETag that the client has; the answer is 304 if it is current.", place="header"
)
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key", "A repeated request with this key gets the answer to the first one.", place="header"
)
PREFER = Parameter("Prefer", "`wait=N` waits up to N seconds for the run to end.", place="header")
VERSION = Parameter("version", "The version to read instead of the published one.", {"type": "integer", "minimum": 1})
AS_OF = Parameter(
    "as_of", "Read the version that was published at this time.", {"type": "string", "format": "date-time"}
)
RECORD_KEY = Parameter(
    "key", "The value of a column of the key; repeat it for each column, in their order.", repeated=True
)
