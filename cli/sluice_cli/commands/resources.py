"""Commands for any resource of the API."""

from __future__ import annotations

import sys
from urllib.parse import parse_qs, urlsplit

import click

from sluice_cli.completion import ResourceNames
from sluice_cli.connection import connect
from sluice_cli.output.columns import columns_for
from sluice_cli.output.formats import output_option, show_document, show_rows
from sluice_cli.output.messages import echo
from sluice_client import segment

# What can be deleted: the path, and how many names it takes.
_PATHS = {
    "datasource": ("/datasources/{}", 1),
    "project": ("/projects/{}", 1),
    "model": ("/projects/{}/models/{}", 2),
    "algorithm": ("/projects/{}/algorithms/{}", 2),
    "report": ("/projects/{}/reports/{}", 2),
    "endpoint": ("/projects/{}/endpoints/{}", 2),
    "site": ("/sites/{}", 1),
    "equipment": ("/equipment/{}", 1),
    "sensor": ("/sensors/{}", 1),
    "input": ("/inputs/{}", 1),
}


@click.command()
@click.argument("path")
@click.option("--all", "whole", is_flag=True, help="All pages of a list, not only the first.")
@output_option()
def get(path: str, whole: bool, output: str | None) -> None:
    """Show any document or list of the API, such as `projects/top-coins` or `runs?status=failed&limit=3`.

    Files such as reports and raw pages are written as they are.
    """
    path = "/" + path.lstrip("/")
    with connect() as api:
        answer = api.request("GET", path)
        if not answer.headers.get("Content-Type", "").startswith(("application/json", "application/problem+json")):
            sys.stdout.buffer.write(answer.content)
            return
        document = answer.json()
        if not (isinstance(document, dict) and isinstance(document.get("items"), list)):
            show_document(document, output)
            return
        rows = document["items"]
        if whole and document.get("next"):
            rows = [*rows, *api.items(path, cursor=document["next"])]
        if rows and not all(isinstance(row, dict) for row in rows):
            show_document(rows, output)
            return
        show_rows(rows, output, columns_for(path, rows))
        if document.get("next") and not whole and "limit" not in parse_qs(urlsplit(path).query):
            echo(f"The first {len(rows)}; --all shows all.", err=True)


@click.command()
@click.argument("what", type=click.Choice(list(_PATHS)))
@click.argument("names", nargs=-1, required=True, type=ResourceNames())
@click.option("--force", is_flag=True, help="A datasource or input: also while projects use it.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def delete(what: str, names: tuple[str, ...], force: bool, yes: bool) -> None:
    """Delete a datasource or project by its slug, or what belongs to a project by the slug of that and its name.

    A site and equipment are named by their codes, a sensor by its id, an input by its slug. A deleted datasource can be
    restored for 30 days, an input always. Data that was published stays in the lake.
    """
    path, count = _PATHS[what]
    if len(names) != count:
        wanted = "its slug, code or id" if count == 1 else "the slug of its project and its name"
        raise click.UsageError(f"Name the {what} by {wanted}.")
    if not yes:
        click.confirm(f"Delete the {what} {' '.join(names)}?", abort=True)
    with connect() as api:
        api.delete(path.format(*(segment(name) for name in names)), force=force or None)
    echo(f"deleted {what} {' '.join(names)}", err=True)
