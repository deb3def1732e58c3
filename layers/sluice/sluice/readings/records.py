"""The readings of a sensor as records of a dataset."""

from __future__ import annotations

import time as clock
from collections.abc import Iterator
from typing import Any

from sluice.domain.reading import format_time
from sluice.domain.rollup import AGGREGATES, DAY, SECOND, Point
from sluice.readings.reader import ReadingReader, Services


def sensor_records(services: Services, sensor: str, resolution: str, days: int) -> Iterator[dict[str, Any]]:
    """The readings of a sensor in some days before today (UTC) and today, ordered by time.

    Recent ones come from the blocks, older ones from the lake.

    Args:
        resolution: `raw`, or a key of `RESOLUTIONS`.
    """
    moment = int(clock.time()) * SECOND
    start = (moment // DAY - days) * DAY
    end = moment + services.settings.max_clock_lead_seconds * SECOND + SECOND
    with ReadingReader(services, limited=False) as reader:
        for row in reader.rows(sensor, resolution, start, end):
            if isinstance(row, Point):
                yield {"time": format_time(row.start), **row.aggregates(AGGREGATES)}
            else:
                yield {"time": format_time(row.start), "value": row.value, "quality": row.quality}
