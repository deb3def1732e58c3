"""Manual overrides: a value that a person puts in the place of what the sources say."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import orjson
from pydantic import Field, JsonValue

from sluice.domain.base import Document, Record, validate
from sluice.domain.json_text import dumps, keeps_digits, loads
from sluice.domain.schema import convert
from sluice.domain.text_values import loses_digits


class OverrideRequest(Document):
    """A value, and why it stands there."""

    value: JsonValue
    reason: str = Field(min_length=1, max_length=2_000)


class Override(Record):
    """One field of one record, as a person has set it."""

    field: str
    key: list[str] = Field(description="The values of the key's columns, as text.")
    value: Any = Field(description="Numbers that clients could not read with all of their digits are text.")
    exact: str | None = Field(None, description="The value as JSON, where it has such numbers.")
    reason: str
    created_at: str
    created_by: str

    @property
    def exact_value(self) -> Any:
        """The value with every digit: whole numbers of any size, and Decimal for fractions."""
        return exact_value(self.value, self.exact)


def exact_value(value: Any, exact: str | None) -> Any:
    """The value that `override_request` gave in two forms."""
    return value if exact is None else loads(exact.encode(), exact=True)


def fitted(value: Any, column_type: str) -> Any:
    """An override's value as its column stores it.

    Raises:
        ValueError: it is not of the type, or has digits that a double would lose.
    """
    if column_type == "double" and value is not None and not isinstance(value, bool) and loses_digits(str(value)):
        raise ValueError("a double has not so many digits")
    converted = convert(value, column_type)
    if column_type == "double" and isinstance(converted, str):
        raise ValueError("not a finite number")
    return converted


def override_request(body: Any) -> tuple[OverrideRequest, str | None]:
    """A request whose value every client can read, and the value as exact JSON where that differs.

    Args:
        body: JSON that was read with every digit.

    Raises:
        Invalid: it does not fit the model.
    """
    if not isinstance(body, dict) or "value" not in body:
        return validate(OverrideRequest, body), None
    value = body["value"]
    safe = _safe(value)
    request = validate(OverrideRequest, {**body, "value": safe})
    return request, dumps(value).decode() if _has_text_for_numbers(value, safe) else None


def _safe(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int() if not -(2**63) <= value < 2**63:
            return str(value)
        case Decimal():
            return float(value) if keeps_digits(value) else str(value)
        case dict():
            return {key: _safe(inner) for key, inner in value.items()}
        case list():
            return [_safe(inner) for inner in value]
        case _:
            return value


def _has_text_for_numbers(value: Any, safe: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_text_for_numbers(inner, safe[key]) for key, inner in value.items())
    if isinstance(value, list):
        return any(_has_text_for_numbers(inner, other) for inner, other in zip(value, safe, strict=True))
    return isinstance(safe, str) and not isinstance(value, str)


def override_name(project: str, field: str, key: list[str]) -> str:
    """The name under which an override is kept: the same field and key are the same override."""
    digest = hashlib.sha256(orjson.dumps([field, key])).hexdigest()[:40]
    return f"{project}#{digest}"
