"""What a person sees while a long command works: each step, its time, and why one failed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

console = Console(highlight=False)


class StepFailed(Exception):
    """A step could not be done; the text says why and what to do."""

    told = False


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step, and its time when it is done."""
    started = time.monotonic()
    console.print(f"[bold]•[/] {title} …")
    try:
        yield
    except StepFailed as failure:
        if not failure.told:
            console.print(f"[bold red]✗ {title}[/]: {escape(str(failure))}")
        failure.told = True
        raise
    console.print(f"  [green]done[/] in {time.monotonic() - started:.1f} s")
