"""The commands of `sluice`. Their docstrings are the help texts."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError
from rich.table import Table

from sluice.catalog.upgrades import RELEASES
from sluice_cli.api import connect
from sluice_cli.commands import blueprints
from sluice_cli.demo import demonstrate
from sluice_cli.migrate import migrate as migrate_stack
from sluice_cli.progress import StepFailed, console, step
from sluice_cli.stack import DEFAULT_PORT, LocalStack, drop_file, issue_first_key, started_port

ROOT = Path(__file__).parents[2]
WHAT = click.argument("what", type=click.Choice(["project", "datasource"]))
PORT = click.option("--port", default=DEFAULT_PORT, envvar="PORT", show_default=True, help="Port of the emulator.")


def local_folder() -> Path:
    """The folder of the local stack: `.local`, or SLUICE_LOCAL."""
    return Path(os.environ.get("SLUICE_LOCAL", ROOT / ".local"))


STARTED_PORT = click.option(
    "--port",
    type=int,
    default=lambda: started_port(local_folder()),
    envvar="PORT",
    show_default="that of the stack that was started last",
    help="Port of the emulator.",
)


def local_stack(port: int) -> LocalStack:
    """The local stack on a port, on the emulator that EMULATOR names."""
    return LocalStack(ROOT, local_folder(), port, os.environ.get("EMULATOR") or "ministack")


@click.group()
def cli() -> None:
    """Sluice: fetch, keep every byte, merge by key, serve."""


for command in (blueprints.apply, blueprints.export, blueprints.validate):
    cli.add_command(command)


@cli.command()
@PORT
def up(port: int) -> None:
    """Start the local stack."""
    description = local_stack(port).up()
    console.print(f"API {description['api']}", soft_wrap=True)


@cli.command()
@PORT
def down(port: int) -> None:
    """Stop the local stack; its state is kept."""
    local_stack(port).down()


@cli.command()
@PORT
def clean(port: int) -> None:
    """Stop the local stack and delete its state."""
    local_stack(port).clean()


@cli.command()
@STARTED_PORT
@click.option("--minutes", default=10, show_default=True, help="How far to look back.")
def logs(port: int, minutes: int) -> None:
    """Show the latest logs of the functions, oldest first."""
    for line in local_stack(port).logs(minutes):
        click.echo(line)


@cli.command()
@PORT
@click.argument("function")
@click.argument("event", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def invoke(port: int, function: str, event: Path) -> None:
    """Call a function with an event from events/ in a Lambda container."""
    local_stack(port).invoke(function, event)


@cli.command()
@PORT
@click.argument("blueprint")
def demo(port: int, blueprint: str) -> None:
    """Start the local stack, apply a blueprint, run it and show the result."""
    demonstrate(ROOT, local_stack(port), blueprint)


@cli.command()
@click.argument("slug")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def drop(slug: str, file: Path) -> None:
    """Drop a file for a datasource into the inbox of the local stack that was started last."""
    drop_file(local_folder(), slug, file)


@cli.command()
@WHAT
@click.argument("slug")
def run(what: str, slug: str) -> None:
    """Start a run of a project or datasource, and wait for its end."""
    api = connect(local_folder())
    with step(f"Run {what} {slug}"):
        ended = api.wait_for_run(api.post(f"/{what}s/{slug}/runs"))
        if ended["status"] in ("failed", "cancelled"):
            raise StepFailed((ended["error"] or {"detail": "the run was cancelled"})["detail"])
        console.print(f"  {ended['status']}: {ended['rows']} rows, version {ended['version']}, {ended['completeness']}")
        for warning in ended["warnings"]:
            console.print(f"  note: {warning}", markup=False)


@cli.command()
@WHAT
@click.argument("slug")
@click.option("--select", help="Columns, separated by commas.")
@click.option("--where", multiple=True, help="<column>.<op>:<value>; repeats mean AND.")
@click.option("--order", help="Columns, separated by commas; a leading - sorts descending.")
@click.option("--limit", default=20, show_default=True, help="Most rows.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV instead of a table.")
def data(what: str, slug: str, as_csv: bool, **options: Any) -> None:
    """Show the rows of a published dataset."""
    params = {name: value for name, value in options.items() if value}
    answer = connect(local_folder()).call(
        "GET", f"/{what}s/{slug}/data", params=params | {"format": "csv" if as_csv else "json"}
    )
    if as_csv:
        click.echo(answer.text, nl=False)
        return
    rows = answer.json()["items"]
    table = Table()
    for name in rows[0] if rows else ["no rows"]:
        table.add_column(name)
    for row in rows:
        table.add_row(*("–" if value is None else str(value) for value in row.values()))
    console.print(table)


@cli.command()
@click.argument("path")
def get(path: str) -> None:
    """Show any document of the API as JSON, such as `runs` or `projects/top-coins`."""
    click.echo(json.dumps(connect(local_folder()).get("/" + path.lstrip("/")), indent=2))


@cli.command("first-key")
@click.option("--stack", default="sluice", show_default=True, help="The stack's name.")
@click.option("--workspace", default="main", show_default=True, help="The stack's workspace.")
def first_key(stack: str, workspace: str) -> None:
    """Create the first admin key of a stack with your AWS credentials, and show it once."""
    click.echo(issue_first_key(stack, workspace))


@cli.command()
@STARTED_PORT
@click.option("--plan", is_flag=True, help="Only show what would change (default).")
@click.option("--apply", "write", is_flag=True, help="Write the upgraded or downgraded records.")
@click.option(
    "--down",
    "release",
    type=click.Choice(RELEASES[:-1]),
    is_flag=False,
    flag_value=RELEASES[-2],
    help="Downgrade to the format of an earlier release; default: the previous one.",
)
@click.option("--aws", is_flag=True, help="The stack on AWS, with your credentials, instead of the local one.")
@click.option("--stack", default="sluice", show_default=True, help="The stack's name.")
def migrate(port: int, plan: bool, write: bool, release: str | None, aws: bool, stack: str) -> None:
    """Upgrade stored records to this release's format, or downgrade them with --down."""
    if plan and write:
        raise click.UsageError("--plan and --apply exclude each other.")
    client = boto3.client if aws else local_stack(port).client
    migrate_stack(client("cloudformation"), client("dynamodb"), stack, write=write, release=release or RELEASES[-1])


def main() -> None:
    """Run a command, and turn its errors into an exit code: 1, or 130 after Ctrl-C."""
    try:
        cli()
    except StepFailed as failure:
        if not failure.reported:
            console.print(f"✗ {failure}", markup=False)
        sys.exit(1)
    except BotoCoreError as error:
        console.print(f"✗ {error}. Is the stack running on this port? Start it with: make up", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("Interrupted.")
        sys.exit(130)
