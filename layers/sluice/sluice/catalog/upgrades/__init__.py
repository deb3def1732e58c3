"""Upgrades of stored items: whenever an item is read, and for all items by `sluice migrate`.

Each change of a stored format is one module: the entity, the version that it leads to, the first release
with that version, and the functions that convert an item to it and back (`sluice migrate --down`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sluice.catalog.upgrades import datasource_2, datasource_3, key_2, pointer_2, pointer_3, run_2, run_3

Item = dict[str, Any]


@dataclass(frozen=True)
class Upgrade:
    """The step from one version of a format to the next.

    Args:
        entity: `datasource`, `run`, `pointer`, …
        version: the version that the step leads to.
        release: the first release that writes this version.
        what: a description of the change.
        apply: returns the item in the new format; it must not modify its argument.
        undo: returns the item in the previous format, or raises DowngradeError.
        tables: the logical ids of the tables that the item moves from and to; None if it does not move.
            Only `sluice migrate` moves items, reading does not.
    """

    entity: str
    version: int
    release: str
    what: str
    apply: Callable[[Item], Item]
    undo: Callable[[Item], Item]
    tables: tuple[str, str] | None = None


UPGRADES = tuple(
    Upgrade(
        module.ENTITY,
        module.VERSION,
        module.RELEASE,
        module.WHAT,
        module.upgrade,
        module.downgrade,
        getattr(module, "TABLES", None),
    )
    for module in (datasource_2, datasource_3, key_2, pointer_2, pointer_3, run_2, run_3)
)


# Oldest first; the last is this one.
RELEASES = ("0.1", "0.2", "0.3")


def newest(entity: str) -> int:
    """The current version of an entity's format."""
    return max((upgrade.version for upgrade in UPGRADES if upgrade.entity == entity), default=1)


def upgraded(entity: str, item: Item) -> Item:
    """The item in the current format; the same object if it has that format."""
    for upgrade in sorted(UPGRADES, key=lambda step: step.version):
        if upgrade.entity == entity and item.get("schema_version", 1) < upgrade.version:
            item = {**upgrade.apply(item), "schema_version": upgrade.version}
    return item


def version_in(release: str, entity: str) -> int:
    """The version of an entity's format in a release."""
    releases = RELEASES[: RELEASES.index(release) + 1]
    return max((step.version for step in UPGRADES if step.entity == entity and step.release in releases), default=1)


def downgraded(entity: str, item: Item, version: int) -> Item:
    """The item in the format of an earlier version.

    Raises:
        DowngradeError: the item has content that the earlier format cannot represent.
    """
    for upgrade in sorted(UPGRADES, key=lambda step: step.version, reverse=True):
        if upgrade.entity == entity and item.get("schema_version", 1) >= upgrade.version > version:
            item = {**upgrade.undo(item), "schema_version": upgrade.version - 1}
    return item


def stored_version(table: str, entity: str, item: Item) -> int:
    """The version of a stored item.

    Args:
        table: the logical id of the table that has the item.
    """
    version = int(item.get("schema_version", 1))
    # An item that is still in the table that an upgrade moves it from has not been upgraded, whatever its
    # `schema_version` is.
    moving = [step.version for step in UPGRADES if step.entity == entity and step.tables and step.tables[0] == table]
    return min([version, *(moved - 1 for moved in moving)])


def home(entity: str, version: int) -> str | None:
    """The logical id of the table for items of a version; None for an entity that no upgrade moves."""
    moves = [upgrade for upgrade in UPGRADES if upgrade.entity == entity and upgrade.tables]
    entered = [upgrade.tables[1] for upgrade in moves if upgrade.tables and upgrade.version <= version]
    if entered:
        return entered[-1]
    return moves[0].tables[0] if moves and moves[0].tables else None
