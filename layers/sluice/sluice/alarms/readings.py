"""Alarms follow the readings that are stored."""

from __future__ import annotations

from collections.abc import Mapping

from sluice.alarms.service import judge_batch
from sluice.container import Container
from sluice.domain.series import QUALITIES, Mark, Series

_PLAIN = Mark()


def follow(services: Container, readings: Mapping[str, Series]) -> None:
    """Judge stored readings: see `judge_batch`.

    Args:
        readings: by sensor.
    """
    judge_batch(
        services,
        {
            sensor: [
                (time, value, QUALITIES[series.marks.get(time, _PLAIN).quality])
                for time, value in zip(series.times, series.values, strict=True)
            ]
            for sensor, series in readings.items()
        },
    )
