"""How an HTTP API is asked: address, credentials, and how one page leads to the next."""

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
    parts = urlsplit(url)  # raises ValueError for a port that is no number, or brackets that do not match
    if parts.port == 0 or any(not 0 < len(label) <= 63 for label in (parts.hostname or "").rstrip(".").split(".")):
        raise ValueError("the address has no usable host or port")
    return url


def url_fault(url: str) -> str | None:
    """Why an address of HTTP cannot be asked; null where it can.

    A host that looks like a number must be an IP address in its usual form: `0177.0.0.1`, `127.1`
    and the like are read in different ways by different programs.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    if ":" in host:
        try:
            IPv6Address(host.partition("%")[0])
        except ValueError:
            return f"{host!r} is not an IPv6 address"
        return "an IPv6 address with a zone belongs to one machine" if "%" in host else None
    if re.fullmatch(r"(0x[0-9a-f]*|[0-9]+)", host.rpartition(".")[2]):
        try:
            IPv4Address(host)
        except ValueError:
            return f"{host!r} is not an IPv4 address in its usual form"
        return None
    return None if _is_host_name(host) else f"{host!r} is not a host name"


def _is_host_name(host: str) -> bool:
    if not host.isascii() or "xn--" in host:
        import idna  # only for names in other scripts

        try:
            host = idna.encode(host).decode()
            idna.decode(host)
        except UnicodeError:
            return False
    return all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", label) for label in host.split("."))


HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$")]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$", max_length=8192)]
ParamName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
# The name of a query parameter or, beginning with /, a JSON Pointer into the body of the request.
PageParam = Annotated[str, StringConstraints(pattern=r"^([^/]|(/([^/~]|~[01])+)+$)", min_length=1, max_length=256)]
BodyPointer = Annotated[str, StringConstraints(pattern=r"^(/([^/~]|~[01])+)+$", max_length=1024)]
Url = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[^\s/?#@]+([/?][^\s#]*)?$", max_length=4096),
    AfterValidator(_check_url),
]

# Set by Sluice on each request: a datasource that wrote them would break framing or decoding.
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
    """What each way of pagination understands besides its own fields."""

    max_pages: Annotated[int, Field(ge=1, le=100_000)] | None = None
    has_more: JmesPath | None = Field(None, description="Selects whether another page follows.")
    stop_when: JmesPath | None = Field(None, description="Selects true on the last page.")


class PagesLimits(PageLimits):
    """What the ways of pagination with more than one page understand besides."""

    verify: Literal["never", "on_evidence", "always"] = Field(
        "on_evidence", description="When all pages are read again, to find out whether they changed while being read."
    )


class NoPagination(PageLimits):
    """One request gives the whole."""

    type: Literal["none"]


class NextUrlPagination(PagesLimits):
    """Each page names the address of the next one: in its document, or in the `Link` header."""

    type: Literal["next_url"]
    path: JmesPath | None = Field(None, description="Selects the address; null or nothing ends the pages.")
    from_: Literal["link"] | None = Field(None, alias="from", description="`link`: the header `Link` with rel=next.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.path is None) == (self.from_ is None):
            raise ValueError("pagination next_url needs either path or from")
        return self


class CursorPagination(PagesLimits):
    """Each page gives a cursor that asks for the next one."""

    type: Literal["cursor"]
    path: JmesPath | None = Field(
        None, description="Selects the cursor; null, nothing or an empty text ends the pages."
    )
    header: HeaderName | None = Field(None, description="The header that holds the cursor, instead of `path`.")
    param: ParamName | None = Field(None, description="The query parameter that takes the cursor.")
    body_path: BodyPointer | None = Field(None, description="Where in the body of the request the cursor goes.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.path is None) == (self.header is None):
            raise ValueError("pagination cursor needs either path or header")
        if (self.param is None) == (self.body_path is None):
            raise ValueError("pagination cursor needs either param or body_path")
        return self


class PagePagination(PagesLimits):
    """`page_param` grows by one, until `total_pages` or a short page."""

    type: Literal["page"]
    page_param: PageParam
    start: Annotated[int, Field(ge=0)] = 1
    size_param: PageParam | None = None
    size: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    total_pages: JmesPath | None = Field(None, description="Selects the number of pages of the whole.")


class OffsetPagination(PagesLimits):
    """`offset_param` grows by the records received, until `total` or a short page."""

    type: Literal["offset"]
    offset_param: PageParam
    start: Annotated[int, Field(ge=0)] = 0
    limit_param: PageParam | None = None
    limit: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    total: JmesPath | None = Field(None, description="Selects the number of records of the whole.")


Pagination = Annotated[
    NoPagination | NextUrlPagination | CursorPagination | OffsetPagination | PagePagination,
    Field(discriminator="type"),
]


class HttpSource(Document):
    """How an HTTP API is asked."""

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
        description="Most requests at a time, of a run whose first page says how many pages or records there are; "
        "the setting MAX_CONCURRENCY bounds it.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        reserved = sorted(name for name in self.headers if name.lower() in RESERVED_HEADERS)
        if reserved:
            raise ValueError(f"the header {reserved[0]} is set by Sluice and cannot be chosen")
        if self.body is not None and self.method == "GET":
            raise ValueError("a body needs the method POST, PUT or DELETE")
        if self._pages_in_body() and (self.method == "GET" or not isinstance(self.body, dict | None)):
            raise ValueError(
                "what pagination puts into the body needs the method POST, PUT or DELETE and a body that is an object"
            )
        return self

    def _pages_in_body(self) -> bool:
        """Whether the body says which page is asked for."""
        names = self.pagination.model_dump(include={"offset_param", "limit_param", "page_param", "size_param"})
        pointed = any(name is not None and name.startswith("/") for name in names.values())
        return pointed or (isinstance(self.pagination, CursorPagination) and self.pagination.body_path is not None)
