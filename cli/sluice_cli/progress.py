"""Progress output of long commands: each step with its time, and why a step failed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from sluice_cli.errors import StepFailed
from sluice_cli.output.values import printable

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print a step's title, and its duration when it is done.

    Raises:
        StepFailed: as raised within, after its text was printed once.
    """
    start = time.monotonic()
    console.print(f"[bold]•[/] {title} …")
    try:
        yield
    except StepFailed as failure:
        if not failure.reported:
            errors.print(f"[bold red]✗ {title}[/]: {escape(printable(str(failure)))}", soft_wrap=True)
        failure.reported = True
        raise
    console.print(f"  [green]done[/] in {time.monotonic() - start:.1f} s")
