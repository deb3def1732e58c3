"""The types of events. A new one is a subclass of `Event` and an entry here."""

from __future__ import annotations

from sluice.domain.alarm_event import AlarmRaised
from sluice.domain.event import Event
from sluice.domain.publication import Publication
from sluice.domain.run_failure import RunFailure

# By the first part of their keys.
EVENT_TYPES: dict[str, type[Event]] = {event.PREFIX: event for event in (Publication, RunFailure, AlarmRaised)}


def event_type(key: str) -> type[Event] | None:
    """The class of the event with this key; None if it is the key of something else."""
    return EVENT_TYPES.get(key.partition("/")[0])
