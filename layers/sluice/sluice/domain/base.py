"""The base of all documents, and the one way to validate them."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from sluice.errors import Invalid

READ_ONLY_FIELDS = ("etag", "created_at", "updated_at", "created_by")


def _derived_slug(schema: dict[str, Any]) -> None:
    """The empty slug means "derive it"; as a default it would not be valid itself."""
    schema.get("properties", {}).get("slug", {}).pop("default", None)


class Document(BaseModel):
    """A document that users write: strict types, unknown fields refused."""

    # Built when first used: a function that starts needs few of all models.
    model_config = ConfigDict(
        extra="forbid", strict=True, validate_default=False, json_schema_extra=_derived_slug, defer_build=True
    )


class Record(BaseModel):
    """A document that only Sluice writes."""

    model_config = ConfigDict(extra="ignore", defer_build=True)


D = TypeVar("D", bound=BaseModel)


def json_pointer(path: tuple[str | int, ...]) -> str:
    """A path of keys and indexes as RFC 6901 writes it."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def validate(model: type[D], document: Any) -> D:
    """A document checked against its model.

    Args:
        model: the pydantic model.
        document: what `json.loads` gave; the read-only fields that an answer carries may be
            sent back and are ignored.

    Raises:
        Invalid: with one `{"pointer", "message"}` for each fault.
    """
    if not isinstance(document, dict):
        raise Invalid("The body must be a JSON object.")
    writable = {key: value for key, value in document.items() if key not in READ_ONLY_FIELDS}
    try:
        text = orjson.dumps(writable)
    except TypeError:
        raise Invalid("The document is nested too deeply, or has numbers beyond 64 bits.") from None
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _invalid(error, writable) from None


def _invalid(error: ValidationError, document: Any) -> Invalid:
    faults = [
        {"pointer": json_pointer(_path(fault["loc"], document)), "message": _sentence(fault)}
        for fault in error.errors(include_url=False, include_context=False)
    ]
    noun = "part" if len(faults) == 1 else "parts"
    return Invalid(f"{len(faults)} {noun} of the document cannot be accepted.", faults)


def _path(location: tuple[str | int, ...], document: Any) -> tuple[str | int, ...]:
    """The location without the tags that pydantic adds for a discriminated union.

    A tag stands where a key would, but is no key of the document; only the last part may be
    absent from it, where a required field is missing.
    """
    path: list[str | int] = []
    node, entered = document, False
    for index, part in enumerate(location):
        if entered and isinstance(node, dict) and part in (node.get("strategy"), node.get("type")):
            entered = False
            continue
        known = isinstance(node, dict) and part in node
        if isinstance(node, list) and isinstance(part, int):
            known = part < len(node)
        entered = known
        if known:
            node = node[part]
        elif part == "[key]" or (index < len(location) - 1):
            continue
        path.append(part)
    return tuple(path)


def _sentence(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "Unknown field."
    if fault["type"] == "missing":
        return "This field is required."
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message[0].upper() + message[1:] + ("" if message.endswith(".") else ".")


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: the target with the patch applied; neither is changed."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result
