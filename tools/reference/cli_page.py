"""The page of the command line, from its commands."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from reference.markdown import NOTICE, code, table, text
from sluice_cli.main import cli

_INTRODUCTION = """\
`make` installs the command as `.venv/bin/sluice`. `sluice COMMAND --help` prints what this page says of a command.
Output goes to stdout; messages, warnings and errors go to stderr.

| exit code | meaning |
| --- | --- |
| 0 | success; also if the reader of the output ends first, as `head` does |
| 1 | an error; the message says what to do |
| 2 | wrong usage; with `apply --plan --exit-code`, pending changes |
| 3 | a run that succeeded with stale or partial data |
| 130 | interrupted by Ctrl-C |"""


def cli_page() -> dict[str, str]:
    """`reference/cli.md`, with every command of `sluice`."""
    context = click.Context(cli, info_name="sluice")
    lines = [NOTICE, "# Command line", "", _INTRODUCTION, *_options(cli, context), *_commands(cli, context)]
    return {"reference/cli.md": "\n".join(lines) + "\n"}


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield from ("", f"## {code(inner.command_path)}", "", *_help(command), "", "```", _usage(command, inner), "```")
        yield from _options(command, inner)
        if isinstance(command, click.Group):
            yield from _commands(command, inner)


def _help(command: click.Command) -> list[str]:
    # \b and \f are click's marks for texts that are not wrapped and for the end of the help.
    help_text = inspect.cleandoc(command.help or "").partition("\f")[0].replace("\b\n", "")
    return text(help_text.strip()).splitlines()


def _usage(command: click.Command, context: click.Context) -> str:
    return " ".join((context.command_path, *command.collect_usage_pieces(context)))


def _options(command: click.Command, context: click.Context) -> list[str]:
    rows = []
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            variable = parameter.envvar
            names = ", ".join(map(code, [variable] if isinstance(variable, str) else list(variable or ())))
            rows.append((code(record[0]), text(" ".join(record[1].split())), names))
    return ["", *table(("option", "meaning", "environment"), rows)] if rows else []
