"""The command that prints the script for completion in a shell."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands, options, slugs and names.

    \b
    bash: eval "$(sluice completion bash)"
    zsh:  eval "$(sluice completion zsh)"
    fish: sluice completion fish | source
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from click.shell_completion import get_completion_class

    from sluice_cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    # bash 4.4 is required; click checks it by calling bash, which may be another one than the user's.
    click.echo(kind(cli, {}, "sluice", "_SLUICE_COMPLETE").source())
