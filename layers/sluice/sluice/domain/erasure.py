"""Requests to erase a record, and the hashes by which its tombstone is found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic import Field, JsonValue

from sluice.domain.base import Document
from sluice.domain.json_text import canonical
from sluice.domain.schema import convert
from sluice.errors import Invalid


class ErasureRequest(Document):
    """Which record to erase, and why."""

    key: dict[str, JsonValue] | list[JsonValue] = Field(
        description="The values of the primary key: by column, or as a list in the order of `primary_key`."
    )
    reason: str = Field(
        min_length=1, max_length=500, description="Why the record is erased; it is kept, so do not repeat the record."
    )
    dry_run: bool = Field(False, description="True: only count what would be removed, and change nothing.")


def key_values(key: dict[str, Any] | list[Any], columns: Sequence[str]) -> list[Any]:
    """The values of a requested key in the order of the primary key's columns.

    Args:
        key: by column, or in order.
        columns: the columns of the primary key.

    Raises:
        Invalid: a value is missing, null or no single value, or there is one too many.
    """
    names = ", ".join(columns)
    if isinstance(key, dict):
        if set(key) != set(columns):
            raise _invalid(f"The key has the columns {names}; give a value for each of them and no other.")
        values = [key[name] for name in columns]
    else:
        if len(key) != len(columns):
            raise _invalid(f"The key has the columns {names}; give one value for each, in this order.")
        values = list(key)
    if any(value is None or isinstance(value, dict | list) for value in values):
        raise _invalid("The values of a key are texts, numbers or booleans.")
    return values


def stored_values(values: Sequence[Any], columns: Sequence[str], types: Mapping[str, Sequence[str]]) -> list[Any]:
    """The values of a key as the columns have them, so that all ways to write a value are the same key.

    Args:
        values: the values of the key, in order.
        columns: the columns of the primary key.
        types: the types that each column has had, the present one first.

    Raises:
        Invalid: a value fits no type that its column has had.
    """
    return [_stored(value, name, types.get(name, ())) for name, value in zip(columns, values, strict=True)]


def _stored(value: Any, column: str, types: Sequence[str]) -> Any:
    for column_type in types:
        with suppress(ValueError):
            return value if column_type == "json" else convert(value, column_type)
    if types:
        raise _invalid(f"The value of {column} does not fit its type, {types[0]}; write it as the versions have it.")
    return value


def _invalid(message: str) -> Invalid:
    return Invalid(message, [{"pointer": "/key", "message": message}])


def key_text(value: Any) -> str:
    """A value of a key as text: 7 and "7" have the same."""
    return value if isinstance(value, str) else canonical(value).decode()


def key_hash(dataset: str, key: Sequence[Any]) -> str:
    """Hash a key of a dataset, so that a tombstone can be found by the key but does not tell it.

    Args:
        dataset: `datasource/x` for a primary key, `project/x` for the key of a merge.
        key: the values of the key, in order.

    Returns:
        `sha256:` and 64 hexadecimal digits.
    """
    return "sha256:" + hashlib.sha256(canonical([dataset, *map(key_text, key)])).hexdigest()
