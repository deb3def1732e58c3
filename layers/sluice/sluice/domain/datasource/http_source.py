"""How an HTTP API is requested: URL, credentials, and pagination."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sluice.domain.base import Document
from sluice.domain.expression import JmesPath
from sluice.domain.names import SecretName


def _check_url(url: str) -> str:
    parts = urlsplit(url)  # raises ValueError if the port is not a number or brackets do not match
    if parts.port == 0 or any(not 0 < len(label) <= 63 for label in (parts.hostname or "").rstrip(".").split(".")):
        raise ValueError("the URL has no usable host or port")
    return url


def url_fault(url: str) -> str | None:
    """Why a URL cannot be requested.

    A host that looks like a number must be an IPv4 address in dotted-decimal form. Programs disagree about
    `0177.0.0.1`, `127.1` and the like, so an address check could be bypassed with them.

    Returns:
        The reason as the end of a sentence; None if the URL can be requested.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    if ":" in host:
        try:
            IPv6Address(host.partition("%")[0])
        except ValueError:
            return f"{host!r} is not an IPv6 address"
        return "IPv6 addresses with a zone id are valid on one machine only" if "%" in host else None
    # WHATWG URLs: a host whose last label is numeric is parsed as an IPv4 address.
    if re.fullmatch(r"(0x[0-9a-f]*|[0-9]+)", host.rpartition(".")[2]):
        try:
            IPv4Address(host)
        except ValueError:
            return f"{host!r} is not an IPv4 address in dotted-decimal form"
        return None
    return None if _is_host_name(host) else f"{host!r} is not a host name"


def _is_host_name(host: str) -> bool:
    if not host.isascii() or "xn--" in host:
        import idna  # only for internationalized names; costs cold-start time

        try:
            host = idna.encode(host).decode()
            idna.decode(host)
        except UnicodeError:
            return False
    return all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", label) for label in host.split("."))


HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$")]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$", max_length=8192)]
ParamName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
# The name of a query parameter or, if it begins with /, a JSON Pointer into the request body.
PageParam = Annotated[str, StringConstraints(pattern=r"^([^/]|(/([^/~]|~[01])+)+$)", min_length=1, max_length=256)]
BodyPointer = Annotated[str, StringConstraints(pattern=r"^(/([^/~]|~[01])+)+$", max_length=1024)]
Url = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[^\s/?#@]+([/?][^\s#]*)?$", max_length=4096),
    AfterValidator(_check_url),
]

# Sluice sets these on each request; a datasource that set them would break framing or decoding.
RESERVED_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})


class NoAuth(Document):
    """No credentials."""

    type: Literal["none"]


class BearerAuth(Document):
    """`Authorization: Bearer` with the secret's value."""

    type: Literal["bearer"]
    secret: SecretName


class BasicAuth(Document):
    """HTTP Basic: a user name, and a secret as the password."""

    type: Literal["basic"]
    username: Annotated[str, StringConstraints(pattern=r"^[^:\x00-\x1f]*$", max_length=256)]
    secret: SecretName


class ApiKeyAuth(Document):
    """A secret in a header or a query parameter."""

    type: Literal["api_key"]
    in_: Literal["header", "query"] = Field(alias="in")
    name: HeaderName
    secret: SecretName


Auth = Annotated[NoAuth | BearerAuth | BasicAuth | ApiKeyAuth, Field(discriminator="type")]


class PageLimits(Document):
    """Options that every pagination type has."""

    max_pages: Annotated[int, Field(ge=1, le=100_000)] | None = None
    has_more: JmesPath | None = Field(None, description="Selects whether another page follows.")
    stop_when: JmesPath | None = Field(None, description="Selects true on the last page.")


class PagesLimits(PageLimits):
    """Options that every pagination type with several pages has."""

    verify: Literal["never", "on_evidence", "always"] = Field(
        "on_evidence", description="When to read all pages a second time, to detect changes during the first reading."
    )


