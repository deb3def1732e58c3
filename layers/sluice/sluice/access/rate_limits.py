"""The rate limit of each caller, shared by all processes that answer requests."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from sluice.catalog.locks import Locks

# The callers that a process remembers; of a forgotten one, fewer than a batch of requests are not counted.
_MAX_CALLERS = 10_000
_BATCHES_PER_SECOND = 10


@dataclass
class _Caller:
    """What a process knows of a caller.

    Args:
        uncounted: its requests since the last batch.
        refused_until: the time until which its bucket is known to be empty, in epoch seconds.
    """

    uncounted: int = 0
    refused_until: float = 0.0


class RateLimits:
    """A token bucket for each caller, in the table `Locks`.

    A write for each request would cost more than most requests. So a process counts a caller's requests in memory,
    and takes tokens for a batch of them (the requests of a tenth of a second) with one write. Every request is counted
    sooner or later, so the limit holds on average; each process may exceed it by less than a batch. A process that
    knows that the bucket is empty refuses without a call to the table.

    Args:
        requests_per_second: the rate at which a bucket fills; 0: no limit.
        burst: the tokens of a full bucket.
        clock: the time in epoch seconds.
    """

    def __init__(
        self, locks: Locks, requests_per_second: float, burst: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._locks = locks
        self._rate = requests_per_second
        self._burst = burst
        self._clock = clock
        self._batch = max(1, min(int(requests_per_second / _BATCHES_PER_SECOND), burst))
        self._callers: OrderedDict[str, _Caller] = OrderedDict()

    def admit(self, caller: str) -> float | None:
        """Count a request of a caller.

        Args:
            caller: a principal's id, or an address.

        Returns:
            None if it is within the limit; otherwise the seconds until the next one can be.
        """
        if self._rate <= 0:
            return None
        known = self._callers.setdefault(caller, _Caller())
        self._callers.move_to_end(caller)
        if len(self._callers) > _MAX_CALLERS:
            self._callers.popitem(last=False)
        moment = self._clock()
        if known.refused_until > moment:
            return known.refused_until - moment
        known.uncounted += 1
        if known.uncounted < self._batch:
            return None
        wait = self._locks.take(f"requests#{caller}", known.uncounted, self._rate, self._burst, moment)
        if wait is None:
            known.uncounted = 0
            return None
        # The refused request is not counted; the batch's earlier ones were answered, and stay.
        known.uncounted -= 1
        known.refused_until = moment + wait
        return wait
