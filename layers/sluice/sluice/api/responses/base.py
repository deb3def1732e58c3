"""The base of the models of answers."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model


def _without_defaults(schema: dict[str, Any]) -> None:
    """An answer has no defaults: what is left out is absent."""
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Response(BaseModel):
    """What an operation answers.

    Clients must ignore fields that they do not know: later releases add some.
    """

    model_config = ConfigDict(extra="ignore", defer_build=True, json_schema_extra=_without_defaults)


def listed(model: type[BaseModel]) -> Any:
    """The model of one page of a list."""
    return create_model(
        f"{model.__name__}List",
        __base__=Response,
        __doc__="One page of a list; `next` is the cursor of the page after it, null on the last one.",
        items=(list[model], ...),  # type: ignore[valid-type]
        next=(str | None, ...),
    )


def complete(name: str, model: type[BaseModel], without: Container[str] = (), **more: Any) -> Any:
    """The model of a record that is always shown with all of its fields: all of them are required.

    Args:
        without: the fields that are not shown.
        more: further fields, or fields with other types.
    """
    fields: dict[str, Any] = {
        key: (known.annotation, Field(description=known.description))
        for key, known in model.model_fields.items()
        if key not in without
    }
    return create_model(name, __base__=Response, __doc__=model.__doc__, **{**fields, **more})


def shown(model: type[BaseModel], **more: Any) -> Any:
    """The model of a stored document as it is shown: with what the catalog knows about it.

    A document that an earlier release stored may lack fields that have defaults.
    """
    known = dict.fromkeys(("etag", "created_at", "updated_at", "created_by"), (str, ...))
    view = create_model(f"{model.__name__}View", __base__=model, __doc__=model.__doc__, **{**known, **more})
    view.model_config["extra"] = "ignore"
    return view
