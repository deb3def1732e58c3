"""The request rate of a run: a pause or limit that one response asks for applies to all of its requests."""

from __future__ import annotations

import time

# After so many pages without a 429 or 503, the run sends concurrent requests again.
_CALM_PAGES = 50


class Pace:
    """The pause that the upstream has asked for, and the number of concurrent requests.

    Args:
        concurrency: the most concurrent requests.
    """

    def __init__(self, concurrency: int) -> None:
        self.not_before = 0
        self._concurrency = concurrency
        self._pages_since_pause = _CALM_PAGES

    @property
    def width(self) -> int:
        """The number of requests that may be pending now."""
        return self._concurrency if self._pages_since_pause >= _CALM_PAGES else 1

    @property
    def pausing(self) -> bool:
        """Whether no request may be sent now."""
        return self.not_before > 1000 * time.time()

    def slow_down(self, not_before: int) -> None:
        """Pause until a time in epoch milliseconds, and continue with one request at a time."""
        self.not_before = max(self.not_before, not_before)
        self._pages_since_pause = 0

    def count_page(self) -> None:
        """Count a page that was received."""
        self._pages_since_pause += 1
