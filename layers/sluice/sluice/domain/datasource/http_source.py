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
from sluice.patterns import Pattern


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
    if re.search(r"[\x00-\x1f\x7f]", url):
        return "it has control characters, which must be percent-encoded"
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


HeaderName = Annotated[
    str,
    Pattern(
        r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$",
        "give the name of a header, such as X-Api-Version, without spaces and :",
    ),
]
HeaderValue = Annotated[
    str, StringConstraints(max_length=8192), Pattern(r"^[\x20-\x7e]*$", "use ASCII characters in one line")
]
ParamName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
# The name of a query parameter or, if it begins with /, a JSON Pointer into the request body.
PAGE_PARAM_PATTERN = Pattern(
    r"^([^/]|(/([^/~]|~[01])+)+$)",
    "give the name of a query parameter, or a JSON Pointer into the body such as /paging/offset",
)
PageParam = Annotated[str, StringConstraints(min_length=1, max_length=256), PAGE_PARAM_PATTERN]
BODY_POINTER_PATTERN = Pattern(r"^(/([^/~]|~[01])+)+$", "give a JSON Pointer into the body, such as /filter/since")
BodyPointer = Annotated[str, StringConstraints(max_length=1024), BODY_POINTER_PATTERN]
URL_PATTERN = Pattern(
    r"^https?://[^\s/?#@]+([/?][^\s#]*)?$",
    "give a whole address such as https://api.example.com/v1/coins, without a user name, spaces and `#`",
)
Url = Annotated[
    str,
    StringConstraints(max_length=4096),
    URL_PATTERN,
    AfterValidator(_check_url),
]

# Sluice sets these on each request; a datasource that set them would break framing or decoding.
RESERVED_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})


class NoAuth(Document):
    """No credentials."""

    type: Literal["none"] = Field(description="`none`: requests carry no credentials.")


class BearerAuth(Document):
    """`Authorization: Bearer` with the secret's value."""

    type: Literal["bearer"] = Field(description="`bearer`: requests carry the header `Authorization: Bearer <secret>`.")
    secret: SecretName = Field(description="The name of the secret whose value is the token.")


class BasicAuth(Document):
    """HTTP Basic: a user name, and a secret as the password."""

    type: Literal["basic"] = Field(description="`basic`: requests carry a user name and a password, by HTTP Basic.")
    username: Annotated[
        str,
        StringConstraints(max_length=256),
        Pattern(r"^[^:\x00-\x1f]*$", "give a user name in one line, without :"),
    ] = Field(description="The user name, in plain text; everybody who can read the datasource sees it.")
    secret: SecretName = Field(description="The name of the secret whose value is the password.")


class ApiKeyAuth(Document):
    """A secret in a header or a query parameter."""

    type: Literal["api_key"] = Field(description="`api_key`: requests carry a key in a header or query parameter.")
    in_: Literal["header", "query"] = Field(
        alias="in", description="Where the key is sent: in a `header`, or as a `query` parameter."
    )
    name: HeaderName = Field(description="The name of the header or query parameter, such as `X-API-Key`.")
    secret: SecretName = Field(description="The name of the secret whose value is the key.")


Auth = Annotated[NoAuth | BearerAuth | BasicAuth | ApiKeyAuth, Field(discriminator="type")]


class PageLimits(Document):
    """Options that every pagination type has."""

    max_pages: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None,
        description="The most pages that a run requests; if more follow, the result is partial. Null: the "
        "setting MAX_PAGES.",
    )
    has_more: JmesPath | None = Field(
        None,
        description="A JMESPath expression on the page: true if another page follows, false if not. Null: not used.",
    )
    stop_when: JmesPath | None = Field(
        None, description="A JMESPath expression on the page that is true on the last page. Null: not used."
    )


class PagesLimits(PageLimits):
    """Options that every pagination type with several pages has."""

    verify: Literal["never", "on_evidence", "always"] = Field(
        "on_evidence", description="When to read all pages a second time, to detect changes during the first reading."
    )


class NoPagination(PageLimits):
    """One request returns everything."""

    type: Literal["none"] = Field(description="`none`: one request returns everything.")


