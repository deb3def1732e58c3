"""The readings of a sensor as records of a dataset."""

from __future__ import annotations

import time as clock
from collections.abc import Iterator
from typing import Any

from sluice.catalog.readings import RAW
from sluice.domain.reading import format_time
from sluice.domain.rollup import AGGREGATES, DAY, SECOND
from sluice.domain.series import QUALITIES, Mark
from sluice.domain.series_packing import unpack_points, unpack_series
from sluice.errors import SourceRefused
from sluice.readings.recent import Services, data_of, recent_since

_PLAIN = Mark()


def records_of(services: Services, sensor: str, resolution: str, days: int) -> Iterator[dict[str, Any]]:
    """The readings of a sensor in some days before today (UTC) and today, ordered by time.

    Args:
        resolution: `raw`, or a key of `RESOLUTIONS`.

    Raises:
        SourceRefused: some of the days are no longer in the catalog.
    """
    moment = int(clock.time()) * SECOND
    start = (moment // DAY - days) * DAY
    if start < recent_since(services.settings.reading_days):
        most = services.settings.reading_days - 3
        raise SourceRefused(f"`stream.days` is {days}; readings are kept at hand for {most} whole days. Lower it.")
    end = moment + services.settings.max_clock_lead_seconds * SECOND + SECOND
    for block in services.reading_blocks.between(sensor, resolution, start, end):
        data = data_of(services, block)
        yield from _readings(data, start) if resolution == RAW else _windows(data, start)


def _readings(data: bytes, start: int) -> Iterator[dict[str, Any]]:
    series = unpack_series(data)
    for time, value in zip(series.times, series.values, strict=True):
        if time >= start:
            quality = QUALITIES[series.marks.get(time, _PLAIN).quality]
            yield {"time": format_time(time), "value": value, "quality": quality}


def _windows(data: bytes, start: int) -> Iterator[dict[str, Any]]:
    for point in unpack_points(data):
        if point.start >= start:
            yield {"time": format_time(point.start), **point.aggregates(AGGREGATES)}
