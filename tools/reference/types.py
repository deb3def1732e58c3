"""How the types of fields are written on the pages of documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from reference.json_schema import Schema, members, name_of, without_null
from reference.markdown import code
from sluice.domain import names
from sluice.domain.assets import codes
from sluice.domain.schema import COLUMN_TYPE_PATTERN

# Texts that have a name, by their patterns. The index of the documents describes the form of some.
_NAMED = {
    names.SLUG_PATTERN.regex: "slug",
    names.SQL_NAME_PATTERN.regex: "SQL name",
    names.SECRET_NAME_PATTERN.regex: "secret name",
    codes.CODE_PATTERN.regex: "code",
    codes.SENSOR_ID_PATTERN.regex: "sensor id",
    r"^[^\x00-\x1f]+$": "column name",
    r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$": "header name",
    r"^[\x20-\x7e]*$": "ASCII text",
    r"^https?://[^\s/?#@]+([/?][^\s#]*)?$": "URL",
    COLUMN_TYPE_PATTERN: "column type",
    r"^(rate|cron)\(.+\)$": "schedule expression",
}
_DESCRIBED = ("slug", "SQL name", "secret name", "code", "sensor id", "column name", "column type")
_WORDS = {"integer": "integer", "number": "number", "boolean": "true or false", "null": "null", "string": "text"}
# Writes a link to a definition's section.
Link = Callable[[str], str]


def type_text(schema: Schema, link: Link) -> str:
    """The type and limits of a field, as Markdown.

    Args:
        schema: the field's schema.
        link: writes a link to a definition's section.
    """
    rest, nullable = without_null(schema)
    if rest.get("type") == "null":
        return "null"
    text = _type(rest, link)
    return text + (", or null" if nullable and ("," in text or " or " in text) else " or null" if nullable else "")


def _type(schema: Schema, link: Link) -> str:
    if reference := name_of(schema):
        return link(reference)
    if alternatives := members(schema):
        return "object: " + ", ".join(map(link, alternatives))
    if "const" in schema:
        return code(str(schema["const"]))
    if "enum" in schema:
        return ", ".join(code(str(value)) if value != "" else "empty text" for value in schema["enum"])
    if "anyOf" in schema:
        *others, last = dict.fromkeys(_type(item, link) for item in schema["anyOf"])
        return f"{', '.join(others)} or {last}"
    if schema.get("type") == "array":
        items, item_null = without_null(schema.get("items", {}))
        item = (_type(items, link) if items else "any value") + (" or null" if item_null else "")
        return f"list of {item.replace('object: ', 'objects: ')}{_between(schema, 'minItems', 'maxItems')}"
    if schema.get("type") == "object":
        return _mapping(schema, link)
    return _scalar(schema)


def _mapping(schema: Schema, link: Link) -> str:
    values: Any = schema.get("additionalProperties")
    if not isinstance(values, dict):
        return "object"
    key = _scalar({"type": "string", **schema.get("propertyNames", {})})
    inner, nullable = without_null(values)
    value = (_type(inner, link) if inner else "any value") + (" or null" if nullable else "")
    return f"object: {key} → {value}"


def _scalar(schema: Schema) -> str:
    named = _NAMED.get(schema.get("pattern", ""))
    if named in _DESCRIBED:
        return str(named)
    kind = schema.get("type")
    if kind is None:
        return "any value"
    word = named or _WORDS[str(kind)]
    if "pattern" in schema and named is None:
        word += f" like {code(schema['pattern'])}"
    unit = " characters" if kind == "string" else ""
    low, high = ("minLength", "maxLength") if kind == "string" else ("minimum", "maximum")
    return word + _between(schema, low, high, unit)


def _between(schema: Schema, low: str, high: str, unit: str = "") -> str:
    least, most = schema.get(low), schema.get(high)
    if least is not None and most is not None:
        return f" ({least:,} to {most:,}{unit})"
    if least is not None:
        return f" (at least {least:,}{unit.rstrip('s') if least == 1 else unit})"
    return f" (at most {most:,}{unit})" if most is not None else ""


def default_text(schema: Schema) -> str:
    """The default of a field that may be omitted, as Markdown."""
    if "default" in schema:
        return code(orjson.dumps(_short(schema["default"])).decode())
    rest, _ = without_null(schema)
    if rest.get("type") == "array":
        return "`[]`"
    return "`{}`" if rest.get("type") == "object" or name_of(rest) else "–"


def _short(default: Any) -> Any:
    """A default without members that are null or empty, which mean the same as their absence."""
    if not isinstance(default, dict):
        return default
    members_of = {key: _short(value) for key, value in default.items()}
    return {key: value for key, value in members_of.items() if value not in (None, {}, [])}
