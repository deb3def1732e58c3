"""Ends a statement of the engine when the run was stopped, or the function's time is nearly over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SECONDS = 1.0


class Watch:
    """Asks now and then whether the work may go on.

    Args:
        tick: is told how many records were read; it ends the work by raising.
    """

    def __init__(self, tick: Callable[[int], None]) -> None:
        self._tick = tick
        self._error: Exception | None = None

    def look(self) -> bool:
        """Whether the work may go on; the reason against it is kept."""
        if self._error is None:
            try:
                self._tick(0)
            except Exception as error:
                self._error = error
        return self._error is None

    def check(self) -> None:
        """Raise the reason why the work may not go on, if there is one."""
        if self._error is not None:
            raise self._error


@contextmanager
def watched(connection: DuckDBPyConnection, tick: Callable[[int], None]) -> Iterator[Watch]:
    """Ask every second; a statement that runs when the answer is no is interrupted.

    Raises:
        Exception: whatever `tick` has raised.
    """
    import duckdb

    watch, done = Watch(tick), threading.Event()

    def look() -> None:
        while not done.wait(_SECONDS):
            if not watch.look():
                connection.interrupt()  # again and again: one may come between two statements

    thread = threading.Thread(target=look, daemon=True)
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
