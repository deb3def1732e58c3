"""Making the changes of a plan."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

from sluice.domain.json_text import same_json
from sluice_cli.blueprints.folder import Blueprint
from sluice_cli.blueprints.plan import Change, Plan, make_plan
from sluice_cli.blueprints.resources import TYPES, ResourceKey
from sluice_cli.blueprints.show import SIGNS, title
from sluice_cli.blueprints.validate import invalid_faults
from sluice_cli.errors import StepFailed
from sluice_cli.output.values import counted
from sluice_client import ApiError, NotFound, PreconditionFailed, Sluice, SluiceError


class ApplyFailed(StepFailed):
    """A change failed, so the changes after it were not made.

    Args:
        failed: the change.
        cause: why it failed.
        done: how many changes were made.
        rest: the changes that were not made, the failed one first.
    """

    def __init__(self, failed: Change, cause: SluiceError, done: int, rest: list[Change]) -> None:
        self.failed, self.done, self.rest = failed, done, rest
        lines = [f"{failed.key}: the change failed:", *(f"  {line}" for line in _reasons(failed, cause))]
        lines.append(f"{done} of {counted(done + len(rest), 'change')} {'is' if done == 1 else 'are'} done. Not done:")
        lines += [f"  {SIGNS[change.action]} {change.key}{_remedy(change)}" for change in rest]
        if isinstance(cause, PreconditionFailed):
            lines.append("Run apply again: it makes a new plan for what is left.")
        else:
            lines.append("Correct the error and apply again: it continues with what is left.")
        super().__init__("\n".join(lines))


def _reasons(change: Change, cause: SluiceError) -> list[str]:
    """Why a change failed; with the places in the file if the API refused its document."""
    if isinstance(cause, PreconditionFailed):
        done = "created" if change.action == "create" else "changed"
        return [f"the {change.key.type} was {done} by somebody else since this plan was made"]
    if not isinstance(cause, ApiError) or change.source is None:
        return str(cause).splitlines()
    errors = [{"pointer": fault["pointer"], "message": fault["message"]} for fault in cause.errors]
    return [str(fault) for fault in invalid_faults(change.source, cause.detail, errors)]


def _remedy(change: Change) -> str:
    """What to do about a datasource that a later apply does not know of, since its assignment may be gone."""
    if change.action != "delete" or change.key.type != "datasource":
        return ""
    return " (if it stays behind, delete it by itself)"


def apply_plan(plan: Plan, api: Sluice, report: Callable[[str], None] = click.echo) -> None:
    """Make the changes of a plan, in its order; stop at the first that fails.

    Args:
        plan: the plan.
        api: the client.
        report: gets a line for each change that was made.

    Raises:
        ApplyFailed: a change failed; the text says which were made and which were not.
    """
    for done, change in enumerate(plan.changes):
        try:
            _make(change, api)
        except SluiceError as failure:
            raise ApplyFailed(change, failure, done, plan.changes[done:]) from failure
        report(f"{title(change)} {'deleted' if change.action == 'delete' else 'applied'}")


def apply_blueprint(blueprint: Blueprint, api: Sluice) -> None:
    """Apply a blueprint without asking, the values of its secrets included; nothing is deleted.

    Args:
        blueprint: the blueprint.
        api: the client.

    Raises:
        BlueprintInvalid: the blueprint has faults.
        ApplyFailed: the API refuses a change.
    """
    apply_plan(make_plan(blueprint, api, secrets=True), api, lambda line: click.echo(f"  {line}"))


def _make(change: Change, api: Sluice) -> None:
    path, document = change.key.path, change.document
    if document is None:
        # If it is gone, somebody else has deleted it since the plan was made.
        with suppress(NotFound):
            api.delete(path, headers=change.precondition)
        return
    try:
        api.put(path, document, headers=change.precondition)
    except PreconditionFailed:
        # The answer to an earlier attempt may have been lost.
        if not _is_stored(change.key, document, api):
            raise


def _is_stored(key: ResourceKey, document: dict[str, Any], api: Sluice) -> bool:
    """Whether a resource is what a change would make of it; what the API hides of it cannot be compared."""
    kind = TYPES[key.type]
    try:
        stored = kind.stored(key.name, api.get(key.path))
    except NotFound:
        return False
    return not kind.hidden and same_json(stored, kind.normalize(key.name, document))
