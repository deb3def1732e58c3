"""Messages to the user."""

from __future__ import annotations

import click

from sluice_cli.output.values import printable


def echo(message: str, *, err: bool = False, fg: str | None = None) -> None:
    """Print a line whose parts may come from an upstream or from the API.

    Args:
        message: the text; its control characters are replaced.
        err: print it to stderr.
        fg: its color on a terminal.
    """
    click.secho(printable(message), fg=fg, err=err)
