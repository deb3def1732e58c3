"""The rollup of a whole series, the same that is stored reading by reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from sluice.domain.rollup import MINUTE, RESOLUTIONS, Point, combined, of_values
from sluice.domain.series import Series


def roll_up(series: Series, resolution: str) -> Sequence[Point]:
    """The points of a series' good readings, ordered by time.

    Args:
        resolution: a key of `RESOLUTIONS`.
    """
    points = list(_minutes(series))
    for name, width in RESOLUTIONS.items():
        if width > MINUTE:
            points = [combined(start, finer) for start, finer in _windows(points, width)]
        if name == resolution:
            break
    return points


def _minutes(series: Series) -> Iterator[Point]:
    for start, window in series.windows(MINUTE):
        _, values = window.good()
        if values:
            yield of_values(start, values)


def _windows(points: list[Point], width: int) -> Iterator[tuple[int, list[Point]]]:
    for start, finer in groupby(points, lambda point: point.start // width * width):
        yield start, list(finer)
