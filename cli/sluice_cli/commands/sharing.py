"""Commands that share projects, datasources and inputs."""

from __future__ import annotations

import click

from sluice_cli.completion import OWNER
from sluice_cli.connection import connect
from sluice_cli.output.messages import echo
from sluice_client import segment

_KINDS = {"project": "projects", "datasource": "datasources", "input": "inputs"}
_ROLES = ("viewer", "designer", "editor", "owner")
_what = click.argument("what", type=click.Choice(list(_KINDS)))
_name = click.argument("name", type=OWNER)


@click.command()
@_what
@_name
@click.argument("principal")
@click.argument("role", type=click.Choice(_ROLES))
def share(what: str, name: str, principal: str, role: str) -> None:
    """Share a project, datasource or input with somebody, or change as what it is shared.

    PRINCIPAL is `user:<subject>`, `group:<name>` or `key:<id>`. `sluice get projects/NAME/members` lists the members.
    """
    with connect() as api:
        api.put(f"/{_KINDS[what]}/{segment(name)}/members/{segment(principal)}", {"role": role})
    echo(f"{what} {name} is shared with {principal} as {role}")


@click.command()
@_what
@_name
@click.argument("principal")
def unshare(what: str, name: str, principal: str) -> None:
    """End that a project, datasource or input is shared with somebody."""
    with connect() as api:
        api.delete(f"/{_KINDS[what]}/{segment(name)}/members/{segment(principal)}")
    echo(f"{what} {name} is no longer shared with {principal}")
