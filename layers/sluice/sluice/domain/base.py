"""The base of all documents, and the one way to validate them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from sluice.errors import Invalid

READ_ONLY_FIELDS = ("etag", "created_at", "updated_at", "created_by")


def _derived_slug(schema: dict[str, Any]) -> None:
    """Drop the default of `slug` from the schema: an empty slug means "derive it" and is itself not valid."""
    schema.get("properties", {}).get("slug", {}).pop("default", None)


class Document(BaseModel):
    """A document that users write: strict types, unknown fields refused."""

    # Pydantic builds validators on first use: each function needs few of the models, and cold starts count.
    model_config = ConfigDict(
        extra="forbid", strict=True, validate_default=False, json_schema_extra=_derived_slug, defer_build=True
    )


class Record(BaseModel):
    """A document that only Sluice writes."""

    model_config = ConfigDict(extra="ignore", defer_build=True)


class FieldError(ValueError):
    """A fault that a validator of a whole document finds in one of its fields.

    Args:
        message: what is wrong.
        path: the keys from the document to the field.
    """

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = path


D = TypeVar("D", bound=BaseModel)


def json_pointer(path: tuple[str | int, ...]) -> str:
    """Write a path of keys and indexes as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def validate(model: type[D], document: Any, ignored: Collection[str] = READ_ONLY_FIELDS) -> D:
    """Check a document against its model.

    Args:
        model: the pydantic model.
        document: the parsed JSON.
        ignored: fields of the document that are ignored. By default the read-only fields, which responses contain,
            so that clients can send a response back.

    Returns:
        An instance of the model.

    Raises:
        Invalid: the document is not an object or does not match the model; `errors` has one
            `{"pointer", "message"}` per invalid field.
    """
    if not isinstance(document, dict):
        raise Invalid("The body must be a JSON object.")
    writable = {key: value for key, value in document.items() if key not in ignored}
    try:
        text = orjson.dumps(writable)
    except TypeError:
        raise Invalid("The document is nested too deeply or has integers of more than 64 bits.") from None
    try:
        # JSON input, not Python input: in strict mode only JSON may give dates and UUIDs as strings.
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _invalid(error, writable) from None


def validation_faults(model: type[BaseModel], document: Any) -> list[dict[str, Any]]:
    """What of a JSON document does not match a model exactly, as `{"pointer", "message"}`; empty: it matches.

    A text is no number, even if the model would convert it: what is stored is the document, not the model.
    """
    return json_faults(model, orjson.dumps(document))


def json_faults(model: type[BaseModel], text: bytes) -> list[dict[str, Any]]:
    """What `validation_faults` finds in a document that is given as the text of its JSON."""
    try:
        model.model_validate_json(text, strict=True)
    except ValidationError as error:
        return _faults(error, orjson.loads(text))
    return []


def _faults(error: ValidationError, document: Any) -> list[dict[str, Any]]:
    return [
        {"pointer": json_pointer((*_path(fault, document), *_field(fault))), "message": _sentence(fault)}
        for fault in error.errors(include_url=False)
    ]


def _invalid(error: ValidationError, document: Any) -> Invalid:
    faults = _faults(error, document)
    noun = "field" if len(faults) == 1 else "fields"
    return Invalid(f"The document has {len(faults)} invalid {noun}.", faults)


def _field(fault: Any) -> tuple[str, ...]:
    """The path of the field that a validator of its document has named."""
    cause = fault.get("ctx", {}).get("error")
    return cause.path if isinstance(cause, FieldError) else ()


def _path(fault: Any, document: Any) -> tuple[str | int, ...]:
    """The keys and indexes from the document to a fault, without the tags that pydantic adds for unions.

    A tag stands where a key would, but is no key of the document. Only the last part of a required field's path is
    missing from the document, too.
    """
    location: tuple[str | int, ...] = fault["loc"]
    path: list[str | int] = []
    node, entered = document, False
    for index, part in enumerate(location):
        # The discriminators of our unions are called `strategy` and `type`.
        if entered and isinstance(node, dict) and part in (node.get("strategy"), node.get("type")):
            entered = False
            continue
        exists = isinstance(node, dict) and part in node
        if isinstance(node, list) and isinstance(part, int):
            exists = part < len(node)
        entered = exists
        if exists:
            node = node[part]
        elif fault["type"] != "missing" or index < len(location) - 1:
            continue
        path.append(part)
    return tuple(path)


def _sentence(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "Unknown field."
    if fault["type"] == "missing":
        return "This field is required."
    if fault["type"] == "union_tag_invalid":
        # Pydantic's message repeats the value, which can be a secret in the wrong place.
        return f"Give one of {fault['ctx']['expected_tags']}."
    if fault["type"] in ("too_short", "too_long"):
        return _items(fault)
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message[0].upper() + message[1:] + ("" if message.endswith(".") else ".")


def _items(fault: Any) -> str:
    """How many items a list that is too short or too long needs."""
    word, number = ("least", "min_length") if fault["type"] == "too_short" else ("most", "max_length")
    count = fault["ctx"][number]
    return f"Give at {word} {count} {'item' if count == 1 else 'items'}."


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396).

    Returns:
        The patched copy; `target` and `patch` are not changed.
    """
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result
