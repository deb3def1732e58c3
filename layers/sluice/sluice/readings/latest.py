"""The latest readings of sensors, by the time of the reading and not by that of its arrival."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from sluice.catalog.readings import LATEST, BlockKey, ReadingBlocks
from sluice.domain.series import QUALITIES, Mark
from sluice.domain.series_packing import unpack_series

_PLAIN = Mark()


class Latest(NamedTuple):
    """The latest reading of a sensor.

    Args:
        time: microseconds since 1970.
        quality: one of `QUALITIES`.
    """

    time: int
    value: float
    quality: str


class Services(Protocol):
    """What this module needs."""

    @property
    def reading_blocks(self) -> ReadingBlocks:
        """The blocks of recent readings."""
        ...


def latest(services: Services, sensor_ids: Iterable[str]) -> dict[str, Latest]:
    """The latest readings of sensors, read consistently.

    Returns:
        By sensor; those without a reading are left out.
    """
    blocks = services.reading_blocks.read([BlockKey(sensor, LATEST, 0) for sensor in dict.fromkeys(sensor_ids)])
    readings = {}
    for key, block in blocks.items():
        if block.version:
            series = unpack_series(block.data)
            (time,), (value,) = series.times, series.values
            readings[key.sensor] = Latest(time, value, QUALITIES[series.marks.get(time, _PLAIN).quality])
    return readings
