"""Listing alarms by filters, those raised last first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from sluice.container import Container
from sluice.domain.alarm import Alarm, AlarmStatus


@dataclass(frozen=True)
class AlarmFilter:
    """Which alarms are listed; a null filter lets every alarm through."""

    state: AlarmStatus | None = None
    site: str | None = None
    equipment: str | None = None
    sensor: str | None = None

    def matches(self, alarm: Alarm) -> bool:
        """Whether an alarm passes all filters."""
        filters = ((name, getattr(self, name)) for name in ("state", "site", "equipment", "sensor"))
        return all(value is None or getattr(alarm, name) == value for name, value in filters)


def page(
    services: Container, alarm_filter: AlarmFilter, limit: int, before: str | None
) -> tuple[list[Alarm], str | None]:
    """One page of the alarms that a filter selects.

    Args:
        before: the id that the page begins before.

    Returns:
        The alarms, and the id that the next page begins before; None on the last one.
    """
    alarms = list(islice(_matching(services, alarm_filter, before), limit + 1))
    return alarms[:limit], alarms[limit - 1].id if len(alarms) > limit else None


def _matching(services: Container, alarm_filter: AlarmFilter, before: str | None) -> Iterator[Alarm]:
    candidates = services.alarms.newest(alarm_filter.state, alarm_filter.sensor, before)
    return (alarm for alarm in candidates if alarm_filter.matches(alarm))
