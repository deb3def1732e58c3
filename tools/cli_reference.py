"""The reference of the command `sluice`, from the commands themselves."""

from __future__ import annotations

from itertools import groupby

import click

from sluice_cli.commands import REGISTRY
from sluice_cli.group import ENVIRONMENT, LazyGroup
from sluice_cli.main import cli

_HEAD = """# Command reference

<!-- Written by `make generate`. -->

`sluice` is installed in `.venv/bin` by every target of the Makefile. Output goes to stdout; messages, warnings and
errors go to stderr.

| exit code | meaning |
| --- | --- |
| 0 | success |
| 1 | an error; the message says what to do |
| 2 | wrong usage, or, with `apply --plan --exit-code`, pending changes |
| 3 | a run that succeeded, but whose data is stale or partial |
| 130 | interrupted |

"""
_WIDTH = 100


def cli_reference() -> str:
    """The whole page, as Markdown."""
    assert isinstance(cli, LazyGroup)
    parts = [_HEAD, "## Environment variables\n\n| variable | meaning |\n| --- | --- |\n"]
    parts += [f"| `{name}` | {text} |\n" for name, text in ENVIRONMENT]
    context = click.Context(cli, info_name="sluice", max_content_width=_WIDTH, terminal_width=_WIDTH)
    for topic, entries in groupby(REGISTRY.values(), key=lambda entry: entry.topic):
        parts.append(f"\n## {topic}\n")
        for entry in entries:
            command = cli.get_command(context, entry.name)
            assert command is not None
            parts += _command(command, entry.name, context)
    return "".join(parts)


def _command(command: click.Command, name: str, parent: click.Context, level: str = "###") -> list[str]:
    """A command with its help text, and below it the commands of a group."""
    context = click.Context(command, info_name=name, parent=parent, max_content_width=_WIDTH, terminal_width=_WIDTH)
    parts = [f"\n{level} {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"]
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            parts += _command(found, inner, context, level + "#")
    return parts
