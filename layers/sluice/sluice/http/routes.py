"""The table of routes: each handler with its path, role and documents.

The template, the OpenAPI document and the resolver are all made from this one table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from sluice.domain.identity import Role
from sluice.http.call import Answer

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
        role: the lowest role that may call; none means that no credentials are looked at, unless
            `anonymous` says that they are where they are sent.
    """

    method: str
    path: str
    handler: Handler
    role: Role | None
    body: type[BaseModel] | dict[str, Any] | None = None
    answer: type[BaseModel] | dict[str, Any] | None = None
    status: int = 200
    parameters: Sequence[Parameter] = ()
    media_types: Sequence[str] = ("application/json",)
    tag: str = ""
    anonymous: bool = False

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().split("\n")[0]

    @property
    def operation_id(self) -> str:
        """The handler's name: unique over all routes."""
        return self.handler.__name__


class Routes:
    """The routes of one resource, filled by decorators.

    `role` is the lowest role that may call; none means that no credentials are needed.
    """

    def __init__(self, tag: str) -> None:
        self._routes: list[Route] = []
        self._tag = tag

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def _add(self, method: str, path: str, role: Role | None, **said: Any) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self._routes.append(Route(method, path, handler, role, tag=self._tag, **said))
            return handler

        return register

    def get(self, path: str, role: Role | None = "viewer", **said: Any) -> Callable[[Handler], Handler]:
        """Register a reader."""
        return self._add("GET", path, role, **said)

    def post(self, path: str, role: Role | None = "editor", **said: Any) -> Callable[[Handler], Handler]:
        """Register a creator or an action."""
        return self._add("POST", path, role, **said)

    def put(self, path: str, role: Role | None = "editor", **said: Any) -> Callable[[Handler], Handler]:
        """Register a creator or replacer."""
        return self._add("PUT", path, role, **said)

    def patch(self, path: str, role: Role | None = "editor", **said: Any) -> Callable[[Handler], Handler]:
        """Register a changer."""
        return self._add("PATCH", path, role, **said)

    def delete(self, path: str, role: Role | None = "editor", **said: Any) -> Callable[[Handler], Handler]:
        """Register a remover."""
        return self._add("DELETE", path, role, **said)


LIMIT = Parameter("limit", "Items of the page.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50})
CURSOR = Parameter("cursor", "`next` of the page before.")
IF_MATCH = Parameter("If-Match", "The ETag that the change is meant for.", place="header")
IF_NONE_MATCH = Parameter("If-None-Match", "The ETag that the client has already.", place="header")
IDEMPOTENCY_KEY = Parameter("Idempotency-Key", "Repeats with this key get the first answer.", place="header")
PREFER = Parameter("Prefer", "`wait=N` waits up to N seconds for the run to end.", place="header")
VERSION = Parameter("version", "A version instead of the published one.", {"type": "integer", "minimum": 1})
AS_OF = Parameter("as_of", "The version that was published at this time.", {"type": "string", "format": "date-time"})
RECORD_KEY = Parameter("key", "The value of each column of the key, in their order.", repeated=True)
