"""Quotations of a record: warnings, errors and addresses may contain its values as text."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from sluice.domain.json_text import dumps

# Shorter texts occur anywhere, such as numbers.
SHORTEST = 4
WORD = 6
REMOVED = "a note that quoted an erased record was removed"


def _occurs(text: str, within: str) -> bool:
    if text not in within:
        return False
    return len(text) >= WORD or re.search(rf"(?<!\w){re.escape(text)}(?!\w)", within) is not None


def _forms(text: str) -> set[str]:
    """A text, and what it stands for if it is URL-encoded, once or, as within the query of another address, twice."""
    if "%" not in text and "+" not in text:
        return {text}
    decoded = unquote_plus(text)
    return {text, decoded, unquote_plus(decoded)}


@dataclass(frozen=True)
class Quotations:
    """Recognizes texts of an erased record; those of fewer than six characters only as whole words.

    Args:
        texts: its texts, of `SHORTEST` characters or more.
    """

    texts: Collection[str]

    def has(self, value: Any) -> bool:
        """Whether a text, or a text within a value, contains one of the record's texts."""
        match value:
            case None:
                return False
            case str():
                return any(_occurs(text, form) for form in _forms(value) for text in self.texts)
            case dict():
                return any(self.has(name) or self.has(inner) for name, inner in value.items())
            case list() | tuple():
                return any(map(self.has, value))
            case _:
                return dumps(value).decode() in self.texts

    def without(self, notes: list[str]) -> list[str]:
        """Notes, with one sentence in the place of each that quotes the record."""
        return [REMOVED if self.has(note) else note for note in notes]

    def cut(self, url: str) -> str:
        """An address without its query, and without its path if that still quotes the record."""
        plain = url.partition("?")[0]
        if not self.has(plain):
            return plain
        scheme, colon, rest = plain.partition(":")
        host = rest.removeprefix("//").partition("/")[0] if rest.startswith("//") else ""
        return f"{scheme}{colon}//{host}/" if host else f"{scheme}{colon}{REMOVED}"
