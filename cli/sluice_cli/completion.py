"""Slugs and names for completion in a shell, and for suggestions."""

from __future__ import annotations

import re
from typing import Any

import click

_RESOURCE = re.compile(
    r"^/(?:(?P<list>projects|datasources)/(?P<slug>[^/?]+)"
    r"(?:/(?P<kind>models|algorithms|reports|endpoints)/(?P<name>[^/?]+))?|endpoints/(?P<project>[^/?]+)/(?P<endpoint>[^/?]+))"
)
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_MOST_NAMES = 200
# The lists of what belongs to no project.
_LISTS = {
    "project": "/projects",
    "datasource": "/datasources",
    "site": "/sites",
    "equipment": "/equipment",
    "sensor": "/sensors",
}


def split_path(path: str) -> tuple[str, str] | None:
    """Split the path of a resource that does not exist.

    Returns:
        The path of the list that it would be in, and its slug or name; null if the path has no such resource.
    """
    match = _RESOURCE.match(path)
    if match is None:
        return None
    if match["project"]:
        return f"/projects/{match['project']}/endpoints", match["endpoint"]
    if match["kind"] and match["slug"] in names_in(f"/{match['list']}"):
        return f"/{match['list']}/{match['slug']}/{match['kind']}", match["name"]
    return f"/{match['list']}", match["slug"]


def names_in(path: str) -> list[str]:
    """The slugs or names in a list of the API; empty if it cannot be read, since this is only a help."""
    from sluice_cli.connection import connect

    try:
        with connect() as api:
            items = api.items(path, limit=_MOST_NAMES)
            names = [item.get("slug") or item.get("code") or item.get("id") or item["name"] for item in items]
            return [name for name in names if _NAME.fullmatch(name)]  # a shell would run others, such as `;x`
    except Exception:
        return []


class Listed(click.ParamType):
    """A slug, a name or an id that is completed from a list of the API.

    Args:
        path: the list's path; `{what}` and the like stand for the values of other parameters of the command.
        name: what it is, for error messages.
    """

    def __init__(self, path: str, name: str) -> None:
        self._path = path
        self.name = name

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """The names in the list that begin with what was typed."""
        from click.shell_completion import CompletionItem

        values = {name: value for name, value in ctx.params.items() if value is not None}
        try:
            path = self._path.format(**values)
        except KeyError:
            return []
        return [CompletionItem(name) for name in names_in(path) if name.startswith(incomplete)]


class ResourceNames(click.ParamType):
    """The names of a resource: a slug, code or id, or the slug of its project and its own name.

    `what` says of which type it is.
    """

    name = "names"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """The slugs or names that begin with what was typed."""
        from click.shell_completion import CompletionItem

        what, typed = ctx.params.get("what"), ctx.params.get(param.name or "") or ()
        of_project = f"/projects/{typed[0]}/{what}s" if typed else "/projects"
        path = _LISTS.get(what or "", of_project)
        return [CompletionItem(name) for name in names_in(path) if name.startswith(incomplete)]


PROJECT = Listed("/projects", "project")
DATASOURCE = Listed("/datasources", "datasource")
RUN = Listed("/runs", "run")
OWNER = Listed("/{what}s", "slug")