class NoPagination(PageLimits):
    """One request returns everything."""

    type: Literal["none"]


class NextUrlPagination(PagesLimits):
    """Each page has the URL of the next one: in its document or in the `Link` header."""

    type: Literal["next_url"]
    path: JmesPath | None = Field(
        None, description="Selects the URL; if it selects nothing or null, there are no more pages."
    )
    from_: Literal["link"] | None = Field(None, alias="from", description="`link`: the header `Link` with rel=next.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.path is None) == (self.from_ is None):
            raise ValueError("pagination next_url needs either path or from")
        return self


class CursorPagination(PagesLimits):
    """Each page has a cursor, which is sent to request the next one."""

    type: Literal["cursor"]
    path: JmesPath | None = Field(
        None, description="Selects the cursor; if it selects nothing, null or an empty string, there are no more pages."
    )
    header: HeaderName | None = Field(None, description="The header that holds the cursor, instead of `path`.")
    param: ParamName | None = Field(None, description="The query parameter that takes the cursor.")
    body_path: BodyPointer | None = Field(
        None, description="A JSON Pointer to the place of the cursor in the request body."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.path is None) == (self.header is None):
            raise ValueError("pagination cursor needs either path or header")
        if (self.param is None) == (self.body_path is None):
            raise ValueError("pagination cursor needs either param or body_path")
        return self


class PagePagination(PagesLimits):
    """`page_param` grows by one until `total_pages` or a short page is reached."""

    type: Literal["page"]
    page_param: PageParam
    start: Annotated[int, Field(ge=0)] = 1
    size_param: PageParam | None = None
    size: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    total_pages: JmesPath | None = Field(None, description="Selects the total number of pages.")


class OffsetPagination(PagesLimits):
    """`offset_param` grows by the number of records received until `total` or a short page is reached."""

    type: Literal["offset"]
    offset_param: PageParam
    start: Annotated[int, Field(ge=0)] = 0
    limit_param: PageParam | None = None
    limit: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    total: JmesPath | None = Field(None, description="Selects the total number of records.")


Pagination = Annotated[
    NoPagination | NextUrlPagination | CursorPagination | OffsetPagination | PagePagination,
    Field(discriminator="type"),
]


class HttpSource(Document):
    """How an HTTP API is requested."""

    url: Url
    method: Literal["GET", "POST", "PUT", "DELETE"] = Field(
        "GET", description="A request of any method may be sent more than once: after a failure, or to verify pages."
    )
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    params: dict[ParamName, str | int | float | bool] = Field(default_factory=dict)
    body: dict[str, object] | list[object] | None = None
    auth: Auth = NoAuth(type="none")
    pagination: Pagination = NoPagination(type="none")
    timeout_seconds: Annotated[int, Field(ge=1, le=300)] = 60
    concurrency: Annotated[int, Field(ge=1, le=64)] = Field(
        4,
        description="The most concurrent requests of a run whose first page tells the number of pages or records; "
        "at most MAX_CONCURRENCY.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        reserved = sorted(name for name in self.headers if name.lower() in RESERVED_HEADERS)
        if reserved:
            raise ValueError(f"Sluice sets the header {reserved[0]} itself; remove it")
        if self.body is not None and self.method == "GET":
            raise ValueError("a body needs the method POST, PUT or DELETE")
        if self._pages_in_body() and (self.method == "GET" or not isinstance(self.body, dict | None)):
            raise ValueError(
                "pagination into the body needs the method POST, PUT or DELETE and a body that is an object"
            )
        return self

    def _pages_in_body(self) -> bool:
        """Whether pagination writes into the request body."""
        names = self.pagination.model_dump(include={"offset_param", "limit_param", "page_param", "size_param"})
        in_body = any(name is not None and name.startswith("/") for name in names.values())
        return in_body or (isinstance(self.pagination, CursorPagination) and self.pagination.body_path is not None)
