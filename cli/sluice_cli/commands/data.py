"""Commands that read data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from sluice_cli.completion import PROJECT, ResourceNames
from sluice_cli.connection import connect
from sluice_cli.errors import StepFailed
from sluice_cli.output.formats import FORMATS, is_terminal, output_option, rows_text, show_document, show_rows
from sluice_cli.output.messages import echo
from sluice_cli.output.stale import stale_entries, warn_of_stale
from sluice_cli.output.values import counted
from sluice_client import Sluice, segment

# The API's path of the rows of each kind of thing, and how many names it takes.
_PATHS = {
    "project": ("/projects/{}/data", 1),
    "datasource": ("/datasources/{}/data", 1),
    "model": ("/projects/{}/models/{}/data", 2),
    "endpoint": ("/endpoints/{}/{}", 2),
}
# The API writes these itself, so that every value is exact and large results are no burden here.
_FILES = ("csv", "jsonl", "parquet", "arrow", "xlsx")
_TABLE_ROWS = 20
_INTO = click.option("--into", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")


@click.command()
@click.argument("what", type=click.Choice(list(_PATHS)))
@click.argument("names", nargs=-1, required=True, type=ResourceNames())
@click.option("--select", help="Columns, separated by commas.")
@click.option("--where", multiple=True, help="<column>.<op>:<value>; repeats mean AND.")
@click.option("--order", help="Columns, separated by commas; a leading - sorts descending.")
@click.option("--limit", type=click.IntRange(1), help=f"Most rows; default: {_TABLE_ROWS} in a table, else all.")
@click.option("--all", "whole", is_flag=True, help="All rows, in a table, too.")
@click.option("--version", type=int, help="This version instead of the published one.")
@click.option("--as-of", help="The version that was published at this time, such as 2026-01-31T12:00:00Z.")
@click.option("-p", "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of an endpoint.")
@_INTO
@output_option("parquet", "arrow", "xlsx")
def data(
    what: str,
    names: tuple[str, ...],
    limit: int | None,
    whole: bool,
    parameters: tuple[str, ...],
    into: Path | None,
    output: str | None,
    **options: Any,
) -> None:
    """Show the rows of a project, datasource, model or endpoint.

    \b
    sluice data project top-coins --order rank --limit 10
    sluice data model cost-revenue ratio -o csv > ratio.csv
    sluice data endpoint top-coins top -p limit=5
    """  # noqa: D301 - click's mark for lines that are not wrapped
    path, count = _PATHS[what]
    if len(names) != count:
        raise click.UsageError(
            f"Name the {what} by {'its slug' if count == 1 else 'the slug of its project and its name'}."
        )
    if parameters and what != "endpoint":
        raise click.UsageError("-p belongs to endpoints; use --select, --where, --order and --limit.")
    if limit and what == "endpoint":
        raise click.UsageError("--limit is not for endpoints; -p sets their own parameters, such as -p limit=5.")
    output = output or _format_of(into)
    path = path.format(*(segment(name) for name in names))
    params = {name: value for name, value in options.items() if value} | pairs(parameters)
    with connect() as api:
        if output in _FILES:
            _write_file(api, path, {**params, **({"limit": limit} if limit else {})}, output, into)
            return
        on_screen = into is None and output in (None, "table") and is_terminal()
        shown = limit or (_TABLE_ROWS if on_screen and not whole else None)
        first = api.get(path, **params, **({"limit": min(shown or 200, 200)} if what != "endpoint" else {}))
        warn_of_stale(first)
        rows = first["items"]
        if first.get("next"):
            wanted = None if shown is None else shown - len(rows)
            rows = [*rows, *api.items(path, limit=wanted, **params, cursor=first["next"])]
        if into is not None:
            _save(into, rows_text(rows, output).encode())
            return
        show_rows(rows, output)
        if shown and len(rows) >= shown and first.get("next") and not limit:
            echo(f"The first {counted(len(rows), 'row')}; --all shows all.", err=True)


def _format_of(into: Path | None) -> str | None:
    """The format that a file's name ends in; null without a file.

    Raises:
        UsageError: the name ends in none.
    """
    if into is None:
        return None
    ending = into.suffix.removeprefix(".")
    if ending not in (*FORMATS, *_FILES):
        raise click.UsageError(f"{into} ends in no format; name one with -o.")
    return ending


def _write_file(api: Sluice, path: str, params: dict[str, Any], output: str | None, into: Path | None) -> None:
    """Write rows in a format that the API makes, to a file or to stdout."""
    answer = api.request("GET", path, params={**params, "format": output})
    warn_of_stale({"stale": stale_entries(answer.headers.get("X-Sluice-Stale", ""))})
    if into is not None:
        _save(into, answer.content)
        return
    if output in ("parquet", "arrow", "xlsx") and is_terminal():
        raise click.UsageError(f"{output} is not text; use --into FILE, or redirect the output.")
    sys.stdout.buffer.write(answer.content)


def _save(into: Path, content: bytes) -> None:
    """Write a file, and say how large it is.

    Raises:
        StepFailed: it cannot be written.
    """
    try:
        into.write_bytes(content)
    except OSError as error:
        raise StepFailed(f"{into} cannot be written: {error.strerror}") from None
    echo(f"{into}: {len(content):,} bytes", err=True)


def pairs(texts: tuple[str, ...]) -> dict[str, str]:
    """Parse `NAME=VALUE` arguments.

    Raises:
        UsageError: one has no `=`.
    """
    for text in texts:
        if "=" not in text:
            raise click.UsageError(f"{text!r} is not NAME=VALUE.")
    return {text.partition("=")[0]: text.partition("=")[2] for text in texts}


@click.command()
@click.argument("project", type=PROJECT)
@click.argument("sql")
@click.option("-p", "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter, `$name` in SQL.")
@output_option()
def query(project: str, sql: str, parameters: tuple[str, ...], output: str | None) -> None:
    """Run one SELECT over the tables of a project: `merged`, its datasources and its models.

    SQL may be `-`, to read it from stdin. Values of parameters are sent as text; cast them as in $day::DATE.
    """
    text = sys.stdin.read() if sql == "-" else sql
    with connect() as api:
        answer = api.post(f"/projects/{segment(project)}/query", {"sql": text, "parameters": pairs(parameters)})
    warn_of_stale(answer)
    show_rows(answer["items"], output, [column["name"] for column in answer["columns"]])
    if answer["truncated"]:
        shown = counted(len(answer["items"]), "row")
        echo(f"Only the first {shown}; add a LIMIT, or make a model of the query.", err=True)


@click.command()
@click.argument("project", type=PROJECT)
@click.argument("key", nargs=-1, required=True)
@output_option()
def explain(project: str, key: tuple[str, ...], output: str | None) -> None:
    """Show where each value of a merged record comes from.

    KEY has the values of the key's columns, in their order, such as BTC Bitcoin.
    """
    with connect() as api:
        answer = api.get(f"/projects/{segment(project)}/explain", key=list(key))
    if output not in (None, "table", "csv"):
        show_document(answer, output)
        return
    rows = []
    for name, field in answer["fields"].items():
        sources = [("won", source) for source in field["winners"]] + [("lost", source) for source in field["losers"]]
        for role, source in sources or [("", {})]:
            page = source.get("page") or {}
            rows.append(
                {
                    "field": name,
                    "value": source.get("value", field["value"]),
                    "": role,
                    "rule": field["rule"],
                    "datasource": source.get("datasource"),
                    "version": source.get("version"),
                    "page": page.get("url"),
                    "pointer": source.get("pointer"),
                }
            )
    show_rows(rows, output)


@click.command()
@click.argument("project", type=PROJECT)
@click.argument("older", type=int, required=False)
@click.argument("newer", type=int, required=False)
@click.option("--limit", type=click.IntRange(1), help="Most records; default: all.")
@output_option()
def diff(project: str, older: int | None, newer: int | None, limit: int | None, output: str | None) -> None:
    """Show the records that differ between two versions of a project.

    Without versions: between the published one and the one before it.
    """
    path = f"/projects/{segment(project)}/diff"
    versions = {name: number for name, number in (("from", older), ("to", newer)) if number is not None}
    with connect() as api:
        counts = api.get(path, **versions, limit=1)
        items = list(api.items(path, limit=limit, **versions))
    rows = [
        {"key": item.get("key"), "change": item["change"], "field": field, "old": values[0], "new": values[1]}
        for item in items
        for field, values in (item.get("fields") or {"": [None, None]}).items()
    ]
    if output in ("json", "jsonl", "yaml"):
        show_rows(items, output)
    else:
        show_rows(rows, output)
    totals = ", ".join(f"{number} {change}" for change, number in counts["counts"].items())
    echo(f"version {counts['from']} to {counts['to']}: {totals}", err=True)


@click.command()
@click.argument("project", type=PROJECT)
@click.argument("number", type=int)
@output_option(about="The format of the version; default: one line.")
def promote(project: str, number: int, output: str | None) -> None:
    """Publish a version of a project for all readers at once; an earlier one to roll back."""
    with connect() as api:
        version = api.post(f"/projects/{segment(project)}/versions/{number}/promote")
    if output:
        show_document(version, output)
        return
    rows = counted(version["rows"], "row")
    echo(f"published version {version['number']} of {project}: {rows}, {version['completeness']}")
