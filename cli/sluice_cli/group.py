"""The root command: it lists all commands without importing them, and suggests names for misspelled ones."""

from __future__ import annotations

import difflib
import importlib
from itertools import groupby
from typing import Any

import click

from sluice_cli.commands import REGISTRY

ENVIRONMENT = (
    ("SLUICE_API", "the API's address, ending in /v1; without it, the local stack that was started last"),
    ("SLUICE_API_KEY", "the API key; without it, the admin key of the local stack"),
    ("SLUICE_LOCAL", "the folder of the local stack; default: .local in the checkout"),
    ("PORT", "the port of the local stack"),
    ("NO_COLOR", "if it is set, nothing is coloured"),
)


class LazyGroup(click.Group):
    """A group whose commands are imported one at a time.

    Importing all of them would take most of a second, which `--help` and completion must not.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in the order of the registry."""
        return list(REGISTRY)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; null if there is none of this name."""
        entry = REGISTRY.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"sluice_cli.commands.{entry.module}")
        command: click.Command = getattr(module, entry.attribute or entry.name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with.

        Raises:
            UsageError: there is none; the message suggests similar names.
        """
        if args and not args[0].startswith("-") and args[0] not in REGISTRY:
            raise click.UsageError(f"There is no command {args[0]!r}.{did_you_mean(args[0], REGISTRY)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands by topic, and the environment variables."""
        for topic, entries in groupby(REGISTRY.values(), key=lambda entry: entry.topic):
            with formatter.section(topic):
                formatter.write_dl([(entry.name, entry.help) for entry in entries])
        with formatter.section("Environment"):
            formatter.write_dl(list(ENVIRONMENT))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete the name of a command, without importing any."""
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(entry.name, help=entry.help)
            for entry in REGISTRY.values()
            if entry.name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)


def did_you_mean(word: str, known: Any) -> str:
    """A sentence that suggests similar words, with a leading blank; empty if there are none, or the word is known."""
    if word in known:
        return ""
    similar = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f" Did you mean: {', '.join(similar)}?" if similar else ""
