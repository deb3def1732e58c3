"""Commands for API keys and secrets."""

from __future__ import annotations

import sys
from typing import Any

import click

from sluice_cli.completion import Listed
from sluice_cli.connection import connect
from sluice_cli.errors import StepFailed
from sluice_cli.output.columns import columns_for
from sluice_cli.output.formats import output_option, show_document, show_rows
from sluice_cli.output.messages import echo
from sluice_client import segment

_KEY = Listed("/keys", "key")
_SECRET = Listed("/secrets", "secret")
_YES = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
_KEY_FORMAT = "The format of the whole key; default: its secret alone."


@click.group()
def keys() -> None:
    """List, create, rotate and revoke API keys."""


@keys.command("list")
@output_option()
def list_keys(output: str | None) -> None:
    """Show the keys, without their secrets."""
    with connect() as api:
        rows = list(api.items("/keys"))
    show_rows(rows, output, columns_for("keys", rows))


@keys.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(["viewer", "editor", "admin"]), default="viewer", show_default=True)
@click.option("--project", "projects", multiple=True, help="Only these projects; may be repeated. Default: all.")
@click.option("--expires-at", help="When it stops working, such as 2027-01-31T00:00:00Z.")
@output_option(about=_KEY_FORMAT)
def create_key(name: str, role: str, projects: tuple[str, ...], expires_at: str | None, output: str | None) -> None:
    """Create a key and print it; it is shown only now."""
    body = {"name": name, "role": role, "projects": list(projects) or None, "expires_at": expires_at}
    with connect() as api:
        _show_key(api.post("/keys", body), output)


@keys.command("rotate")
@click.argument("key_id", metavar="KEY", type=_KEY)
@click.option(
    "--keep-old",
    metavar="SECONDS",
    type=click.IntRange(min=0),
    help="How long the old secret stays valid; 0: it stops working at once. Default: the stack's, a day.",
)
@output_option(about=_KEY_FORMAT)
def rotate_key(key_id: str, keep_old: int | None, output: str | None) -> None:
    """Give a key a new secret and print it. Use --keep-old 0 if the old one has leaked."""
    with connect() as api:
        _show_key(api.post(f"/keys/{segment(key_id)}/rotate", {"keep_old_seconds": keep_old}), output)


def _show_key(created: dict[str, Any], output: str | None) -> None:
    """Print a key that was just created: its secret alone, unless a format is asked for."""
    if output:
        show_document(created, output)
    else:
        echo(created["key"])


@keys.command("delete")
@click.argument("key_id", metavar="KEY", type=_KEY)
@_YES
def delete_key(key_id: str, yes: bool) -> None:
    """Revoke a key; it stops working at once. KEY is its id."""
    if not yes:
        click.confirm(f"Revoke the key {key_id}?", abort=True)
    with connect() as api:
        api.delete(f"/keys/{segment(key_id)}")
    echo(f"revoked {key_id}", err=True)


@click.group()
def secrets() -> None:
    """List, set and delete secrets; their values are never shown."""


@secrets.command("list")
@output_option()
def list_secrets(output: str | None) -> None:
    """Show the names of secrets, where they may be sent, and who uses them."""
    with connect() as api:
        rows = list(api.items("/secrets"))
    show_rows(rows, output, columns_for("secrets", rows))


@secrets.command("set")
@click.argument("name", type=_SECRET)
@click.option("--host", "hosts", multiple=True, help="A host that the value may be sent to; may be repeated.")
@click.option("--project", "projects", multiple=True, help="A project that its data may enter; may be repeated.")
def set_secret(name: str, hosts: tuple[str, ...], projects: tuple[str, ...]) -> None:
    """Set a secret. Its value is read from the terminal, or from stdin, so that no history has it."""
    value = click.prompt("Value", hide_input=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\r\n")
    if not value:
        raise StepFailed("the value is empty; type it, or send it to stdin")
    body = {"value": value, "hosts": list(hosts) or None, "projects": list(projects) or None}
    with connect() as api:
        api.put(f"/secrets/{segment(name)}", body)
    echo(f"set {name}", err=True)


@secrets.command("delete")
@click.argument("name", type=_SECRET)
@_YES
def delete_secret(name: str, yes: bool) -> None:
    """Delete a secret; datasources that use it fail until it is set again."""
    if not yes:
        click.confirm(f"Delete the secret {name}?", abort=True)
    with connect() as api:
        api.delete(f"/secrets/{segment(name)}")
    echo(f"deleted {name}", err=True)
