"""What a datasource is: the document that a user writes."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sluice.domain.base import Document
from sluice.domain.expression import FieldExpression, JmesPath
from sluice.domain.names import SecretName, Slug, slug_of
from sluice.domain.schedule import Schedule
from sluice.domain.schema import ColumnType

# Columns that Sluice adds to every record or merged row.
RESERVED_COLUMNS = frozenset({"_page", "_row", "_source", "_rank", "_file_index", "file_row_number"})


def _check_column(name: str) -> str:
    if name.lower() in RESERVED_COLUMNS:
        raise ValueError(f"the column {name} belongs to Sluice; choose another name")
    return name


def _check_url(url: str) -> str:
    parts = urlsplit(url)  # raises ValueError for a port that is no number, or brackets that do not match
    if parts.port == 0 or any(not 0 < len(label) <= 63 for label in (parts.hostname or "").rstrip(".").split(".")):
        raise ValueError("the address has no usable host or port")
    return url


HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$")]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$", max_length=8192)]
ParamName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
ColumnName = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$"), AfterValidator(_check_column)
]
DisplayName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Description = Annotated[str, StringConstraints(max_length=10_000)]
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


class NoPagination(PageLimits):
    """One request gives the whole."""

    type: Literal["none"]


class OffsetPagination(PageLimits):
    """`offset_param` grows by the records received, until `total` or a short page."""

    type: Literal["offset"]
    offset_param: ParamName
    start: Annotated[int, Field(ge=0)] = 0
    limit_param: ParamName | None = None
    limit: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    total: JmesPath | None = Field(None, description="Selects the number of records of the whole.")


Pagination = Annotated[NoPagination | OffsetPagination, Field(discriminator="type")]


class HttpSource(Document):
    """How an HTTP API is asked."""

    url: Url
    method: Literal["GET", "POST"] = "GET"
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    params: dict[ParamName, str | int | float | bool] = Field(default_factory=dict)
    body: dict[str, object] | list[object] | None = None
    auth: Auth = NoAuth(type="none")
    pagination: Pagination = NoPagination(type="none")
    timeout_seconds: Annotated[int, Field(ge=1, le=300)] = 60

    @model_validator(mode="after")
    def _check(self) -> Self:
        reserved = sorted(name for name in self.headers if name.lower() in RESERVED_HEADERS)
        if reserved:
            raise ValueError(f"the header {reserved[0]} is set by Sluice and cannot be chosen")
        if self.body is not None and self.method == "GET":
            raise ValueError("a body needs the method POST")
        return self


class Retention(Document):
    """How long things are kept; everything is kept for now, so only null is accepted."""

    raw_days: None = None
    versions: None = None


class Datasource(Document):
    """A datasource as a user writes it."""

    slug: Slug = ""
    name: DisplayName
    description: Description | None = None
    enabled: bool = True
    kind: Literal["http", "file"]
    http: HttpSource | None = None
    format: Literal["json", "csv"] | None = None
    records: JmesPath = "@"
    allow_missing: bool = False
    fields: dict[ColumnName, FieldExpression] | None = None
    types: dict[ColumnName, ColumnType] = Field(default_factory=dict)
    primary_key: list[ColumnName] | None = None
    write_disposition: Literal["replace"] = "replace"
    schema_contract: Literal["evolve"] = "evolve"
    incremental: None = None
    max_age_seconds: Annotated[int, Field(ge=0)] | None = None
    schedule: Schedule | None = None
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind == "http" and self.http is None:
            raise ValueError("a datasource of kind http needs the block http")
        if self.kind != "http" and self.http is not None:
            raise ValueError("the block http belongs to the kind http only")
        if self.kind == "file" and self.schedule is not None:
            raise ValueError("files arrive by themselves: a file datasource has no schedule")
        if self.primary_key is not None and (
            not self.primary_key or len(set(self.primary_key)) < len(self.primary_key)
        ):
            raise ValueError("primary_key needs at least one column and each only once")
        spelled = [name.lower() for name in self.fields or {}]
        if len(set(spelled)) < len(spelled):
            raise ValueError("fields names two columns that differ only in case")
        if self.fields is not None and self.selects_columns:
            unknown = [name for name in [*self.types, *(self.primary_key or [])] if name not in self.fields]
            if unknown:
                raise ValueError(f"{unknown[0]!r} is named in types or primary_key but is no field")
        if not self.slug:
            self.slug = slug_of(self.name)
            if not self.slug:
                raise ValueError("no slug can be derived from this name; give one")
        return self

    @property
    def selects_columns(self) -> bool:
        """Whether `fields` name the columns; with metadata only, the inferred ones stay."""
        return any(not expression.startswith("$") for expression in (self.fields or {}).values())
