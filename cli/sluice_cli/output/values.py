"""Values as plain text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]


def columns_of(rows: Iterable[Row]) -> list[str]:
    """The names of all columns, in the order in which they first appear."""
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
    return list(names)


def text_of(value: Any, null: str = "") -> str:
    """A value as one line of text; nested values as JSON, never as Python shows them.

    Args:
        value: a JSON value.
        null: the text for null.
    """
    if value is None:
        return null
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def plain_text(value: Any) -> str:
    """A value for a line of tab-separated values: without tabs, line breaks and control characters."""
    return "".join(character if character.isprintable() else " " for character in text_of(value))


def is_number(value: Any) -> bool:
    """Whether a value is a number; a decimal counts as one, although JSON has it as text."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return True
    return isinstance(value, str) and value.replace(".", "", 1).removeprefix("-").isdecimal()
