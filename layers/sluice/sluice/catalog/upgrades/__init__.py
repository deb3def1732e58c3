"""Items written by earlier releases, brought to the present form: on each read, or all at once.

Each change of a form is one module, with the entity it is of, the version it leads to, the release
that brought it, and the functions that lead there and back. `sluice migrate` finishes what reading
would do item by item; `sluice migrate --down` leads back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sluice.catalog.upgrades import datasource_2, datasource_3, pointer_2, run_2

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
    """

    entity: str
    version: int
    release: str
    what: str
    apply: Callable[[Item], Item]
    undo: Callable[[Item], Item]


UPGRADES = tuple(
    Upgrade(module.ENTITY, module.VERSION, module.RELEASE, module.WHAT, module.upgrade, module.downgrade)
    for module in (datasource_2, datasource_3, pointer_2, run_2)
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
