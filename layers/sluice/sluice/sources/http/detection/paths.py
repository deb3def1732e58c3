"""Paths of keys in a document, and the JMESPath expressions that select them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Envelopes are shallow; what lies deeper belongs to records.
_DEPTH = 6
_NODES = 20_000
# Keys longer than this, in characters, are data. So no expression for a place in the envelope is too long.
LONGEST_KEY = 200
# A list such as `[meta, records]` has few elements; one with more holds records itself.
_PARTS = 4


def expression_of(path: Path) -> str:
    """The JMESPath expression that selects a path of keys and indexes; `@` for the document itself.

    Keys that are no identifiers are quoted, whatever characters they have.
    """
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += "." * bool(text) + _quoted(step)
    return text or "@"


def _quoted(key: str) -> str:
    return key if _IDENTIFIER.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def walk(document: Any) -> Iterator[tuple[Path, Any]]:
    """The values of the envelope of a document with their paths, the shallow ones first.

    Lists are not entered, since their elements are records, except a document that is a list of a few parts. Values
    under very long keys are left out.

    Args:
        document: a parsed JSON or XML document.
    """
    level: list[tuple[Path, Any]] = [((), document)]
    visited = 0
    for _ in range(_DEPTH):
        below: list[tuple[Path, Any]] = []
        for path, node in level:
            for step, value in _members(path, node):
                visited += 1
                if visited > _NODES:
                    return
                yield (*path, step), value
                below.append(((*path, step), value))
        level = below


def _members(path: Path, node: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(node, dict):
        yield from ((key, value) for key, value in node.items() if len(key) <= LONGEST_KEY)
    elif isinstance(node, list) and not path and is_list_of_parts(node):
        yield from enumerate(node)


def is_list_of_parts(document: list[Any]) -> bool:
    """Whether a list is the envelope of the records, such as `[{"total": 304}, [{…}, {…}]]`, not the records."""
    inner = [part for part in document if isinstance(part, list) and any(isinstance(item, dict) for item in part)]
    return len(document) <= _PARTS and len(inner) == 1


def plain_name(key: str | int) -> str:
    """A key in lower case without separators, so that `next_page` and `nextPage` are equal."""
    return re.sub(r"[^a-z0-9]+", "", str(key).lower())
