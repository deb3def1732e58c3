"""Bringing a whole stack's items to the present form, or back to an earlier one."""

from __future__ import annotations

from typing import Any

from rich.table import Table as Shown

from sluice.catalog import migration
from sluice.catalog.table import Table
from sluice.catalog.upgrades import RELEASES, UPGRADES
from sluice_cli.progress import console

_TABLES = {
    "DefinitionsTable": ("workspace_kind", "name"),
    "RunsTable": ("workspace", "run_id"),
    "DatasetsTable": ("workspace", "dataset"),
    "AccessTable": ("workspace_kind", "name"),
}

_DONE = "everything is in the form of release %s"


def migrate(
    cloudformation: Any, dynamodb: Any, stack: str, *, write: bool, release: str = RELEASES[-1]
) -> migration.Report:
    """Show what is in another form than a release writes and, if asked to, write it in that form.

    Args:
        release: this one, or an earlier one to go back to.

    Returns:
        What is done, or would be.
    """
    names = _physical_names(cloudformation, stack)
    # The stack of an earlier release has not all of them.
    tables = [
        migration.Stored(name, Table(dynamodb, names[name]), key) for name, key in _TABLES.items() if name in names
    ]
    report = migration.apply(tables, release) if write else migration.plan(tables, release)
    for name, reason in report.kept.items():
        consequence = "" if release == RELEASES[-1] else f", and release {release} cannot read it"
        console.print(f"{name} stays as it is{consequence}: {reason}")
    if not report.counts:
        console.print(f"everything else is in the form of release {release}" if report.kept else _DONE % release)
        return report
    shown = Shown("what", "items", "from", "to", "because")
    for (entity, old, new), count in sorted(report.counts.items()):
        passed = range(min(old, new) + 1, max(old, new) + 1)
        because = "; ".join(one.what for one in UPGRADES if one.entity == entity and one.version in passed)
        shown.add_row(entity, str(count), str(old), str(new), because)
    console.print(shown)
    console.print("written" if write else "nothing was written; --apply does it")
    return report


def _physical_names(cloudformation: Any, stack: str) -> dict[str, str]:
    """The names of a stack's resources by their logical ids; a stack has more than one page of them."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    found = (resource for page in pages for resource in page["StackResourceSummaries"])
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}
