"""The base class of response models, and functions that derive them from stored models."""

from __future__ import annotations

from collections.abc import Container
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from sluice.domain.run import Completeness
from sluice.domain.stale_input import StaleInput

# Fields that many answers have.
ETag = Annotated[
    str, Field(description="The state of the resource, for `If-Match` and `If-None-Match`; it changes with each write.")
]
CreatedAt = Annotated[str, Field(description="When it was created, RFC 3339 in UTC.")]
UpdatedAt = Annotated[str, Field(description="When it was last changed, RFC 3339 in UTC.")]
CreatedBy = Annotated[str, Field(description="The principal that created it: `key/{id}`, or the subject of a token.")]
ProjectSlug = Annotated[str, Field(description="The slug of the project.")]
RunId = Annotated[str, Field(description="The id of the run that produced it, for `GET /runs/{run_id}`.")]
NextCursor = Annotated[
    str | None, Field(description="The value of `cursor` for the next page. Null: this page is the last.")
]
DataCompleteness = Annotated[
    Completeness,
    Field(
        description="`complete`: the end of the data was proven; `unproven`: it was reached but not proven; "
        "`stale`: an earlier version stands in for a datasource that could not be fetched, see `stale`; "
        "`partial`: data is missing."
    ),
]
StaleInputs = Annotated[
    list[StaleInput],
    Field(
        description="The earlier versions that stand in for datasources that could not be fetched; empty if there are "
        "none."
    ),
]
CompletenessReasons = Annotated[
    list[str], Field(description="Why the data is not `complete`, as sentences; empty if it is.")
]
DataAsOf = Annotated[
    str, Field(description="When the oldest of the data was fetched or found unchanged, RFC 3339 in UTC.")
]
Warnings = Annotated[list[str], Field(description="What to look at although nothing failed, as sentences.")]


def _without_defaults(schema: dict[str, Any]) -> None:
    """Remove defaults from a schema: a field that an answer leaves out is absent, not its default."""
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Response(BaseModel):
    """The body of an answer.

    Clients must ignore unknown fields: later releases add some.
    """

    # `defer_build`: the schemas are built only when the OpenAPI document is generated.
    model_config = ConfigDict(extra="ignore", defer_build=True, json_schema_extra=_without_defaults)


def list_model(model: type[BaseModel]) -> Any:
    """The model of one page of a list of `model`."""
    return create_model(
        f"{model.__name__}List",
        __base__=Response,
        __doc__="One page of a list.",
        items=(list[model], Field(description="The items of this page.")),  # type: ignore[valid-type]
        next=(NextCursor, ...),
    )


def record_model(
    name: str, model: type[BaseModel], without: Container[str] = (), *, about: str | None = None, **fields: Any
) -> Any:
    """The response model of a stored record, which the API always shows with all of its fields.

    Args:
        name: the response model's name.
        model: the record's class.
        without: the fields that are not shown.
        about: what it is, for readers of the API; None: the record's own docstring.
        fields: further fields, or fields with other types, as `create_model` takes them. A field with another type
            keeps its description.

    Returns:
        A model whose fields are all required.
    """
    shown: dict[str, Any] = dict(fields)
    for key, field in model.model_fields.items():
        annotation, value = fields.get(key, (field.annotation, ...))
        if key not in without:
            shown[key] = (annotation, Field(description=field.description) if value is ... else value)
    return create_model(name, __base__=Response, __doc__=about or model.__doc__, **shown)


def view_model(model: type[BaseModel], **fields: Any) -> Any:
    """The response model of a document, with the catalog's fields (ETag, times, author).

    Fields with defaults stay optional, since a document that an earlier release stored may lack them.

    Args:
        fields: further fields, as `create_model` takes them.
    """
    metadata = {
        "etag": (ETag, ...),
        "created_at": (CreatedAt, ...),
        "updated_at": (UpdatedAt, ...),
        "created_by": (CreatedBy, ...),
    }
    view = create_model(f"{model.__name__}View", __base__=model, __doc__=model.__doc__, **{**metadata, **fields})
    view.model_config["extra"] = "ignore"
    return view
