"""The commands."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from sluice_cli.progress import StepFailed, console
from sluice_cli.stack import LocalStack

ROOT = Path(__file__).parents[2]


def local_folder() -> Path:
    """Where the local stack keeps its things."""
    return Path(os.environ.get("SLUICE_LOCAL", ROOT / ".local"))


@click.group()
def cli() -> None:
    """Sluice: fetch, keep every byte, merge by key, serve."""


PORT = click.option("--port", default=4566, envvar="PORT", show_default=True, help="Port of the emulator.")


@cli.command()
@PORT
def up(port: int) -> None:
    """Start the local stack."""
    LocalStack(ROOT, local_folder(), port).up()


@cli.command()
@PORT
def down(port: int) -> None:
    """Stop the local stack; its state is kept."""
    LocalStack(ROOT, local_folder(), port).down()


def main() -> None:
    """Run a command; a step that failed has said why."""
    try:
        cli()
    except StepFailed:
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("stopped")
        sys.exit(130)