class NextUrlPagination(PagesLimits):
    """Each page has the URL of the next one: in its document or in the `Link` header."""

    type: Literal["next_url"] = Field(description="`next_url`: each page has the URL of the next one.")
    path: JmesPath | None = Field(
        None,
        description="A JMESPath expression that selects the URL in the page; if it selects nothing or null, the page "
        "is the last. Set either `path` or `from`.",
    )
    from_: Literal["link"] | None = Field(None, alias="from", description="`link`: the header `Link` with rel=next.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.path is None) == (self.from_ is None):
            raise ValueError("pagination next_url needs either path or from")
        return self


class CursorPagination(PagesLimits):
    """Each page has a cursor, which is sent to request the next one."""

    type: Literal["cursor"] = Field(description="`cursor`: each page has a value to send for the next page.")
    path: JmesPath | None = Field(
        None,
        description="A JMESPath expression that selects the cursor in the page; if it selects nothing, null or an "
        "empty string, the page is the last. Set either `path` or `header`.",
    )
    header: HeaderName | None = Field(None, description="The response header that holds the cursor.")
    param: ParamName | None = Field(
        None, description="The query parameter in which the cursor is sent. Set either `param` or `body_path`."
    )
    body_path: BodyPointer | None = Field(
        None, description="A JSON Pointer to the place in the request body at which the cursor is sent."
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

    type: Literal["page"] = Field(description="`page`: pages have consecutive numbers.")
    page_param: PageParam = Field(
        description="Where the page number is sent: a query parameter or, beginning with `/`, a JSON Pointer into the "
        "body."
    )
    start: Annotated[int, Field(ge=0)] = Field(1, description="The number of the first page.")
    size_param: PageParam | None = Field(
        None, description="Where the page size is sent, as for `page_param`. Null: it is not sent."
    )
    size: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="The number of records that a full page has; a page with fewer is the last. Null: unknown."
    )
    total_pages: JmesPath | None = Field(
        None,
        description="A JMESPath expression that selects the total number of pages. Null: the API does not state it.",
    )


class OffsetPagination(PagesLimits):
    """`offset_param` grows by the number of records received until `total` or a short page is reached."""

    type: Literal["offset"] = Field(description="`offset`: each request states how many records to skip.")
    offset_param: PageParam = Field(
        description="Where the offset is sent: a query parameter or, beginning with `/`, a JSON Pointer into the body."
    )
    start: Annotated[int, Field(ge=0)] = Field(
        0, description="The offset of the first record: 0, or 1 for APIs that count from 1."
    )
    limit_param: PageParam | None = Field(
        None, description="Where the page size is sent, as for `offset_param`. Null: it is not sent."
    )
    limit: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="The number of records that a full page has; a page with fewer is the last. Null: unknown."
    )
    total: JmesPath | None = Field(
        None,
        description="A JMESPath expression that selects the total number of records. Null: the API does not state it.",
    )


Pagination = Annotated[
    NoPagination | NextUrlPagination | CursorPagination | OffsetPagination | PagePagination,
    Field(discriminator="type"),
]


class HttpSource(Document):
    """How an HTTP API is requested."""

    url: Url = Field(description="The address of the first page, `http://` or `https://`, without credentials.")
    method: Literal["GET", "POST", "PUT", "DELETE"] = Field(
        "GET", description="A request of any method may be sent more than once: after a failure, or to verify pages."
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict,
        description="Request headers by name. Credentials are refused here; name a secret in `auth` instead.",
    )
    params: dict[ParamName, str | int | float | bool] = Field(
        default_factory=dict,
        description="Query parameters by name, added to those in `url`. Credentials are refused here, too.",
    )
    body: dict[str, object] | list[object] | None = Field(
        None, description="The request body, sent as JSON. Null: none. It needs the method POST, PUT or DELETE."
    )
    auth: Auth = Field(NoAuth(type="none"), description="The credentials of the requests. Omitted: none.")
    pagination: Pagination = Field(
        NoPagination(type="none"),
        description="How the pages after the first are requested. Omitted: there is only one page.",
    )
    timeout_seconds: Annotated[int, Field(ge=1, le=300)] = Field(
        60, description="How many seconds a response may take before the request counts as failed and is tried again."
    )
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
