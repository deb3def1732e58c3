"""The base class of response models, and functions that derive them from stored models."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model


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
        __doc__="One page of a list; `next` is the cursor of the page after it, null on the last one.",
        items=(list[model], ...),  # type: ignore[valid-type]
        next=(str | None, ...),
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
        fields: further fields, or fields with other types, as `create_model` takes them.

    Returns:
        A model whose fields are all required.
    """
    inherited: dict[str, Any] = {
        key: (field.annotation, Field(description=field.description))
        for key, field in model.model_fields.items()
        if key not in without
    }
    return create_model(name, __base__=Response, __doc__=about or model.__doc__, **{**inherited, **fields})


def view_model(model: type[BaseModel], **fields: Any) -> Any:
    """The response model of a document, with the catalog's fields (ETag, times, author).

    Fields with defaults stay optional, since a document that an earlier release stored may lack them.

    Args:
        fields: further fields, as `create_model` takes them.
    """
    metadata = dict.fromkeys(("etag", "created_at", "updated_at", "created_by"), (str, ...))
    view = create_model(f"{model.__name__}View", __base__=model, __doc__=model.__doc__, **{**metadata, **fields})
    view.model_config["extra"] = "ignore"
    return view
