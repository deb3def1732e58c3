"""Finishing upgrades: every item of an earlier form, found and written anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sluice.catalog.table import ConditionFailed, Item, Table
from sluice.catalog.upgrades import newest, upgraded


@dataclass(frozen=True)
class Stored:
    """A table whose items may be of an earlier form.

    Args:
        key: the names of its key's attributes.
    """

    table: Table
    key: tuple[str, ...]

    def entity(self, item: Item) -> str | None:
        """What an item is; none for what has no form of its own, such as counters."""
        if "workspace_kind" in item:
            return str(item["workspace_kind"]).rpartition("#")[2]
        if "run_id" in item:
            return "run"
        if "dataset" in item:
            return None if str(item["dataset"]).startswith(("calls/", "published/", "tests/")) else "pointer"
        return None


def pending(stored: Stored) -> Iterator[tuple[str, Item]]:
    """The items of an earlier form, with what they are."""
    for item in stored.table.scan_all():
        entity = stored.entity(item)
        if entity is not None and item.get("schema_version", 1) < newest(entity):
            yield entity, item


def plan(tables: list[Stored]) -> Counter[tuple[str, int, int]]:
    """How many items of which entity would go from which version to which."""
    return Counter(
        (entity, item.get("schema_version", 1), newest(entity)) for stored in tables for entity, item in pending(stored)
    )


def apply(tables: list[Stored]) -> Counter[tuple[str, int, int]]:
    """Write every item of an earlier form anew; how many of which were.

    Only what an upgrade changes is written, and only if nobody has changed it meanwhile: such an
    item is in the new form already, or found the next time.
    """
    done: Counter[tuple[str, int, int]] = Counter()
    for stored in tables:
        for entity, item in pending(stored):
            if _rewritten(stored, item, upgraded(entity, item)):
                done[entity, item.get("schema_version", 1), newest(entity)] += 1
    return done


def _rewritten(stored: Stored, before: Item, after: Item) -> bool:
    changes = {name: value for name, value in after.items() if before.get(name) != value}
    conditions, values = [], {}
    for name in changes:
        if name in before:
            conditions.append(f"#{name} = :was_{name}")
            values[f"was_{name}"] = before[name]
        else:
            conditions.append(f"attribute_not_exists(#{name})")
    key = {name: before[name] for name in stored.key}
    try:
        stored.table.do(stored.table.update(key, changes, " AND ".join(conditions), values))
    except ConditionFailed:
        return False
    return True
