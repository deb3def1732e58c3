"""API keys move to a table of their own, which only the function that manages them may write."""

from __future__ import annotations

from typing import Any

ENTITY, VERSION, RELEASE = "key", 2, "0.3"
WHAT = "keys move into a table of their own"
TABLES = ("DefinitionsTable", "AccessTable")


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """The key's item, which is the same in both tables."""
    return item


def downgrade(item: dict[str, Any]) -> dict[str, Any]:
    """The key's item, which is the same in both tables."""
    return item
