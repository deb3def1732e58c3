"""One request and its answer, free of any gateway's event format."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel

from sluice.access.policy import require
from sluice.api.targets import Target
from sluice.catalog.definitions import Definition
from sluice.domain.base import validate
from sluice.domain.identity import Principal
from sluice.domain.json_text import dumps, loads
from sluice.domain.run import Run
from sluice.errors import Invalid, MalformedRequest, PayloadTooLarge, PreconditionFailed, Unauthenticated
from sluice.settings import Settings

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Answer:
    """What a handler returns: a JSON value or bytes, a status, and headers.

    `shown_once` names parts of the body that must not be kept anywhere, not even for a replay;
    `filename` is the name under which a browser keeps an answer that is too large to be inline.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    shown_once: tuple[str, ...] = ()
    filename: str | None = None

    def content(self) -> bytes:
        """The body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.status in (204, 304) else dumps(self.body)


@dataclass(frozen=True)
class Call:
    """One request, as handlers see it.

    Before a handler runs, the principal's role is checked (401, 403), and what the path names is
    found and decided about (404, 403). Handlers go on in the order of the contract's checks:
    `json` (400), `require_match` (412), then validation (422).
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, list[str]]
    raw_body: str | None
    body_is_base64: bool
    base_url: str
    settings: Settings
    caller: Principal | None
    known_parameters: frozenset[str] = frozenset()
    source: str = ""
    target: Target | None = None

    @property
    def principal(self) -> Principal:
        """The caller.

        Raises:
            Unauthenticated: nobody vouched for the request.
        """
        if self.caller is None:
            raise Unauthenticated("Send an API key as Authorization: Bearer <key> or x-api-key: <key>.")
        return self.caller

    @property
    def definition(self) -> Definition:
        """The project or datasource that the path names, or that its run works for.

        Raises:
            NotFound: it does not exist.
        """
        assert self.target is not None
        if self.target.definition is None:
            raise self.target.missing
        return self.target.definition

    @property
    def run(self) -> Run:
        """The run that the path names.

        Raises:
            NotFound: it does not exist.
        """
        assert self.target is not None
        if self.target.run is None:
            raise self.target.missing
        return self.target.run

    def require(self, action: str) -> None:
        """Refuse a caller that may not do a further action on what the path names.

        Raises:
            Forbidden: it takes a higher role or the owner.
        """
        assert self.target is not None
        assert self.target.resource is not None
        require(self.principal, action, self.target.resource, self.target.missing)

    def header(self, name: str) -> str | None:
        """A header, whatever the case of its name; none when it is absent."""
        return self.headers.get(name.lower())

    def body(self) -> bytes:
        """The body's bytes.

        Raises:
            PayloadTooLarge: there are more than the setting allows.
            MalformedRequest: the gateway's base64 is broken.
        """
        text = self.raw_body or ""
        try:
            content = base64.b64decode(text, validate=True) if self.body_is_base64 else text.encode()
        except (binascii.Error, UnicodeEncodeError):
            raise MalformedRequest("The body cannot be decoded.") from None
        if len(content) > self.settings.max_request_bytes:
            raise PayloadTooLarge(
                f"The body has {len(content)} bytes; at most {self.settings.max_request_bytes} are taken."
            )
        return content

    def json(self, *, exact: bool = False) -> Any:
        """The body as JSON.

        Args:
            exact: no digit of a number is lost: fractions become Decimal, and whole numbers have any size.

        Raises:
            MalformedRequest: it is no JSON in UTF-8.
        """
        content = self.body()
        if not content.strip():
            raise MalformedRequest("The body is empty; send a JSON document.")
        try:
            return loads(content, exact=True) if exact else orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise MalformedRequest(f"The body is not JSON: {error}.") from None

    def document(self, model: type[M], default: Any = None, precondition: Callable[[], None] = lambda: None) -> M:
        """The body as a document of a model.

        Args:
            default: what an empty body stands for; without one it is refused.
            precondition: checks `If-Match`: after the body was read, before it is validated.

        Raises:
            MalformedRequest: it is no JSON.
            Invalid: it does not fit the model, or a query parameter is unknown.
        """
        body = default if default is not None and not self.body().strip() else self.json()
        precondition()
        self.require_known_parameters()
        return validate(model, body)

    def require_known_parameters(self) -> None:
        """Refuse query parameters that the route does not understand.

        Raises:
            Invalid: naming them.
        """
        unknown = sorted(set(self.query) - self.known_parameters)
        if unknown:
            said = ", ".join(sorted(self.known_parameters)) or "none"
            faults = [_at(name, "Unknown query parameter.") for name in unknown]
            raise Invalid(f"The query parameter {unknown[0]} is unknown; known here: {said}.", faults)

    def one(self, name: str) -> str | None:
        """A query parameter that may be given once.

        Raises:
            Invalid: it is given more than once.
        """
        values = self.query.get(name, [])
        if len(values) > 1:
            raise Invalid(f"The query parameter {name} is given {len(values)} times.", [_at(name, "Give it once.")])
        return values[0] if values else None

    def many(self, name: str) -> list[str]:
        """A query parameter that may be repeated, in the order given."""
        return list(self.query.get(name, []))

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A query parameter that is a whole number within bounds.

        Raises:
            Invalid: it is none, or lies outside.
        """
        text = self.one(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?\d{1,15}", text) or not lowest <= int(text) <= highest:
            message = f"Give a whole number from {lowest} to {highest}."
            raise Invalid(f"The query parameter {name} cannot be {text!r}.", [_at(name, message)])
        return int(text)

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """A query parameter that is one of a few words.

        Raises:
            Invalid: it is none of them.
        """
        text = self.one(name) or default
        if text not in choices:
            message = f"Give one of {', '.join(choices)}."
            raise Invalid(f"The query parameter {name} cannot be {text!r}.", [_at(name, message)])
        return text

    def limit(self) -> int:
        """How many items of a list are asked for."""
        return self.integer("limit", self.settings.page_limit, 1, self.settings.max_page_limit)

    def wait_seconds(self) -> int:
        """The seconds of `Prefer: wait=N`, as many as are granted; 0 without one."""
        match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})", self.header("prefer") or "")
        return min(int(match[1]), self.settings.max_wait_seconds) if match else 0

    def require_match(self, etag: str | None) -> None:
        """Refuse a write that was meant for another state of the resource.

        Args:
            etag: the resource's present ETag; none when it does not exist.

        Raises:
            PreconditionFailed: `If-Match` names other states, or `If-None-Match: *` meets a
                resource that is there.
        """
        wanted = self.header("if-match")
        if wanted is not None:
            tags = _tags(wanted)
            if etag is None or ("*" not in tags and etag not in tags):
                raise PreconditionFailed("The resource is not in the state that If-Match names; read it again.")
        if self.header("if-none-match") is not None and etag is not None:
            tags = _tags(self.header("if-none-match") or "")
            if "*" in tags or etag in tags:
                raise PreconditionFailed("The resource exists already.")

    def has(self, etag: str) -> bool:
        """Whether the client says that it has this state already (`If-None-Match`)."""
        tags = _tags(self.header("if-none-match") or "")
        return etag in tags or "*" in tags

    def link(self, path: str) -> str:
        """The absolute address of a path below `/v1`."""
        return self.base_url + path


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/").strip('"') for tag in header.split(",") if tag.strip()}


def _at(parameter: str, message: str) -> dict[str, str]:
    return {"pointer": f"?{parameter}", "message": message}
