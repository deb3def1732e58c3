"""Bringing a whole stack's items to the present form."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.table import Table as Shown

from sluice.catalog import migration
from sluice.catalog.table import Table
from sluice.catalog.upgrades import UPGRADES
from sluice_cli.progress import console

_TABLES = {
    "DefinitionsTable": ("workspace_kind", "name"),
    "RunsTable": ("workspace", "run_id"),
    "DatasetsTable": ("workspace", "dataset"),
}


def migrate(cloudformation: Any, dynamodb: Any, stack: str, *, write: bool) -> Counter[tuple[str, int, int]]:
    """Show what is of an earlier form and, if asked to, write it anew.

    Returns:
        How many items of which entity go, or went, from which version to which.
    """
    found = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    tables = [migration.Stored(Table(dynamodb, names[logical]), key) for logical, key in _TABLES.items()]
    counts = migration.apply(tables) if write else migration.plan(tables)
    if not counts:
        console.print("everything is in its present form")
        return counts
    shown = Shown("what", "items", "from", "to", "because")
    for (entity, old, new), count in sorted(counts.items()):
        because = "; ".join(one.what for one in UPGRADES if one.entity == entity and one.version > old)
        shown.add_row(entity, str(count), str(old), str(new), because)
    console.print(shown)
    console.print("written" if write else "nothing was written; --apply does it")
    return counts
