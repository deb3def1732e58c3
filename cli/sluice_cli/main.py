"""The entry point of `sluice`: runs a command, and turns its errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from sluice_cli.errors import FAILED, INTERRUPTED, StepFailed
from sluice_cli.group import LazyGroup, did_you_mean

if TYPE_CHECKING:
    from sluice_client import ApiError


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from sluice import __version__

        click.echo(f"sluice {__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the release."
)
def cli() -> None:
    """Sluice: fetch, keep every byte, merge by key, serve.

    `sluice COMMAND -h` shows what a command does. Output goes to stdout, messages and errors go to stderr. Exit codes:
    0 success, 1 error, 2 wrong usage, 3 a run that succeeded with stale or partial data.
    """


def main() -> None:
    """Run a command, and turn its errors into an exit code."""
    try:
        # As rich, which draws the tables, does: https://no-color.org
        cli(color=False if os.environ.get("NO_COLOR") else None)
    except StepFailed as failure:
        if not failure.reported:
            _fail(str(failure))
        sys.exit(FAILED)
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader, such as `head`, has enough. Python would complain again when it flushes stdout at its end.
        sys.stdout = None
        sys.exit(0)
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
        _fail(message)
        sys.exit(FAILED)


def _fail(message: str) -> None:
    click.echo(f"✗ {message}", err=True)


def _message(error: Exception) -> str | None:
    """The text for an error of the client or of AWS; null for a bug.

    The modules of these errors are not imported for it: an error comes from one that was.
    """
    client, botocore = sys.modules.get("sluice_client"), sys.modules.get("botocore.exceptions")
    if client is not None and isinstance(error, client.NotFound):
        return str(error) + _similar_slugs(error)
    if client is not None and isinstance(error, client.Unreachable):
        return f"{error} Is the stack running? Start it with: make up"
    if client is not None and isinstance(error, client.SluiceError):
        return str(error)
    if botocore is not None and isinstance(error, botocore.BotoCoreError | botocore.ClientError):
        return f"{error}. Is the stack running on this port? Start it with: make up"
    return None


def _similar_slugs(error: ApiError) -> str:
    """Suggestions for a slug or name that does not exist; empty if none is similar."""
    from sluice_cli.completion import names_in, split_path

    missing: Any = split_path(error.path)
    return did_you_mean(missing[1], names_in(missing[0])) if missing else ""
