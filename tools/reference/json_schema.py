"""JSON Schemas of the documents that users write."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Schema = dict[str, Any]
_VALUES = ("const", "default", "enum", "examples")


def definitions(*models: type[BaseModel]) -> dict[str, Schema]:
    """The schemas of models, and of all models in them, by the models' names.

    References have the form `#/$defs/{name}`.
    """
    _, schema = models_json_schema([(model, "validation") for model in models])
    found: dict[str, Schema] = schema["$defs"]
    for definition in found.values():
        _simplify(definition)
    return found


def _simplify(node: Any) -> None:
    """Remove titles, which repeat names, and discriminators, which only OpenAPI knows; restrict the keys of mappings.

    Args:
        node: a schema or a part of one; changed in place.
    """
    if isinstance(node, list):
        for item in node:
            _simplify(item)
    elif isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        if "propertyName" in node.get("discriminator", {}):
            del node["discriminator"]
        if "patternProperties" in node:
            # pydantic's form accepts any value under a key that does not match.
            ((pattern, values),) = node.pop("patternProperties").items()
            node["propertyNames"] = {"pattern": pattern, **node.get("propertyNames", {})}
            node["additionalProperties"] = values
        for key, part in node.items():
            if key not in _VALUES:
                _simplify(part)


def name_of(reference: Schema) -> str:
    """The name of the definition that a schema refers to; empty if it does not refer to any."""
    return str(reference.get("$ref", "")).rpartition("/")[2]


def without_null(schema: Schema) -> tuple[Schema, bool]:
    """A schema without the alternative null.

    Returns:
        The rest of the schema, and whether null is allowed.
    """
    alternatives = schema.get("anyOf", [])
    others = [item for item in alternatives if item.get("type") != "null"]
    if len(others) == len(alternatives):
        return schema, schema.get("type") == "null"
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return ({**others[0], **rest} if len(others) == 1 else {**rest, "anyOf": others}), True


def members(schema: Schema) -> list[str]:
    """The names of the definitions that are the alternatives of a union; empty if it is none."""
    names = [name_of(item) for item in schema.get("oneOf", [])]
    return names if all(names) else []


def tag_of(definition: Schema) -> str:
    """The value that selects a definition in a union."""
    return next(str(part["const"]) for part in definition["properties"].values() if "const" in part)
