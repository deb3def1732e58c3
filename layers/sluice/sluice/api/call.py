"""One request and its answer, independent of the gateway's event format."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel

from sluice.access.policy import require
from sluice.api.targets import Target
from sluice.catalog.definitions import Definition
from sluice.domain.assets.codes import is_code
from sluice.domain.base import validate
from sluice.domain.identity import Principal
from sluice.domain.json_text import dumps, loads
from sluice.domain.names import parse_time
from sluice.domain.run import Run
from sluice.errors import Invalid, MalformedRequest, PayloadTooLarge, PreconditionFailed, Unauthenticated
from sluice.settings import Settings

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Answer:
    """What a handler returns.

    Args:
        body: a JSON value, or the bytes themselves.
        shown_once: fields of the body that are never stored, not even to replay the answer: a new
            key's secret.
        filename: the name under which a browser saves the answer.
        stored_key: the key of an object in the lake that is the body; the client is redirected to it.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    shown_once: tuple[str, ...] = ()
    filename: str | None = None
    stored_key: str | None = None

    def content(self) -> bytes:
        """The bytes to send; none for a status without a body."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.status in (204, 304) else dumps(self.body)


@dataclass(frozen=True)
class Call:
    """One request, as handlers see it.

    Before a handler runs, the dispatcher checks the principal's role (401, 403), loads what the path
    names and checks access to it (404, 403). Handlers continue in the contract's order of checks:
    `json` (400), `require_match` (412), then validation (422).

    Args:
        headers: by their names in lower case.
        query: each query parameter's values, in the order sent.
        raw_body: as the gateway passes it, base64 where `body_is_base64`.
        base_url: the API's address, ending in `/v1`, without a slash.
        caller: who sends the request; null where no credentials were checked.
        known_parameters: the query parameters that the route understands.
        source_ip: the address of the caller, for rate limits and the audit.
        request_id: the gateway's id of the request, which the logs contain.
        target: what the path names; null for a route that acts on no single resource.
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
    source_ip: str = ""
    request_id: str | None = None
    target: Target | None = None

    @property
    def principal(self) -> Principal:
        """The caller.

        Raises:
            Unauthenticated: the request has no valid credentials.
        """
        if self.caller is None:
            raise Unauthenticated("Send an API key as Authorization: Bearer <key> or x-api-key: <key>.")
        return self.caller

    @property
    def definition(self) -> Definition:
        """The project, datasource or asset that the path names, or the project or datasource of its run.

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
        """Check an action besides the route's own, such as one that depends on the body.

        Args:
            action: a name in `sluice.access.policy.ACTIONS`.

        Raises:
            Forbidden: the action needs a higher role, or the owner.
        """
        assert self.target is not None
        assert self.target.resource is not None
        require(self.principal, action, self.target.resource, self.target.missing)

    def header(self, name: str) -> str | None:
        """A header's value, whatever the case of its name; null when it is absent."""
        return self.headers.get(name.lower())

    def body(self) -> bytes:
        """The body's bytes, decoded from the gateway's base64 where needed.

        Raises:
            PayloadTooLarge: there are more than `MAX_REQUEST_BYTES`.
            MalformedRequest: the base64 is invalid.
        """
        text = self.raw_body or ""
        try:
            content = base64.b64decode(text, validate=True) if self.body_is_base64 else text.encode()
        # The gateway can pass lone surrogates, which UTF-8 cannot encode.
        except (binascii.Error, UnicodeEncodeError):
            raise MalformedRequest("The body cannot be decoded.") from None
        # Of the decoded body: base64 is a third longer.
        if len(content) > self.settings.max_request_bytes:
            raise PayloadTooLarge(
                f"The body has {len(content)} bytes; at most {self.settings.max_request_bytes} are accepted."
            )
        return content

    def json(self, *, exact: bool = False) -> Any:
        """The body as JSON.

        Args:
            exact: keep every digit: fractions become Decimal, and integers have any size.

        Raises:
            MalformedRequest: the body is empty, or not JSON in UTF-8.
        """
        content = self.body()
        if not content.strip():
            raise MalformedRequest("The body is empty; send a JSON document.")
        try:
            # orjson is faster, but reads every fraction as a double; both refuse NaN.
            return loads(content, exact=True) if exact else orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise MalformedRequest(f"The body is not JSON: {error}.") from None

    def document(self, model: type[M], default: Any = None, precondition: Callable[[], None] = lambda: None) -> M:
        """The body as a document of a model.

        Args:
            model: the document's class.
            default: the value of an empty body; without one, an empty body is refused.
            precondition: checks `If-Match`; it is called after the body is parsed and before it is
                validated, which is the contract's order (400, 412, 422).

        Raises:
            MalformedRequest: the body is not JSON.
            Invalid: it does not fit the model, or a query parameter is unknown.
        """
        body = default if default is not None and not self.body().strip() else self.json()
        precondition()
        self.require_known_parameters()
        return validate(model, body)

    def require_known_parameters(self) -> None:
        """Refuse query parameters that the route does not understand.

        Raises:
            Invalid: one fault for each unknown parameter.
        """
        unknown = sorted(set(self.query) - self.known_parameters)
        if unknown:
            known = ", ".join(sorted(self.known_parameters)) or "none"
            faults = [_fault(name, "Unknown query parameter.") for name in unknown]
            raise Invalid(f"The query parameter {unknown[0]} is unknown; this route has: {known}.", faults)

    def query_value(self, name: str) -> str | None:
        """The value of a query parameter that may be sent once; null when it is absent.

        Raises:
            Invalid: it is sent more than once.
        """
        values = self.query.get(name, [])
        if len(values) > 1:
            raise Invalid(f"The query parameter {name} is sent {len(values)} times.", [_fault(name, "Send it once.")])
        return values[0] if values else None

    def query_values(self, name: str) -> list[str]:
        """The values of a query parameter that may be repeated, in the order sent."""
        return list(self.query.get(name, []))

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A query parameter that is a whole number.

        Args:
            default: the result when the parameter is absent.
            lowest, highest: the bounds, both included.

        Raises:
            Invalid: the value is not a whole number within the bounds.
        """
        text = self.query_value(name)
        if text is None:
            return default
        # At most 15 digits: no larger number is meaningful, and int() of a long text takes quadratic time.
        if not re.fullmatch(r"-?[0-9]{1,15}", text) or not lowest <= int(text) <= highest:
            message = f"Give a whole number from {lowest} to {highest}."
            raise Invalid(f"The query parameter {name} cannot be {text!r}.", [_fault(name, message)])
        return int(text)

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """A query parameter with an enumerated value.

        Args:
            choices: the allowed values.
            default: the result when the parameter is absent.

        Raises:
            Invalid: the value is not among the choices.
        """
        text = self.query_value(name) or default
        if text not in choices:
            message = f"Give one of {', '.join(choices)}."
            raise Invalid(f"The query parameter {name} cannot be {text!r}.", [_fault(name, message)])
        return text

    def moment(self, name: str) -> datetime | None:
        """A query parameter that is a time; null when it is absent.

        Raises:
            Invalid: the value is not an RFC 3339 time with an offset.
        """
        text = self.query_value(name)
        try:
            return parse_time(text) if text is not None else None
        except ValueError:
            message = "Give an RFC 3339 time with an offset, such as 2026-01-31T12:00:00Z."
            raise Invalid(f"The query parameter {name} cannot be {text!r}.", [_fault(name, message)]) from None

    def code(self, name: str) -> str | None:
        """A query parameter that is the code of a site or of equipment; null when it is absent.

        Raises:
            Invalid: the value cannot be a code. (DynamoDB would refuse a long one as a key.)
        """
        text = self.query_value(name)
        if text is not None and not is_code(text):
            message = "A code has 1 to 32 letters, digits and hyphens."
            raise Invalid(f"The query parameter {name} is not a code.", [_fault(name, message)])
        return text

    def limit(self) -> int:
        """The page size of a list: `limit`, or the setting `PAGE_LIMIT`."""
        return self.integer("limit", self.settings.page_limit, 1, self.settings.max_page_limit)

    def wait_seconds(self) -> int:
        """The seconds of `Prefer: wait=N`, at most `MAX_WAIT_SECONDS`; 0 without the header."""
        # RFC 7240: a preference that cannot be parsed is ignored, not refused.
        match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})", self.header("prefer") or "")
        return min(int(match[1]), self.settings.max_wait_seconds) if match else 0

    def require_match(self, etag: str | None) -> None:
        """Refuse a write whose `If-Match` or `If-None-Match` does not hold.

        Args:
            etag: the resource's current ETag; null when it does not exist.

        Raises:
            PreconditionFailed: `If-Match` does not list the ETag, or `If-None-Match` lists it or is
                `*` and the resource exists.
        """
        # RFC 9110, section 13.2.2: If-Match is evaluated before If-None-Match.
        if_match = self.header("if-match")
        if if_match is not None:
            tags = _tags(if_match)
            if etag is None or ("*" not in tags and etag not in tags):
                raise PreconditionFailed(
                    "The resource has changed: its ETag is not in If-Match. Read it again and repeat the change."
                )
        if self.header("if-none-match") is not None and etag is not None:
            tags = _tags(self.header("if-none-match") or "")
            if "*" in tags or etag in tags:
                raise PreconditionFailed("The resource already exists.")

    def client_has(self, etag: str) -> bool:
        """Whether `If-None-Match` lists this ETag, so that the answer can be 304."""
        tags = _tags(self.header("if-none-match") or "")
        return etag in tags or "*" in tags

    def url(self, path: str) -> str:
        """The absolute URL of a path below `/v1`."""
        return self.base_url + path


def _tags(header: str) -> set[str]:
    # Weak tags count as strong ones: a proxy that compresses an answer marks its ETag as weak.
    return {tag.strip().removeprefix("W/").strip('"') for tag in header.split(",") if tag.strip()}


def _fault(parameter: str, message: str) -> dict[str, str]:
    return {"pointer": f"?{parameter}", "message": message}
