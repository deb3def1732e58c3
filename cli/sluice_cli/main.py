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
    0 success, 1 error, 2 wrong usage, 3 a run that succeeded with stale or partial data, 130 interrupted by Ctrl-C.
    If the reader of the output ends first, as `head` does, the exit code is 0.
    """


def main() -> None:
    """Run a command, and turn its errors into an exit code."""
    code: str | int | None
    try:
        code = _run()
    except SystemExit as end:
        # click ends with 1 if the reader has enough.
        code = 0 if isinstance(end.__context__, BrokenPipeError) else end.code
    except BrokenPipeError:
        _forget_output()
        code = 0
    except (KeyboardInterrupt, click.Abort) as error:
        code = _aborted(error)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except StepFailed as failure:
        if not failure.reported:
            _fail(str(failure))
        code = FAILED
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
        _fail(message)
        code = FAILED
    sys.exit(code)


def _run() -> int:
    """Run the command, and write what it has printed.

    Returns:
        The exit code.
    """
    # Without click's standalone mode, which has exit codes of its own. It returns the code of an `Exit`.
    # Colours as rich, which draws the tables, has them: https://no-color.org
    color = False if os.environ.get("NO_COLOR") else None
    code: int | None = cli.main(standalone_mode=False, color=color)
    try:
        sys.stdout.flush()
    except OSError:
        _forget_output()
        raise
    return code or 0


def _forget_output() -> None:
    """Drop what could not be written: Python would try again at its end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _aborted(error: BaseException) -> int:
    """Say that the user has stopped the command.

    Args:
        error: click turns Ctrl-C into an Abort, which is also what a question that is answered with no raises.
    """
    if isinstance(error, KeyboardInterrupt) or isinstance(error.__context__, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    click.echo("Aborted.", err=True)
    return FAILED


def _fail(message: str) -> None:
    from sluice_cli.output.messages import echo

    echo(f"✗ {message}", err=True)


def _message(error: Exception) -> str | None:
    """The text for an error of the system, of the client or of AWS; null for a bug.

    The modules of these errors are not imported for it: an error comes from one that was.
    """
    if isinstance(error, OSError):
        return ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)
    if isinstance(error, RecursionError):
        return "A document is nested too deeply."
    client, botocore = sys.modules.get("sluice_client"), sys.modules.get("botocore.exceptions")
    if client is not None and isinstance(error, client.NotFound):
        return str(error) + _similar_slugs(error)
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
