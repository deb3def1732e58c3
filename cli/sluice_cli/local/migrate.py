"""Upgrading the stored records of a stack to this release's format, or downgrading them."""

from __future__ import annotations

from typing import Any

from rich.table import Table as TextTable

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

_DONE = "All records have the format of release %s."


def migrate(
    cloudformation: Any, dynamodb: Any, stack: str, *, write: bool, release: str = RELEASES[-1]
) -> migration.Report:
    """Show which records do not have a release's format and, with `write`, change them.

    Args:
        cloudformation: a boto3 client, to find the stack's tables.
        dynamodb: a boto3 client.
        stack: the stack's name.
        write: false to show only what would be changed.
        release: this one, or an earlier one to downgrade to.

    Returns:
        What was changed, or would be.
    """
    names = _physical_names(cloudformation, stack)
    # The stack of an earlier release has not all of them.
    tables = [
        migration.Stored(name, Table(dynamodb, names[name]), key) for name, key in _TABLES.items() if name in names
    ]
    report = migration.apply(tables, release) if write else migration.plan(tables, release)
    for name, reason in report.kept.items():
        consequence = "" if release == RELEASES[-1] else f", and release {release} cannot read it"
        console.print(f"{name} is not changed{consequence}: {reason}")
    if not report.counts:
        console.print(f"All other records have the format of release {release}." if report.kept else _DONE % release)
        return report
    table = TextTable("what", "items", "from", "to", "because")
    for (entity, old, new), count in sorted(report.counts.items()):
        steps = range(min(old, new) + 1, max(old, new) + 1)
        because = "; ".join(
            upgrade.what for upgrade in UPGRADES if upgrade.entity == entity and upgrade.version in steps
        )
        table.add_row(entity, str(count), str(old), str(new), because)
    console.print(table)
    console.print(
        "The records were written." if write else "Nothing was written. Run the command with --apply to write."
    )
    return report


def _physical_names(cloudformation: Any, stack: str) -> dict[str, str]:
    """The names of a stack's resources by their logical ids; a stack has more than one page of them."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = (item for page in pages for item in page["StackResourceSummaries"])
    return {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in resources}
