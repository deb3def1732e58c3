"""Commands that speak to AWS, or to the emulator, instead of the API."""

from __future__ import annotations

import boto3
import click

from sluice.catalog.upgrades import RELEASES
from sluice_cli.commands.local import STARTED_PORT, local_stack
from sluice_cli.local.migrate import migrate as migrate_stack
from sluice_cli.local.stack import issue_first_key


@click.command("first-key")
@click.option("--stack", default="sluice", show_default=True, help="The stack's name.")
@click.option("--workspace", default="main", show_default=True, help="The stack's workspace.")
def first_key(stack: str, workspace: str) -> None:
    """Create the first admin key of a stack with your AWS credentials, and show it once."""
    click.echo(issue_first_key(stack, workspace))


@click.command()
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
