"""The progress of a run whose pages are read one after the other."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from sluice.domain.run import Run

if TYPE_CHECKING:
    from sluice.catalog.runs import Runs


class FetchProgress:
    """Stores how far a fetch is, every few seconds.

    Args:
        run: the run.
        runs: stores its progress.
        seconds: the shortest time between two reports.
    """

    def __init__(self, run: Run, runs: Runs, seconds: float) -> None:
        self._run = run
        self._runs = runs
        self._seconds = seconds
        self._reported_at = time.monotonic()

    async def report(self, pages: int, requests: int) -> None:
        """Store the progress, unless the last report is too recent.

        Args:
            pages: how many pages were read.
            requests: how many requests were sent.

        Raises:
            RunStopped: the run was cancelled.
        """
        if time.monotonic() - self._reported_at <= self._seconds:
            return
        progress = {"stage": "fetch", "current": pages, "total": None}
        self._run = await asyncio.to_thread(self._runs.advance, self._run, requests=requests, progress=progress)
        self._reported_at = time.monotonic()
