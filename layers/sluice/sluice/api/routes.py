"""The table of routes: each handler with its path, role and documents.

The template, the OpenAPI document and the resolver are all made from this one table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from sluice.access.policy import ACTIONS
from sluice.api.call import Answer
from sluice.domain.identity import Role

Handler = Callable[..., Answer]


@dataclass(frozen=True)
class Parameter:
    """A query parameter or header that a route understands."""

    name: str
    description: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    repeated: bool = False
    place: str = "query"


@dataclass(frozen=True)
class Route:
    """One path and verb.

    Args:
        action: what the access policy decides about; null for a route that needs no credentials.
        creates: the action instead, where the resource of the path does not exist yet.
        answer: the name of the model in `sluice.api.responses` that JSON answers fit; null where the
            route answers in no JSON. A name, since models are of use to the OpenAPI document only.
        also: further statuses that are no problems, with the models of their answers.
        small: whether an answer always fits the gateway's limit, so that none is a redirect.
        anonymous: whether credentials are looked at where they are sent, although none are needed.
    """

    method: str
    path: str
    handler: Handler
    action: str | None
    creates: str | None = None
    body: type[BaseModel] | dict[str, Any] | None = None
    answer: str | None = None
    status: int = 200
    also: Mapping[int, str] = field(default_factory=dict)
    parameters: Sequence[Parameter] = ()
    media_types: Sequence[str] = ("application/json",)
    tag: str = ""
    small: bool = False
    anonymous: bool = False

    def __post_init__(self) -> None:
        for action in (self.action, self.creates):
            if action is not None and action not in ACTIONS:
                raise ValueError(f"{self.method} {self.path} declares the unknown action {action!r}")

    @property
    def role(self) -> Role | None:
        """The lowest role that may call; null for a route that needs no credentials."""
        return ACTIONS[self.action].role if self.action is not None else None

    @property
    def may_redirect(self) -> bool:
        """Whether an answer that is too large to be inline is 303, with its address."""
        return self.method in ("GET", "POST") and self.status == 200 and not self.small

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().split("\n")[0]

    @property
    def operation_id(self) -> str:
        """The handler's name: unique over all routes."""
        return self.handler.__name__


class Routes:
    """The routes of one resource, filled by decorators; each declares its action for the access policy."""

    def __init__(self, tag: str) -> None:
        self._routes: list[Route] = []
        self._tag = tag

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def _add(self, method: str, path: str, action: str | None, **more: Any) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self._routes.append(Route(method, path, handler, action, tag=self._tag, **more))
            return handler

        return register

    def get(self, path: str, action: str | None, **more: Any) -> Callable[[Handler], Handler]:
        """Register a reader."""
        return self._add("GET", path, action, **more)

    def post(self, path: str, action: str | None, **more: Any) -> Callable[[Handler], Handler]:
        """Register a creator or an action."""
        return self._add("POST", path, action, **more)

    def put(self, path: str, action: str | None, **more: Any) -> Callable[[Handler], Handler]:
        """Register a creator or replacer."""
        return self._add("PUT", path, action, **more)

    def patch(self, path: str, action: str | None, **more: Any) -> Callable[[Handler], Handler]:
        """Register a changer."""
        return self._add("PATCH", path, action, **more)

    def delete(self, path: str, action: str | None, **more: Any) -> Callable[[Handler], Handler]:
        """Register a remover."""
        return self._add("DELETE", path, action, **more)


MERGE_PATCH = {"type": "object", "description": "A JSON merge patch (RFC 7396): what changes; null removes a field."}
LIMIT = Parameter("limit", "Items of the page.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50})
CURSOR = Parameter("cursor", "`next` of the page before.")
IF_MATCH = Parameter("If-Match", "The ETag that the change is meant for.", place="header")
IF_NONE_MATCH = Parameter("If-None-Match", "The ETag that the client has already.", place="header")
IDEMPOTENCY_KEY = Parameter("Idempotency-Key", "Repeats with this key get the first answer.", place="header")
PREFER = Parameter("Prefer", "`wait=N` waits up to N seconds for the run to end.", place="header")
VERSION = Parameter("version", "A version instead of the published one.", {"type": "integer", "minimum": 1})
AS_OF = Parameter("as_of", "The version that was published at this time.", {"type": "string", "format": "date-time"})
RECORD_KEY = Parameter("key", "The value of each column of the key, in their order.", repeated=True)
