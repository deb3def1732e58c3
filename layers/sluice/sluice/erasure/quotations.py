"""Quotations of a record: warnings, errors and addresses may contain its values as text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sluice.domain.json_text import dumps

REMOVED = "a note that quoted an erased record was removed"


@dataclass(frozen=True)
class Quotations:
    """Recognizes texts of an erased record.

    Args:
        texts: its texts; short ones are left out, since they occur anywhere.
    """

    texts: Collection[str]

    def has(self, value: Any) -> bool:
        """Whether a text, or a text within a value, contains one of the record's texts."""
        match value:
            case None:
                return False
            case str():
                return any(text in value for text in self.texts)
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
