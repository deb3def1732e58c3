"""Upgrading and downgrading whole tables: every item of another form is written in the one that a release has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sluice.catalog.table import ConditionFailed, Item, Table
from sluice.catalog.upgrades import RELEASES, downgraded, newest, upgraded, version_in
from sluice.catalog.upgrades.refusal import DowngradeError


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


@dataclass
class Report:
    """What a migration does, or would do.

    Args:
        counts: how many items of which entity go from which version to which.
        kept: the items that stay as they are, with the reason: the earlier release cannot express them.
    """

    counts: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    kept: dict[str, str] = field(default_factory=dict)


def plan(tables: list[Stored], release: str = RELEASES[-1]) -> Report:
    """What `apply` would do; nothing is written."""
    report = Report()
    for _, entity, item, after in _changes(tables, release, report):
        report.counts[_step(entity, item, after)] += 1
    return report


def apply(tables: list[Stored], release: str = RELEASES[-1]) -> Report:
    """Write every item of another form in the form of a release.

    Only what a step changes is written, and only if nobody has changed it meanwhile: such an
    item is in the new form already, or found the next time.

    Args:
        release: this one, or an earlier one: items that are older than it stay as they are.
    """
    report = Report()
    for stored, entity, item, after in _changes(tables, release, report):
        if _rewritten(stored, item, after):
            report.counts[_step(entity, item, after)] += 1
    return report


def _changes(tables: list[Stored], release: str, report: Report) -> Iterator[tuple[Stored, str, Item, Item]]:
    """The items of another form, each with its entity and the form that it is to have."""
    for stored in tables:
        for item in stored.table.scan_all():
            entity = stored.entity(item)
            if entity is None:
                continue
            try:
                after = _in_form_of(release, entity, item)
            except DowngradeError as reason:
                report.kept[" ".join(str(item[name]) for name in stored.key)] = str(reason)
                continue
            if after is not item:
                yield stored, entity, item, after


def _in_form_of(release: str, entity: str, item: Item) -> Item:
    version = version_in(release, entity)
    return upgraded(entity, item) if version == newest(entity) else downgraded(entity, item, version)


def _step(entity: str, before: Item, after: Item) -> tuple[str, int, int]:
    return entity, before.get("schema_version", 1), after["schema_version"]


def _rewritten(stored: Stored, before: Item, after: Item) -> bool:
    changes = {name: value for name, value in after.items() if before.get(name) != value}
    changes |= {name: None for name in before if name not in after}
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
