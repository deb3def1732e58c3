"""Pointers store everything that a deletion hides, so that it can be restored."""

from __future__ import annotations

from typing import Any

ENTITY, VERSION, RELEASE = "pointer", 2, "0.2"
WHAT = "pointers keep all that a deletion hides"


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Convert `hidden` from the number of the published version to an object."""
    hidden = item.get("hidden")
    if not isinstance(hidden, int):
        return item
    # The versions before the published one stay hidden, since they may belong to another definition.
    return {**item, "hidden": {"floor": hidden - 1, "published": hidden}}


def downgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Convert `hidden` to the number of the published version; the rest is lost."""
    hidden = item.get("hidden")
    if not isinstance(hidden, dict):
        return item
    rest = {name: value for name, value in item.items() if name != "hidden"}
    return {**rest, "hidden": hidden["published"]} if hidden.get("published") is not None else rest
