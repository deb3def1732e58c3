"""Items written by earlier releases, brought to the present form: on each read, or all at once.

Each change of a form is one module, with the entity it is of, the version it leads to, and the
function that leads there. `sluice migrate` finishes what reading would do item by item.
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
        what: what changes, for people.
        apply: gives the item in its new form; the one it is given stays as it is.
    """

    entity: str
    version: int
    what: str
    apply: Callable[[Item], Item]


UPGRADES = tuple(
    Upgrade(module.ENTITY, module.VERSION, module.WHAT, module.upgrade)
    for module in (datasource_2, datasource_3, pointer_2, run_2)
)


def newest(entity: str) -> int:
    """The version in which items of this kind are written."""
    return max((upgrade.version for upgrade in UPGRADES if upgrade.entity == entity), default=1)


def upgraded(entity: str, item: Item) -> Item:
    """The item in its present form; unchanged if it is in that form."""
    for upgrade in sorted(UPGRADES, key=lambda one: one.version):
        if upgrade.entity == entity and item.get("schema_version", 1) < upgrade.version:
            item = {**upgrade.apply(item), "schema_version": upgrade.version}
    return item
