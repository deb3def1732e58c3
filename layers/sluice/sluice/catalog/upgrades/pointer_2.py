"""What a deletion hides is kept whole, so that it can be restored."""

from __future__ import annotations

from typing import Any

ENTITY, VERSION, RELEASE = "pointer", 2, "0.2"
WHAT = "pointers keep all that a deletion hides"


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """The pointer's item; of what was hidden, the number of the published version is all that is known.

    Earlier versions stay hidden, since they may be those of another definition.
    """
    hidden = item.get("hidden")
    if not isinstance(hidden, int):
        return item
    return {**item, "hidden": {"floor": hidden - 1, "published": hidden}}


def downgrade(item: dict[str, Any]) -> dict[str, Any]:
    """The pointer's item; of what was hidden, it keeps the number of the published version."""
    hidden = item.get("hidden")
    if not isinstance(hidden, dict):
        return item
    rest = {name: value for name, value in item.items() if name != "hidden"}
    return {**rest, "hidden": hidden["published"]} if hidden.get("published") is not None else rest
