"""What all kinds of datasource share: the fields, and the methods that the platform calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, cast

import orjson
from pydantic import (
    AfterValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    create_model,
    field_validator,
    model_validator,
)

from sluice.domain.base import Document, FieldError
from sluice.domain.expression import FieldExpression, JmesPath, needs_context, needs_places, selects_places
from sluice.domain.file_format import CsvOptions, Format, XlsxOptions
from sluice.domain.names import Slug, slug_of
from sluice.domain.schedule import Schedule
from sluice.domain.schema import ColumnType
from sluice.patterns import PRINTABLE

# Columns that Sluice adds to every record or merged row.
RESERVED_COLUMNS = frozenset(
    {"_run", "_missing", "_page", "_row", "_source", "_rank", "_file_index", "file_row_number"}
)


def is_reserved(name: str) -> bool:
    """Whether a column name is reserved for Sluice's own columns."""
    return name.lower() in RESERVED_COLUMNS or name.lower().startswith("__sluice")


def _check_column(name: str) -> str:
    if is_reserved(name):
        raise ValueError(f"the column name {name} is reserved; choose another one")
    return name


ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=255), PRINTABLE, AfterValidator(_check_column)]
# A datasource with one of these slugs would collide with routes such as `/datasources/check`.
RESERVED_SLUGS = frozenset({"check", "preview", "detect"})
DisplayName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Description = Annotated[str, StringConstraints(max_length=10_000)]
Disposition = Literal["replace", "append", "upsert"]


class Retention(Document):
    """How long data is kept; once a day, what is older is removed for good."""

    raw_days: Annotated[int, Field(ge=1, le=36_500)] | None = Field(
        None,
        description="For how many days the raw pages of a run are kept. Then versions made of them cannot be replayed, "
        "and `explain` cannot point into the pages; the pages of the published version stay. Null: without a limit.",
    )
    versions: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None,
        description="How many of the newest versions are kept. The published version stays, and so do those that a "
        "published merge was made of. Null: all are kept.",
    )


Arrival = Literal["pulled", "dropped", "pushed"]


