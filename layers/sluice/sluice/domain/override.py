"""Manual overrides: a value that a person puts in the place of what the sources say."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from pydantic import Field, JsonValue

from sluice.domain.base import Document, Record


class OverrideRequest(Document):
    """A value, and why it stands there."""

    value: JsonValue
    reason: str = Field(min_length=1, max_length=2_000)


class Override(Record):
    """One field of one record, as a person has set it."""

    field: str
    key: list[str] = Field(description="The values of the key's columns, as text.")
    value: Any
    reason: str
    created_at: str
    created_by: str


def override_name(project: str, field: str, key: list[str]) -> str:
    """The name under which an override is kept: the same field and key are the same override."""
    digest = hashlib.sha256(orjson.dumps([field, key])).hexdigest()[:40]
    return f"{project}#{digest}"
