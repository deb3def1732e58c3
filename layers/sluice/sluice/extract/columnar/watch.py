"""Interrupts the engine when the run was stopped or the function's time is nearly over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SECONDS = 1.0


class Watch:
    """Checks now and then whether the work may continue.

    Args:
        tick: called with the number of records; it stops the work by raising.
    """

    def __init__(self, tick: Callable[[int], None]) -> None:
        self._tick = tick
        self._error: Exception | None = None

    def poll(self) -> bool:
        """Whether the work may continue; if not, the reason is kept for `check`."""
        if self._error is None:
            try:
                self._tick(0)
            except Exception as error:
                self._error = error
        return self._error is None

    def check(self) -> None:
        """Raise the reason to stop, if there is one."""
        if self._error is not None:
            raise self._error


@contextmanager
def watched(connection: DuckDBPyConnection, tick: Callable[[int], None]) -> Iterator[Watch]:
    """Poll `tick` every second while the block runs, and interrupt the engine when it raises.

    Args:
        connection: the engine.
        tick: called with 0; it stops the work by raising.

    Yields:
        The watch.

    Raises:
        Exception: whatever `tick` raised.
    """
    import duckdb

    watch, done = Watch(tick), threading.Event()

    def poll_regularly() -> None:
        while not done.wait(_SECONDS):
            if not watch.poll():
                connection.interrupt()  # repeatedly: an interrupt between two statements has no effect

    thread = threading.Thread(target=poll_regularly, daemon=True)
    thread.start()
    try:
        yield watch
    except duckdb.InterruptException:
        watch.check()
        raise
    else:
        watch.check()
    finally:
        done.set()
        thread.join()
