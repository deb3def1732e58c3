"""Values as plain text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]


# Characters that a terminal obeys instead of showing them, and those that reverse the direction of a line.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """A text that is safe on a terminal: each control character, except tabs and line breaks, is replaced by �.

    Args:
        text: any text, such as data of an upstream or a message of the API.
    """
    return _CONTROL.sub("�", text.replace("\r\n", "\n"))


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


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number and its noun, such as `1 row` or `2,500 rows`.

    Args:
        number: how many.
        noun: the word for one of them.
        plural: the word for several; default: the noun with an s.
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


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
