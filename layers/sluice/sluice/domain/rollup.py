"""Rollups: aggregates of a sensor's readings in windows of one minute, one hour and one day (UTC).

A minute is made of readings, an hour of minutes, a day of hours. Each is computed again from what is stored, never
incremented, so that a repeated or late reading cannot be counted twice or forgotten. Only readings of good quality
are counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND
# The width of a window by the name of its resolution, in microseconds, from fine to coarse.
RESOLUTIONS = {"1m": MINUTE, "1h": HOUR, "1d": DAY}
AGGREGATES = ("avg", "min", "max", "sum", "count", "last")


class Point(NamedTuple):
    """The aggregates of one window.

    Args:
        start: the window's start, in microseconds since 1970.
        readings: how many there are, at least 1.
        parts: doubles whose exact sum is the exact sum of the values; usually one or two.
        min: the smallest value.
        max: the largest value.
        last: the value of the latest reading.
    """

    start: int
    readings: int
    parts: tuple[float, ...]
    min: float
    max: float
    last: float

    @property
    def sum(self) -> float:
        """The sum, rounded once from the exact sum."""
        return math.fsum(self.parts)

    def aggregates(self, names: Iterable[str]) -> dict[str, Any]:
        """Some of `AGGREGATES` by name; the average is the sum divided by the count."""
        total = self.sum
        every = {
            "avg": total / self.readings,
            "min": self.min,
            "max": self.max,
            "sum": total,
            "count": self.readings,
            "last": self.last,
        }
        return {name: every[name] for name in names}


def of_values(start: int, values: Sequence[float]) -> Point:
    """The point of a window's values, ordered by time; there is at least one."""
    return Point(start, len(values), exact_sum(values), min(values), max(values), values[-1])


def combined(start: int, points: Sequence[Point]) -> Point:
    """The point of a window that consists of finer ones, ordered by time; there is at least one."""
    parts = exact_sum([part for point in points for part in point.parts])
    return Point(
        start,
        sum(point.readings for point in points),
        parts,
        min(point.min for point in points),
        max(point.max for point in points),
        points[-1].last,
    )


def exact_sum(values: Sequence[float]) -> tuple[float, ...]:
    """Doubles whose sum is exactly that of the values, largest first.

    `math.fsum` rounds the exact sum once. What it has rounded away is the exact sum of the values and the negative of
    its result, and so on until nothing is left. (Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997, shows
    that doubles can be added without loss as sums of doubles.)
    """
    parts = [math.fsum(values)]
    if len(values) > 1:
        while rest := math.fsum([*values, *(-part for part in parts)]):
            parts.append(rest)
    return tuple(parts)
