"""Whether an answer is one that the OpenAPI document describes: its status, its media type and its body.

Clients must ignore fields that they do not know, so the document allows them. Here they are
refused: a field that an answer has and the document lacks is a fault of the document.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from support.template import ROOT

DOCUMENT = ROOT / "functions/api/openapi.json"


class NotDescribed(AssertionError):
    """The API answers what its document does not say."""


def require_conformance(method: str, path: str, status: int, media_type: str | None, text: str) -> None:
    """Compare an answer with its operation in the document.

    Args:
        path: with `/v1`, without a query.
        media_type: the header `Content-Type`; parameters such as a charset are ignored.

    Raises:
        NotDescribed: the status, the media type or the body is none of the operation's.
    """
    where = f"{method} {path} answered {status}"
    media_type = (media_type or "").partition(";")[0]
    operation = _operation(method, path.rstrip("/"))
    if operation is None or status >= 400:
        _require(media_type == "application/problem+json", f"{where} as {media_type}, which is no problem")
        _require_body(where, ("#", "components", "schemas", "Problem"), text)
        return
    template, described = operation
    _require(str(status) in described["responses"], f"{where}; described are {', '.join(described['responses'])}")
    content = described["responses"][str(status)].get("content")
    if content is None:
        _require(text == "", f"{where} with a body, and none is described")
        return
    _require(media_type in content, f"{where} as {media_type}; described are {', '.join(content)}")
    if media_type == "application/json":
        place = ("#", "paths", template, method.lower(), "responses", str(status), "content", media_type, "schema")
        _require_body(where, place, text)


def faults(place: tuple[str, ...], value: Any) -> list[str]:
    """What of a value does not fit the schema at this place of the document; the most telling fault is the first."""
    validator = _validator(place)
    if validator.is_valid(value):
        return []
    errors = list(validator.iter_errors(value))
    best = best_match(iter(errors))
    assert best is not None
    return [f"{one.json_path}: {one.message[:500]}" for one in [best, *errors]]


@cache
def document() -> dict[str, Any]:
    """The committed document, whose objects have the fields that they name and no others."""
    closed: dict[str, Any] = _closed(json.loads(DOCUMENT.read_text()))
    return closed


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("$ref") == "#/components/schemas/JsonValue":
        return {}  # anything; looking it up for each cell of each row takes most of the time
    closed = {key: _closed(value) for key, value in node.items()}
    if node.get("type") == "object" and "properties" in node:
        closed.setdefault("additionalProperties", False)
    return closed


@cache
def _validator(place: tuple[str, ...]) -> Draft202012Validator:
    pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in place)
    return Draft202012Validator({"$ref": pointer, **{key: document()[key] for key in ("components", "paths")}})


@cache
def _operation(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """The template of a path and its operation: the one with the fewest parameters, as the gateway chooses."""
    matching = [
        template
        for template, verbs in document()["paths"].items()
        if method.lower() in verbs and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    template = min(matching, key=lambda one: one.count("{"), default=None)
    return (template, document()["paths"][template][method.lower()]) if template else None


def _require_body(where: str, place: tuple[str, ...], text: str) -> None:
    told = faults(place, json.loads(text))
    _require(not told, f"{where}, and its body is not as described: {' | '.join(told[:4])}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise NotDescribed(message)
