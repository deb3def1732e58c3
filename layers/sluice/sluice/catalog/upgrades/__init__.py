"""Items written by earlier releases, brought to the present form: on each read, or all at once.

Each change of a form is one module, with the entity it is of, the version it leads to, the release
that brought it, and the functions that lead there and back. `sluice migrate` finishes what reading
would do item by item; `sluice migrate --down` leads back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sluice.catalog.upgrades import datasource_2, datasource_3, key_2, pointer_2, run_2

Item = dict[str, Any]


@dataclass(frozen=True)
class Upgrade:
    """One step from a version to the next.

    Args:
        entity: `datasource`, `run`, `pointer`, …
        version: the version that the step leads to.
        release: the first release that writes this version.
        what: what changes, for people.
        apply: gives the item in its new form; the one it is given stays as it is.
        undo: gives the item in the form before, or raises DowngradeError.
        tables: the table that the item leaves and the one that it enters, by their logical ids in the
            template; null where it stays. Only `sluice migrate` moves items, never a read.
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
    for module in (datasource_2, datasource_3, key_2, pointer_2, run_2)
)


# Oldest first; the last is this one.
RELEASES = ("0.1", "0.2", "0.3")


def newest(entity: str) -> int:
    """The version in which items of this kind are written."""
    return max((upgrade.version for upgrade in UPGRADES if upgrade.entity == entity), default=1)


def upgraded(entity: str, item: Item) -> Item:
    """The item in its present form; unchanged if it is in that form."""
    for upgrade in sorted(UPGRADES, key=lambda one: one.version):
        if upgrade.entity == entity and item.get("schema_version", 1) < upgrade.version:
            item = {**upgrade.apply(item), "schema_version": upgrade.version}
    return item


def version_in(release: str, entity: str) -> int:
    """The version in which a release writes items of this kind."""
    known = RELEASES[: RELEASES.index(release) + 1]
    return max((one.version for one in UPGRADES if one.entity == entity and one.release in known), default=1)


def downgraded(entity: str, item: Item, version: int) -> Item:
    """The item in the form of an earlier version.

    Raises:
        DowngradeError: it says something that has no place in that form.
    """
    for upgrade in sorted(UPGRADES, key=lambda one: one.version, reverse=True):
        if upgrade.entity == entity and item.get("schema_version", 1) >= upgrade.version > version:
            item = {**upgrade.undo(item), "schema_version": upgrade.version - 1}
    return item


def stored_version(table: str, entity: str, item: Item) -> int:
    """The version of an item; one that a step moves is of an earlier version until it has left its table.

    Args:
        table: the logical id of the table that the item is in.
    """
    version = int(item.get("schema_version", 1))
    left = [one.version for one in UPGRADES if one.entity == entity and one.tables and one.tables[0] == table]
    return min([version, *(moved - 1 for moved in left)])


def home(entity: str, version: int) -> str | None:
    """The logical id of the table that items of a version are in; null for an entity that no step moves."""
    moves = [upgrade for upgrade in UPGRADES if upgrade.entity == entity and upgrade.tables]
    passed = [upgrade.tables[1] for upgrade in moves if upgrade.tables and upgrade.version <= version]
    if passed:
        return passed[-1]
    return moves[0].tables[0] if moves and moves[0].tables else None
