"""Reading readings and rollups back: the recent ones from their blocks, older ones from the lake, by the same call.

Both stores have the same readings and compute rollups by the same functions, so an answer does not depend on where its
readings are. `recent_since` is the start of a day, so each rollup comes from one of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple, Protocol

from sluice.catalog.readings import RAW, ReadingBlocks
from sluice.domain.rollup import RESOLUTIONS, Point
from sluice.domain.series import QUALITIES, Mark, Series
from sluice.domain.series_packing import unpack_points, unpack_series
from sluice.domain.series_rollup import roll_up
from sluice.readings.lake_series import LakeSeries, ReadLimitError
from sluice.readings.lake_series import Services as LakeServices
from sluice.readings.recent import data_of, recent_since

_PLAIN = Mark()


class Services(LakeServices, Protocol):
    """What this module needs."""

    @property
    def reading_blocks(self) -> ReadingBlocks:
        """The blocks of recent readings."""
        ...


class Reading(NamedTuple):
    """One reading.

    Args:
        start: its time, in microseconds since 1970.
        quality: one of `QUALITIES`.
        revision: the number of the correction; 0 for a first value.
    """

    start: int
    value: float
    quality: str
    revision: int


Row = Reading | Point


class ReadingReader(AbstractContextManager["ReadingReader"]):
    """Reads sensors' readings and rollups, each in the order of time.

    Args:
        limited: whether `LAKE_READ_BYTES` and `LAKE_READ_FILES` end the reading of older ones.
    """

    def __init__(self, services: Services, *, limited: bool = True) -> None:
        self._services = services
        self._lake = LakeSeries(services, limited=limited)
        self._since = recent_since(services.settings.reading_days)

    def __exit__(self, *error: object) -> None:
        self._lake.__exit__(*error)

    def series(self, sensor: str, start: int, end: int) -> Iterator[Series]:
        """The readings with `start <= time < end`, in several series, one after the other.

        Args:
            start, end: in microseconds since 1970.

        Raises:
            ReadLimitError: as much was read from the lake as one request may.
        """
        if start < self._since:
            yield from self._lake.days(sensor, start, min(end, self._since))
        start = max(start, self._since)
        if start < end:
            for block in self._services.reading_blocks.between(sensor, RAW, start, end):
                series = unpack_series(data_of(self._services, block)).between(start, end)
                if len(series):
                    yield series

    def readings(self, sensor: str, start: int, end: int) -> Iterator[Reading]:
        """The readings with `start <= time < end`; see `series`."""
        for series in self.series(sensor, start, end):
            for time, value in zip(series.times, series.values, strict=True):
                mark = series.marks.get(time, _PLAIN)
                yield Reading(time, value, QUALITIES[mark.quality], mark.revision)

    def points(self, sensor: str, resolution: str, start: int, end: int) -> Iterator[Point]:
        """The points of the windows that begin in `start <= time < end`; each is of its whole window.

        Args:
            resolution: a key of `RESOLUTIONS`.

        Raises:
            ReadLimitError: as much was read from the lake as one request may.
        """
        width = RESOLUTIONS[resolution]
        if start < self._since:
            first, last = -(-start // width) * width, -(-min(end, self._since) // width) * width
            for series in self._lake.days(sensor, first, last) if first < last else ():
                yield from roll_up(series, resolution)
        start = max(start, self._since)
        if start < end:
            for block in self._services.reading_blocks.between(sensor, resolution, start, end):
                for point in unpack_points(block.data):
                    if start <= point.start < end:
                        yield point

    def rows(self, sensor: str, resolution: str, start: int, end: int) -> Iterator[Row]:
        """Points, or readings if the resolution is `raw`."""
        if resolution == RAW:
            return self.readings(sensor, start, end)
        return self.points(sensor, resolution, start, end)


class Place(NamedTuple):
    """Where a page begins: with the readings of a sensor from a time on, in microseconds since 1970."""

    sensor: str
    time: int


@dataclass(frozen=True)
class ReadingQuery:
    """What to read.

    Args:
        sensors: the sensors' ids, sorted.
        start, end: `start <= time < end`, in microseconds since 1970.
        resolution: a key of `RESOLUTIONS`, or `raw`; None for the finest with few enough rows.
        raw: whether a choice of the resolution may be `raw`.
    """

    sensors: Sequence[str]
    start: int
    end: int
    resolution: str | None
    raw: bool = True


@dataclass(frozen=True)
class ReadingPage:
    """Some of what a query reads.

    Args:
        rows: each with its sensor, ordered by sensor and time.
        following: where the next page begins; None if there is none.
    """

    resolution: str
    rows: Sequence[tuple[str, Row]]
    following: Place | None


def read_page(services: Services, query: ReadingQuery, limit: int, place: Place | None = None) -> ReadingPage:
    """Read a page.

    It may have fewer rows than the limit, or none, although another one follows: at the limits for what one request
    reads from the lake.

    Args:
        limit: the most rows.
        place: where the page begins; None for the first page. A query without a resolution has the first one only.
    """
    if query.resolution is not None:
        return _page(services, query, query.resolution, limit, place)
    return _first(_page_of_choice(services, query, limit), limit)


def _page_of_choice(services: Services, query: ReadingQuery, limit: int) -> ReadingPage:
    """The first rows of the finest resolution that has at most `READING_POINTS`."""
    most = services.settings.reading_points
    coarse = _page(services, query, _finest(query, most), max(limit, most))
    # Readings are counted by the windows that are wholly in the range. This leaves out some, so the readings decide.
    width = RESOLUTIONS[coarse.resolution]
    counted = sum(row.readings for _, row in coarse.rows if isinstance(row, Point) and row.start + width <= query.end)
    if not query.raw or coarse.following is not None or counted > most:
        return coarse
    fine = _page(services, query, RAW, most)
    return coarse if fine.following is not None else fine


def _finest(query: ReadingQuery, most: int) -> str:
    """The finest rollup that cannot have more points; the coarsest one if all can."""
    for resolution, width in RESOLUTIONS.items():
        if len(query.sensors) * math.ceil((query.end - query.start) / width) <= most:
            return resolution
    return resolution


def _page(
    services: Services, query: ReadingQuery, resolution: str, limit: int, place: Place | None = None
) -> ReadingPage:
    place = place or Place("", query.start)
    rows: list[tuple[str, Row]] = []
    with ReadingReader(services) as reader:
        for sensor in query.sensors if query.start < query.end else ():
            if sensor < place.sensor:
                continue
            start = place.time if sensor == place.sensor else query.start
            try:
                for row in islice(reader.rows(sensor, resolution, start, query.end), limit + 1 - len(rows)):
                    rows.append((sensor, row))  # noqa: PERF401 - those before an error count
            except ReadLimitError as limit_error:
                return ReadingPage(resolution, rows, Place(sensor, limit_error.time))
            if len(rows) > limit:
                break
    return _first(ReadingPage(resolution, rows, None), limit)


def _first(page: ReadingPage, limit: int) -> ReadingPage:
    """The first rows of a page, and where the others begin."""
    if len(page.rows) <= limit:
        return page
    sensor, row = page.rows[limit]
    return replace(page, rows=page.rows[:limit], following=Place(sensor, row.start))
