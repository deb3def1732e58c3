"""Migrations: writing all items of the catalog in the format of another release.

An item that belongs in another table in that release is moved there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sluice.catalog.table import ConditionFailed, Item, Table
from sluice.catalog.transactions import transact
from sluice.catalog.upgrades import RELEASES, downgraded, home, newest, stored_version, upgraded, version_in
from sluice.catalog.upgrades.refusal import DowngradeError


class MoveError(Exception):
    """An item cannot be moved to the table that it belongs in; the message is the reason."""


@dataclass(frozen=True)
class Stored:
    """A table with items in the formats of several releases.

    Args:
        name: the table's logical id in the template.
        key: the names of the key's attributes.
    """

    name: str
    table: Table
    key: tuple[str, ...]

    def entity(self, item: Item) -> str | None:
        """The entity that an item stores, such as `run`; None if its format has no versions, as that of counters."""
        if "workspace_kind" in item:
            return str(item["workspace_kind"]).rpartition("#")[2]
        if "run_id" in item:
            return "run"
        if "dataset" in item:
            # The table also has events, statistics and test results, whose keys begin otherwise.
            return "pointer" if str(item["dataset"]).startswith(("datasource/", "project/")) else None
        return None

    def key_of(self, item: Item) -> Item:
        """The key of an item."""
        return {name: item[name] for name in self.key}


@dataclass
class Report:
    """What a migration has changed, or would change.

    Args:
        counts: the number of items by entity, old version and new version.
        kept: the reasons by the keys of items that are not changed, such as content that an earlier release
            cannot represent.
    """

    counts: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    kept: dict[str, str] = field(default_factory=dict)

    def keep(self, stored: Stored, item: Item, reason: Exception) -> None:
        """Record an item that is not changed, with the reason."""
        self.kept[" ".join(str(value) for value in stored.key_of(item).values())] = str(reason)


@dataclass(frozen=True)
class Change:
    """The change of one item to another format.

    Args:
        source: the table that the item is in.
        target: the table that it belongs in, which usually is the same.
        before: the item as it was read.
        after: the item in the new format.
    """

    entity: str
    source: Stored
    target: Stored
    before: Item
    after: Item

    @property
    def step(self) -> tuple[str, int, int]:
        """The entity, the old version and the new version."""
        return self.entity, self.before.get("schema_version", 1), self.after["schema_version"]

    def apply(self) -> None:
        """Write the item in its new format.

        Raises:
            ConditionFailed: another process has changed the item meanwhile. Then it is in the current format,
                or the next migration finds it.
            MoveError: the target table has another item with the same key.
        """
        if self.target is self.source:
            _rewrite(self.source, self.before, self.after)
        else:
            _move(self)


def plan(tables: list[Stored], release: str = RELEASES[-1]) -> Report:
    """Report what `apply` would change, without writing anything."""
    report = Report()
    for change in _changes(tables, release, report):
        report.counts[change.step] += 1
    return report


def apply(tables: list[Stored], release: str = RELEASES[-1]) -> Report:
    """Write all items in the format of a release, each in the table that it belongs in there.

    Only the attributes that differ are written, and only if no other process has changed them meanwhile.

    Args:
        tables: the tables to migrate.
        release: this release or an earlier one; items that are older than it are not changed.

    Returns:
        The items that were changed, and those that were not, with the reasons.
    """
    report = Report()
    for change in _changes(tables, release, report):
        try:
            change.apply()
        except ConditionFailed:
            continue
        except MoveError as reason:
            report.keep(change.source, change.before, reason)
        else:
            report.counts[change.step] += 1
    return report


def _changes(tables: list[Stored], release: str, report: Report) -> Iterator[Change]:
    """The changes to make; items that cannot be changed are added to the report."""
    for stored in tables:
        for raw in stored.table.scan_all():
            entity = stored.entity(raw)
            if entity is None:
                continue
            version = stored_version(stored.name, entity, raw)
            item = raw if raw.get("schema_version", 1) == version else {**raw, "schema_version": version}
            try:
                after = _in_form_of(release, entity, item)
                target = _target(tables, stored, entity, after)
            except (DowngradeError, MoveError) as reason:
                report.keep(stored, item, reason)
                continue
            if after is not item:
                yield Change(entity, stored, target, item, after)


def _in_form_of(release: str, entity: str, item: Item) -> Item:
    version = version_in(release, entity)
    return upgraded(entity, item) if version == newest(entity) else downgraded(entity, item, version)


def _target(tables: list[Stored], stored: Stored, entity: str, after: Item) -> Stored:
    name = home(entity, after.get("schema_version", 1)) or stored.name
    if name == stored.name:
        return stored
    by_name = {table.name: table for table in tables}
    if name not in by_name:
        raise MoveError(f"the stack has no table {name} to move it into; deploy the release that has it first")
    return by_name[name]


def _rewrite(stored: Stored, before: Item, after: Item) -> None:
    changes = {name: value for name, value in after.items() if before.get(name) != value}
    changes |= {name: None for name in before if name not in after}
    # The condition is on the changed attributes only: those that the migration does not touch may change meanwhile.
    conditions, values = [], {}
    for name in changes:
        if name in before:
            conditions.append(f"#{name} = :was_{name}")
            values[f"was_{name}"] = before[name]
        else:
            conditions.append(f"attribute_not_exists(#{name})")
    stored.table.execute(stored.table.update(stored.key_of(before), changes, " AND ".join(conditions), values))


def _move(change: Change) -> None:
    """Move an item to another table, in one transaction: readers find it in exactly one of them."""
    source, target = change.source, change.target
    writes = [
        target.table.put(change.after, f"attribute_not_exists(#{target.key[0]})"),
        source.table.delete(source.key_of(change.before), "#version = :read", {"read": change.before["version"]}),
    ]
    try:
        transact(source.table.client, writes)
    except ConditionFailed as failure:
        if failure.position == 0:
            raise MoveError(f"the table {target.name} has another item of this name") from None
        raise