class Datasource(Document):
    """A datasource as a user writes it.

    Each kind is a subclass in a module of its own beside this one. It sets `KIND` and `ARRIVAL`, and declares the
    block with its own name, if it has one. Validating a document as `Datasource` returns an instance of the
    subclass that the document's `kind` names.
    """

    KIND: ClassVar[str] = ""
    ARRIVAL: ClassVar[Arrival] = "pulled"
    # An action that the author must be allowed to do, too, since runs hand out what it protects.
    NEEDS: ClassVar[str | None] = None
    # Advice for errors: what to do instead of starting a run, if data arrives by itself.
    INSTEAD: ClassVar[str] = ""
    # Whether files in its inbox folder stay there for its runs to read, instead of starting runs themselves.
    KEEPS_DROPS: ClassVar[bool] = False
    # Whether objects within records become columns of their own, such as `a_b`, instead of JSON.
    FLATTENS: ClassVar[bool] = True
    # Whether a secret's value, such as a URI, and not the document names the hosts that receive it.
    SECRETS_NAME_HOSTS: ClassVar[bool] = False
    KINDS: ClassVar[dict[str, type[Datasource]]] = {}

    slug: Slug = Field(
        "", description="The id in URLs, in the inbox and in projects; it never changes. Omitted: derived from `name`."
    )
    name: DisplayName = Field(description="The name that people see; it may be changed.")
    description: Description | None = Field(
        None, description="Notes for people, as plain text: where the data comes from and who is responsible for it."
    )
    enabled: bool = Field(
        True, description="False: its schedule does not fire, and refreshes use its published data without fetching."
    )
    kind: str = Field(description="How the data arrives; it never changes.")
    format: Format | None = Field(
        None,
        description="The format of pages and files. Null: by the content type or the file name, else by the content.",
    )
    csv: CsvOptions | None = Field(None, description="The CSV dialect; options that are not set are detected.")
    xlsx: XlsxOptions | None = Field(None, description="Which sheet of a workbook holds the records.")
    records: JmesPath = Field(
        "@", description="A JMESPath expression that selects the records in each page. `@`: the whole page."
    )
    allow_missing: bool = Field(
        False, description="Whether a page in which `records` selects nothing counts as empty. False: the run fails."
    )
    fields: dict[ColumnName, FieldExpression] | None = Field(
        None,
        description="The columns: for each name, a JMESPath expression on the record, or metadata: `$position` (the "
        "number of the record in the run, from 1), `$page`, `$fetched_at`, `$run`. Null: every top-level "
        "key; nested objects become columns such as `a_b`. Only metadata: it is added to those columns.",
    )
    types: dict[ColumnName, ColumnType] = Field(
        default_factory=dict,
        description="Column types by column name: `string`, `bigint`, `double`, `decimal(p,s)`, `boolean`, `date`, "
        "`timestamp` or `json`. Columns that are not listed get the narrowest type that holds all their "
        "values.",
    )
    primary_key: list[ColumnName] | None = Field(
        None,
        description="The columns that identify a record; a later record with the same values replaces an earlier one. "
        "Null: records have no identity.",
    )
    write_disposition: Disposition | None = Field(
        None, description="Null: `replace`; for push, `upsert` with a primary key and `append` without."
    )
    schema_contract: Literal["evolve"] = Field(
        "evolve", description="What happens when columns change. `evolve`: new columns are added and types are widened."
    )
    incremental: None = Field(
        None, description="Reserved for incremental loading; only null is accepted: each run reads everything."
    )
    max_age_seconds: Annotated[int, Field(ge=0)] | None = Field(
        None,
        description="After how many seconds data counts as stale, so that a refresh fetches it again. Null: after the "
        "interval of its schedule; without a schedule, always. 0: never, so that only the schedule, a run of the "
        "datasource, or a refresh that fetches all brings new data.",
    )
    schedule: Schedule | None = Field(
        None, description="When ingest runs start by themselves. Null: only on request or with a refresh."
    )
    retention: Retention = Field(Retention(), description="How long raw pages and versions are kept.")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "KIND" in cls.__dict__:
            Datasource.KINDS[cls.KIND] = cls

    @classmethod
    def model_validate(cls, obj: Any, **kwargs: Any) -> Self:
        """Validate a document of Python values.

        Returns:
            An instance of the subclass for its `kind`.

        Raises:
            pydantic.ValidationError: the document does not match.
        """
        model, document = cls._of_kind(obj)
        return cast("Self", super(Datasource, model).model_validate(document, **kwargs))

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **kwargs: Any) -> Self:
        """Validate a JSON document.

        Returns:
            An instance of the subclass for its `kind`.

        Raises:
            pydantic.ValidationError: the document does not match.
        """
        model, document = cls._of_kind(orjson.loads(json_data))
        return cast("Self", super(Datasource, model).model_validate_json(orjson.dumps(document), **kwargs))

    @classmethod
    def _of_kind(cls, document: Any) -> tuple[type[Datasource], Any]:
        """The model for a document's kind, and the document without null blocks of other kinds.

        Earlier releases stored the block of every kind, null where it did not apply.
        """
        if not isinstance(document, Mapping):
            return cls, document
        model = Datasource.KINDS.get(str(document.get("kind")), cls) if cls is Datasource else cls
        others = Datasource.KINDS.keys() - {model.KIND}
        return model, {name: value for name, value in document.items() if value is not None or name not in others}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The JSON Schema: of `Datasource` a `oneOf` of all kinds, each with the fields that a response view adds."""
        if cls.KIND:
            return handler(core_schema)
        added: dict[str, Any] = {
            name: (field.annotation, field)
            for name, field in cls.model_fields.items()
            if name not in Datasource.model_fields
        }
        schemas = []
        for kind in Datasource.KINDS.values():
            name = kind.__name__ + cls.__name__.removeprefix("Datasource")
            model = create_model(name, __base__=kind, __doc__=kind.__doc__, **added) if added else kind
            model.model_rebuild()
            schemas.append(handler(model.__pydantic_core_schema__))
        return {
            "description": "A datasource; `kind` decides which fields it has.",
            "oneOf": schemas,
            "discriminator": {"propertyName": "kind"},
        }

    @field_validator("kind")
    @classmethod
    def _check_kind(cls, kind: str) -> str:
        if kind != cls.KIND:
            raise ValueError(f"unknown kind {kind!r}; use one of {', '.join(sorted(Datasource.KINDS))}")
        return kind

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.slug:
            self.slug = slug_of(self.name)
            if not self.slug:
                raise ValueError("no slug can be derived from this name; set slug")
        if self.slug in RESERVED_SLUGS:
            raise ValueError(f"the slug {self.slug!r} is reserved by the API; choose another one")
        if self.ARRIVAL != "pulled" and self.schedule is not None:
            raise ValueError(f"a {self.kind} datasource cannot have a schedule: its data arrives by itself")
        if self.write_disposition is None:
            self.write_disposition = self.default_disposition()
        if self.write_disposition == "upsert" and not self.primary_key:
            raise ValueError("write_disposition upsert needs a primary_key")
        self._check_columns()
        return self

    def _check_columns(self) -> None:
        if self.primary_key is not None and (
            not self.primary_key or len(set(self.primary_key)) < len(self.primary_key)
        ):
            raise ValueError("primary_key needs at least one column, and each column only once")
        lower_names = [name.lower() for name in self.fields or {}]
        if len(set(lower_names)) < len(lower_names):
            raise ValueError("two names in fields differ only in case")
        for name, expression in (self.fields or {}).items():
            if needs_places(expression) and not selects_places(self.records):
                message = (
                    "parent() needs `records` that only selects, such as orders[].lines[]; "
                    f"{self.records} builds new values, which nothing encloses"
                )
                raise FieldError(message, "fields", name)
        if self.fields is not None and self.selects_columns:
            unknown = [name for name in [*self.types, *(self.primary_key or [])] if name not in self.fields]
            if unknown:
                raise ValueError(f"types or primary_key names {unknown[0]!r}, which is not in fields")

    def default_disposition(self) -> Disposition:
        """The write disposition if the document does not set one."""
        return "replace"

    def secrets(self) -> dict[str, str]:
        """The names of the secrets that the datasource uses, by the JSON Pointers to them."""
        return {}

    def host(self) -> tuple[str, int]:
        """The host and port that receive its secrets; an empty host if there is none."""
        return "", 0

    def hosts_in(self, value: str) -> list[tuple[str, int]]:
        """The hosts and ports in a secret's value, for kinds with SECRETS_NAME_HOSTS; empty if it is unusable."""
        return []

    def inbox_key(self) -> str | None:
        """The key of the file in its inbox folder that each run reads; None if there is none."""
        return None

    def require_safe(self) -> None:
        """Refuse what new documents may not contain but stored ones may: a plain-text credential, an unusable address.

        Raises:
            Invalid: with a pointer to the field.
        """

    @classmethod
    def shown(cls, document: dict[str, Any], may_update: Callable[[], bool]) -> dict[str, Any]:  # noqa: ARG003 - kinds use it
        """The document as API responses contain it.

        Args:
            document: the stored document.
            may_update: whether the reader may change the datasource; called only if that matters.

        Returns:
            A copy without what only an earlier release accepted or wrote, and without what the reader must not see.
        """
        return dict(cls._of_kind(document)[1])

    @property
    def reads_context(self) -> bool:
        """Whether a field depends on what encloses a record in its page."""
        return any(needs_context(expression) for expression in (self.fields or {}).values())

    @property
    def is_refreshable(self) -> bool:
        """Whether refreshes fetch its data again: it is enabled and pulled, and its data expires."""
        return self.enabled and self.ARRIVAL == "pulled" and self.max_age_seconds != 0

    @property
    def brings_whole(self) -> bool:
        """Whether each run reads everything that the source has; files and pushes bring a part of it."""
        return self.ARRIVAL == "pulled"

    @property
    def brings_file(self) -> bool:
        """Whether each run reads one file, which is identified by its bytes."""
        return self.ARRIVAL == "dropped"

    def declared_type(self, column: str) -> str | None:
        """The type that `types` declares for a column, ignoring case; None if it declares none."""
        return next((kind for name, kind in self.types.items() if name.lower() == column.lower()), None)

    @property
    def selects_columns(self) -> bool:
        """Whether `fields` selects the columns. If it only adds metadata, the inferred columns stay."""
        return any(not expression.startswith("$") for expression in (self.fields or {}).values())
