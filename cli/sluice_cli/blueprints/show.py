"""A plan as text."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any

import click

from sluice_cli.blueprints.differences import ABSENT, FieldChange
from sluice_cli.blueprints.plan import Change, Plan
from sluice_cli.blueprints.yaml_file import dotted_path
from sluice_cli.output.values import printable

SIGNS = {"create": "+", "change": "~", "delete": "−"}
_COLORS = {"create": "green", "change": "yellow", "delete": "red"}
_WIDTH = 160


def plan_lines(plan: Plan) -> Iterator[str]:
    """The lines that show a plan: a line for each resource and each field, and a summary.

    They are for a terminal, so they have no control characters but those of their colors.

    Args:
        plan: the plan.
    """
    for change in plan.changes:
        yield title(change)
        for changed in change.fields:
            yield from map(printable, _field_lines(changed))
    for note in plan.notes:
        yield printable(f"note: {note}")
    if plan.leftovers:
        leftovers = ", ".join(map(str, plan.leftovers))
        yield printable(f"note: not in the blueprint: {leftovers}; --prune deletes what it lacks")
    if plan.kept_secrets:
        secrets = (
            "1 secret keeps its value" if plan.kept_secrets == 1 else f"{plan.kept_secrets} secrets keep their values"
        )
        yield f"note: {secrets}; --secrets writes values again"
    yield summary(plan)


def plan_rows(plan: Plan) -> list[dict[str, Any]]:
    """A plan as rows: one for each field that changes, and one for each resource that is created or deleted.

    Args:
        plan: the plan.

    Returns:
        `{"action", "resource", "field", "old", "new"}`; a value that does not exist is null.
    """
    return [
        {
            "action": change.action,
            "resource": str(change.key),
            "field": dotted_path(changed.path) if changed else None,
            "old": _json_value(changed.old) if changed else None,
            "new": _json_value(changed.new) if changed else None,
        }
        for change in plan.changes
        for changed in change.fields or (None,)
    ]


def _json_value(value: Any) -> Any:
    return None if value is ABSENT else value


def title(change: Change) -> str:
    """A change as one line.

    Args:
        change: the change.
    """
    return click.style(printable(f"{SIGNS[change.action]} {change.key}"), fg=_COLORS[change.action])


def summary(plan: Plan) -> str:
    """How many resources a plan creates, changes, deletes, and leaves as they are.

    Args:
        plan: the plan.
    """
    counts = {action: sum(change.action == action for change in plan.changes) for action in SIGNS}
    if not plan.changes:
        return f"No changes: {plan.unchanged} unchanged."
    return (
        f"{counts['create']} to create, {counts['change']} to change, {counts['delete']} to delete, "
        f"{plan.unchanged} unchanged."
    )


def _field_lines(changed: FieldChange) -> Iterator[str]:
    path = dotted_path(changed.path)
    texts = [value for value in (changed.old, changed.new) if isinstance(value, str)]
    if len(texts) == 2 and any("\n" in text for text in texts):
        yield f"    {path}:"
        lines = list(difflib.unified_diff(texts[0].splitlines(), texts[1].splitlines(), n=1, lineterm=""))
        yield from (f"      {line}" for line in lines[2:] if not line.startswith("@@"))
    else:
        yield f"    {path}: {_shown(changed.old)} → {_shown(changed.new)}"


def _shown(value: Any) -> str:
    text = "(none)" if value is ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else text[:_WIDTH] + "…"
