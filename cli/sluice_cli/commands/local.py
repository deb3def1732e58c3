"""Commands for the local stack."""

from __future__ import annotations

import os
from pathlib import Path

import click

from sluice_cli.local.stack import DEFAULT_PORT, LocalStack, started_port
from sluice_cli.output.messages import echo
from sluice_cli.paths import ROOT, local_folder
from sluice_cli.progress import console

PORT = click.option("--port", default=DEFAULT_PORT, envvar="PORT", show_default=True, help="Port of the emulator.")
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


@click.command()
@PORT
def up(port: int) -> None:
    """Start the local stack."""
    description = local_stack(port).up()
    if "console" in description:
        console.print(f"Console {description['console']}", soft_wrap=True)
    console.print(f"API     {description['api']}", soft_wrap=True)
    console.print(f"Docs    {description['api']}/docs", soft_wrap=True)
    console.print(f"Key     {description['api_key']}  (admin; also in .local/stack.json)", soft_wrap=True)


@click.command()
@PORT
def down(port: int) -> None:
    """Stop the local stack; its state is kept."""
    local_stack(port).down()


@click.command()
@PORT
def clean(port: int) -> None:
    """Stop the local stack and delete its state."""
    local_stack(port).clean()


@click.command()
@STARTED_PORT
@click.option("--minutes", default=10, show_default=True, help="How far to look back.")
def logs(port: int, minutes: int) -> None:
    """Show the latest logs of the functions, oldest first."""
    for line in local_stack(port).logs(minutes):
        echo(line)


@click.command()
@PORT
@click.argument("function")
@click.argument("event", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def invoke(port: int, function: str, event: Path) -> None:
    """Call a function with an event from events/ in a Lambda container."""
    local_stack(port).invoke(function, event)


@click.command()
@PORT
@click.argument("blueprint")
def demo(port: int, blueprint: str) -> None:
    """Start the local stack, apply a blueprint, run it and show the result."""
    from sluice_cli.local.demo import demonstrate

    demonstrate(ROOT, local_stack(port), blueprint)
