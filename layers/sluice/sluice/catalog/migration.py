"""Upgrading and downgrading whole tables: every item of another form is written in the one that a release has.

An item that another table has in that release is moved there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sluice.catalog.table import ConditionFailed, Item, Table, transact
from sluice.catalog.upgrades import RELEASES, downgraded, home, newest, stored_version, upgraded, version_in
from sluice.catalog.upgrades.refusal import DowngradeError


class MoveError(Exception):
    """An item cannot be moved into the table that it belongs in; the message says why."""


@dataclass(frozen=True)
class Stored:
    """A table whose items may be of an earlier form.

    Args:
        name: its logical id in the template.
        key: the names of its key's attributes.
    """

    name: str
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

    def key_of(self, item: Item) -> Item:
        """The key of an item."""
        return {name: item[name] for name in self.key}


@dataclass
class Report:
    """What a migration does, or would do.

    Args:
        counts: how many items of which entity go from which version to which.
        kept: the items that stay as they are, with the reason, such as what the earlier release cannot express.
    """

    counts: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    kept: dict[str, str] = field(default_factory=dict)

    def keep(self, stored: Stored, item: Item, reason: Exception) -> None:
        """Note an item that stays as it is."""
        self.kept[" ".join(str(value) for value in stored.key_of(item).values())] = str(reason)


@dataclass(frozen=True)
class Change:
    """An item of another form, and the form that it is to have.

    Args:
        source: the table that the item is in.
        target: the table that it is to be in, mostly the same.
    """

    entity: str
    source: Stored
    target: Stored
    before: Item
    after: Item

    @property
    def step(self) -> tuple[str, int, int]:
        """What is changed from which version to which."""
        return self.entity, self.before.get("schema_version", 1), self.after["schema_version"]

    def apply(self) -> None:
        """Write it, unless somebody has changed the item meanwhile.

        Raises:
            ConditionFailed: somebody has; such an item is in the new form already, or found the next time.
            MoveError: the table that the item is to be in has another one under its name.
        """
        if self.target is self.source:
            _rewrite(self.source, self.before, self.after)
        else:
            _move(self)


def plan(tables: list[Stored], release: str = RELEASES[-1]) -> Report:
    """What `apply` would do; nothing is written."""
    report = Report()
    for change in _changes(tables, release, report):
        report.counts[change.step] += 1
    return report


def apply(tables: list[Stored], release: str = RELEASES[-1]) -> Report:
    """Write every item of another form in the form of a release, and in the table that it has there.

    Only what a step changes is written, and only if nobody has changed it meanwhile: such an
    item is in the new form already, or found the next time.

    Args:
        release: this one, or an earlier one: items that are older than it stay as they are.
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
    """The items of another form; the report is told of those that cannot have it."""
    for stored in tables:
        for found in stored.table.scan_all():
            entity = stored.entity(found)
            if entity is None:
                continue
            version = stored_version(stored.name, entity, found)
            item = found if found.get("schema_version", 1) == version else {**found, "schema_version": version}
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
    known = {one.name: one for one in tables}
    if name not in known:
        raise MoveError(f"the stack has no table {name} to move it into; deploy the release that has it first")
    return known[name]


def _rewrite(stored: Stored, before: Item, after: Item) -> None:
    changes = {name: value for name, value in after.items() if before.get(name) != value}
    changes |= {name: None for name in before if name not in after}
    conditions, values = [], {}
    for name in changes:
        if name in before:
            conditions.append(f"#{name} = :was_{name}")
            values[f"was_{name}"] = before[name]
        else:
            conditions.append(f"attribute_not_exists(#{name})")
    stored.table.do(stored.table.update(stored.key_of(before), changes, " AND ".join(conditions), values))


def _move(change: Change) -> None:
    """Bring an item into another table, in one transaction: it is never in both, nor in none."""
    source, target = change.source, change.target
    writes = [
        target.table.put(change.after, f"attribute_not_exists(#{target.key[0]})"),
        source.table.delete(source.key_of(change.before), "#version = :read", {"read": change.before["version"]}),
    ]
    try:
        transact(source.table.client, writes)
    except ConditionFailed as failure:
        if failure.position == 0:
            raise MoveError(f"the table {target.name} has another one of this name") from None
        raise
