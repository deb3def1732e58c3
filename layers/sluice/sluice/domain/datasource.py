"""What a datasource is: the document that a user writes."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sluice.domain.base import Document
from sluice.domain.expression import FieldExpression, JmesPath
from sluice.domain.file_format import CsvOptions, Format, XlsxOptions
from sluice.domain.http_source import HttpSource
from sluice.domain.names import Slug, slug_of
from sluice.domain.schedule import Schedule
from sluice.domain.schema import ColumnType

# Columns that Sluice adds to every record or merged row.
RESERVED_COLUMNS = frozenset(
    {"_run", "_missing", "_page", "_row", "_source", "_rank", "_file_index", "file_row_number"}
)


def is_reserved(name: str) -> bool:
    """Whether a column of this name would be taken for one of Sluice's own."""
    return name.lower() in RESERVED_COLUMNS or name.lower().startswith("__sluice")


def _check_column(name: str) -> str:
    if is_reserved(name):
        raise ValueError(f"the column {name} belongs to Sluice; choose another name")
    return name


ColumnName = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$"), AfterValidator(_check_column)
]
# `/datasources/check` and its like are routes.
RESERVED_SLUGS = frozenset({"check", "preview", "detect"})
DisplayName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Description = Annotated[str, StringConstraints(max_length=10_000)]
Disposition = Literal["replace", "append", "upsert"]


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
    kind: Literal["http", "file", "push"]
    http: HttpSource | None = None
    format: Format | None = None
    csv: CsvOptions | None = Field(None, description="How CSV is written; what is not said is detected.")
    xlsx: XlsxOptions | None = Field(None, description="Which sheet of a workbook holds the records.")
    records: JmesPath = "@"
    allow_missing: bool = False
    fields: dict[ColumnName, FieldExpression] | None = None
    types: dict[ColumnName, ColumnType] = Field(default_factory=dict)
    primary_key: list[ColumnName] | None = None
    write_disposition: Disposition | None = Field(
        None, description="Null: `replace` for http and file; for push `upsert` with a primary key, else `append`."
    )
    schema_contract: Literal["evolve"] = "evolve"
    incremental: None = None
    max_age_seconds: Annotated[int, Field(ge=0)] | None = None
    schedule: Schedule | None = None
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.slug:
            self.slug = slug_of(self.name)
            if not self.slug:
                raise ValueError("no slug can be derived from this name; give one")
        self._check_kind()
        self._check_columns()
        return self

    def _check_kind(self) -> None:
        if self.slug in RESERVED_SLUGS:
            raise ValueError(f"the slug {self.slug!r} is part of the API's own addresses; choose another one")
        if self.kind == "http" and self.http is None:
            raise ValueError("a datasource of kind http needs the block http")
        if self.kind != "http" and self.http is not None:
            raise ValueError("the block http belongs to the kind http only")
        if self.kind != "http" and self.schedule is not None:
            raise ValueError(f"a {self.kind} datasource has no schedule: its data arrives by itself")
        if self.kind == "push" and self.format not in (None, "json", "jsonl"):
            raise ValueError("a push datasource takes json and jsonl; leave format out")
        if self.write_disposition is None:
            self.write_disposition = default_disposition(self.kind, self.primary_key)
        if self.write_disposition == "upsert" and not self.primary_key:
            raise ValueError("write_disposition upsert needs a primary_key")

    def _check_columns(self) -> None:
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

    @property
    def brings_whole(self) -> bool:
        """Whether each run brings all that the source has; files and pushes bring a part."""
        return self.kind == "http"

    def declared_type(self, column: str) -> str | None:
        """The type that `types` gives a column, however it is spelled there; none where it says nothing."""
        return next((kind for name, kind in self.types.items() if name.lower() == column.lower()), None)

    @property
    def selects_columns(self) -> bool:
        """Whether `fields` name the columns; with metadata only, the inferred ones stay."""
        return any(not expression.startswith("$") for expression in (self.fields or {}).values())


def default_disposition(kind: str, primary_key: list[str] | None) -> Disposition:
    """How a datasource's runs change its dataset when its document does not say."""
    if kind != "push":
        return "replace"
    return "upsert" if primary_key else "append"
