"""How fast a run may ask its upstream: what one answer says holds for all of the run's requests."""

from __future__ import annotations

import time

# After so many pages without a further complaint the run asks for several at a time again.
_CALM = 50


class Pace:
    """The pause that an upstream has asked for, and how many requests it takes at a time.

    Args:
        most: the most requests at a time.
    """

    def __init__(self, most: int) -> None:
        self.not_before = 0
        self._most = most
        self._calm = _CALM

    @property
    def width(self) -> int:
        """How many requests may be under way."""
        return self._most if self._calm >= _CALM else 1

    @property
    def pausing(self) -> bool:
        """Whether nothing may be asked now."""
        return self.not_before > 1000 * time.time()

    def slow_down(self, not_before: int) -> None:
        """Keep still until a moment, in epoch milliseconds, and go on with one request at a time."""
        self.not_before = max(self.not_before, not_before)
        self._calm = 0

    def page_came(self) -> None:
        """Take note of a page that was received in its turn."""
        self._calm += 1
