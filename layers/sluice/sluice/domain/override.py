"""Manual overrides: values that a person sets in place of those from the sources."""

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
    """An override as a user writes it."""

    value: JsonValue = Field(
        description="The value to show in place of the sources' values; it must fit the type of the column. Null sets "
        "null."
    )
    reason: str = Field(
        min_length=1, max_length=2_000, description="Why the value is set, for those who read the explanation later."
    )


class Override(Record):
    """A stored override of one field of one record."""

    field: str = Field(description="The merged field whose value is set.")
    key: list[str] = Field(description="The values of the key columns, as text.")
    value: Any = Field(description="The value; numbers that clients could not read exactly are text.")
    exact: str | None = Field(
        None,
        description="The exact JSON of the value, if it has numbers that many clients cannot read. Null: `value` is "
        "exact.",
    )
    reason: str = Field(description="Why the value was set.")
    created_at: str = Field(description="When the value was set, RFC 3339 in UTC.")
    created_by: str = Field(description="The principal that set the value.")

    @property
    def exact_value(self) -> Any:
        """The value with all digits: integers of any size, and Decimal for fractions."""
        return exact_value(self.value, self.exact)


def exact_value(value: Any, exact: str | None) -> Any:
    """Restore a value from the two forms that `parse_override` returns.

    Args:
        value: the value that clients can read.
        exact: its exact JSON; None if that is the same.
    """
    return value if exact is None else loads(exact.encode(), exact=True)


def fit_to_column(value: Any, column_type: str) -> Any:
    """Convert an override's value to its column's type.

    Returns:
        The value as the column stores it; see `schema.convert`.

    Raises:
        ValueError: the value is not of the type, or has digits that a double would lose.
    """
    if column_type == "double" and value is not None and not isinstance(value, bool) and loses_digits(str(value)):
        raise ValueError("it has more digits than a double")
    converted = convert(value, column_type)
    if column_type == "double" and isinstance(converted, str):
        raise ValueError("not a finite number")
    return converted


def parse_override(body: Any) -> tuple[OverrideRequest, str | None]:
    """Parse a request for an override.

    Args:
        body: JSON that was parsed with all digits.

    Returns:
        The request, with a value that every client can read, and the exact JSON of the value if that differs.

    Raises:
        Invalid: the request does not match the model.
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
        # JSON parsers of clients read larger integers as doubles, or refuse them.
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
    """The name under which an override is stored; the same field and key give the same name."""
    digest = hashlib.sha256(orjson.dumps([field, key])).hexdigest()[:40]
    return f"{project}#{digest}"
