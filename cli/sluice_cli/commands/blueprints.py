"""Commands for blueprints. What is slow to import is imported by the commands that need it."""

from __future__ import annotations

import os
import sys
from collections import ChainMap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sluice_cli.errors import StepFailed
from sluice_cli.output.formats import output_option, show_rows
from sluice_cli.output.messages import echo
from sluice_cli.output.values import counted

if TYPE_CHECKING:
    from sluice_cli.blueprints.folder import Blueprint
    from sluice_client import Sluice

FOLDER = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
CHANGES_PENDING = 2
# A stand-in for the sample server's address, with which a blueprint can be checked offline.
_SAMPLE_URL = "http://127.0.0.1:4567"


def _connected() -> Sluice:
    from sluice_cli.connection import connect

    return connect()


@click.command()
@FOLDER
@click.option("--plan", "only_plan", is_flag=True, help="Only show what would change.")
@click.option("--exit-code", is_flag=True, help="With --plan: exit with 2 if something would change, 0 if not.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before changing anything.")
@click.option(
    "--prune",
    is_flag=True,
    help="Delete what the blueprint's projects have and the blueprint lacks: models, reports, endpoints, assignments, "
    "and datasources that no other project uses.",
)
@click.option("--secrets", is_flag=True, help="Write the values of secrets that exist, too.")
@output_option(about="With --plan: the format; default: as text.")
def apply(
    folder: Path, only_plan: bool, exit_code: bool, yes: bool, prune: bool, secrets: bool, output: str | None
) -> None:
    """Create or change what a blueprint's folder describes.

    Shows the plan, asks, and makes the changes in order. Everything is checked before anything is changed.
    If a change fails, correct the error and apply again: it continues with what is left.
    """
    from sluice_cli.blueprints.apply import apply_plan
    from sluice_cli.blueprints.plan import make_plan
    from sluice_cli.blueprints.show import plan_lines, plan_rows

    if (exit_code or output) and not only_plan:
        raise click.UsageError("--exit-code and -o need --plan.")
    api = _connected()
    plan = make_plan(_blueprint(folder, api), api, prune=prune, secrets=secrets)
    if output:
        show_rows(plan_rows(plan), output)
    else:
        for line in plan_lines(plan):
            click.echo(line)
    if only_plan:
        sys.exit(CHANGES_PENDING if exit_code and plan.changes else 0)
    if not plan.changes:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise StepFailed("there is no terminal to ask on: add --yes to apply, or --plan to only show the plan")
        click.confirm("Apply these changes?", abort=True)
    apply_plan(plan, api)


def _blueprint(folder: Path, api: Sluice) -> Blueprint:
    """The blueprint; with its sample server's address, if datasources of the local stack have it from `make run`."""
    from sluice_cli.blueprints.folder import Blueprint

    blueprint = Blueprint(folder)
    if blueprint.sample_command() is None or blueprint.has_own_values():
        return blueprint
    from sluice_cli.local.samples import sample_address

    address = sample_address(folder, api)
    if address is None:
        return blueprint
    sample = blueprint.sample_environment(address)
    echo(
        f"note: as in `make run`, the sample server {address} stands in for the real APIs; set {', '.join(sample)} "
        "for these",
        err=True,
    )
    return Blueprint(folder, ChainMap(dict(os.environ), sample))


@click.command()
@FOLDER
def validate(folder: Path) -> None:
    """Check a blueprint's folder without the API.

    Variables that the environment lacks have the values of `sample.environment`, if the blueprint has any.
    """
    from sluice_cli.blueprints.faults import BlueprintInvalid
    from sluice_cli.blueprints.folder import Blueprint
    from sluice_cli.blueprints.validate import validate_folder

    sample = Blueprint(folder).sample_environment(_SAMPLE_URL)
    blueprint = Blueprint(folder, ChainMap(dict(os.environ), sample))
    checked = validate_folder(blueprint)
    for note in checked.notes:
        echo(f"note: {note}")
    if checked.faults:
        raise BlueprintInvalid(checked.faults)
    echo(f"{folder} is valid: {counted(len(blueprint.sources), 'resource')}.")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--project", "projects", multiple=True, metavar="SLUG", help="A project to write; may be repeated.")
@click.option("--all", "whole", is_flag=True, help="Write every project, datasource and secret.")
@click.option("--force", is_flag=True, help="Replace the blueprint in a folder that is not empty.")
def export(folder: Path, projects: tuple[str, ...], whole: bool, force: bool) -> None:
    """Write projects, or the whole workspace, as a blueprint's folder.

    A project is written with its datasources and the secrets that these name. The values of secrets cannot be read:
    they are variables in the blueprint.
    """
    from sluice_cli.blueprints.export import export as write_blueprint

    if whole == bool(projects):
        raise click.UsageError("Name projects with --project, or use --all.")
    files = write_blueprint(_connected(), folder, None if whole else projects, force=force)
    for file in files:
        echo(str(file))
