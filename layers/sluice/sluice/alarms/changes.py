"""What transitions make of alarms: new ones, and changes of earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sluice.catalog.table import Item
from sluice.container import Container
from sluice.domain.alarm import Alarm, Transition, alarm_id, limit_of
from sluice.domain.assets.sensor import Sensor
from sluice.domain.names import rfc3339

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Changes:
    """What transitions make of a sensor's alarms, each of which is written once.

    Args:
        raised: the new alarms by their ids.
        changed: the new values of fields of earlier alarms, by their ids.
    """

    raised: dict[str, Alarm] = field(default_factory=dict)
    changed: dict[str, Item] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many writes they take: an alarm that is raised has an event."""
        return 2 * len(self.raised) + len(self.changed)


def changes_of(services: Container, sensor: Sensor, transitions: Sequence[Transition]) -> Changes:
    """Fold the transitions of a sensor into changes of its alarms.

    Args:
        transitions: in their order.
    """
    changes = Changes()
    site: str | None = None
    for transition in transitions:
        alarm = alarm_id(sensor.id, transition.kind, transition.raised_us)
        if transition.change == "raised":
            site = site or _site_of(services, sensor)
            changes.raised[alarm] = _new_alarm(alarm, sensor, site, transition)
            continue
        fields = _changed_fields(sensor, transition)
        if alarm in changes.raised:
            changes.raised[alarm] = changes.raised[alarm].model_copy(update=fields)
        else:
            changes.changed[alarm] = {**changes.changed.get(alarm, {}), **fields}
    return changes


def cleared_fields(transition: Transition) -> Item:
    """The fields of an alarm that a transition clears."""
    return {"state": "cleared", "cleared_at": time_of(transition.time_us)}


def time_of(microseconds: int) -> str:
    """A time in RFC 3339.

    Args:
        microseconds: since 1970.
    """
    return rfc3339(_EPOCH + timedelta(microseconds=microseconds))


def _site_of(services: Container, sensor: Sensor) -> str | None:
    equipment = services.definitions.find("equipment", sensor.equipment)
    return equipment.document["site"] if equipment else None


def _new_alarm(alarm: str, sensor: Sensor, site: str | None, transition: Transition) -> Alarm:
    return Alarm(
        id=alarm,
        sensor=sensor.id,
        equipment=sensor.equipment,
        site=site,
        metric=sensor.metric,
        unit=sensor.unit,
        kind=transition.kind,
        level=transition.level,
        highest_level=transition.level,
        limit=limit_of(sensor.limits, transition.level),
        raised_at=time_of(transition.time_us),
        value=transition.value,
    )


def _changed_fields(sensor: Sensor, transition: Transition) -> Item:
    """The fields of an alarm that a transition changes."""
    if transition.change == "cleared":
        return cleared_fields(transition)
    limit = limit_of(sensor.limits, transition.level)
    fields: Item = {"level": transition.level, "limit": limit, "value": transition.value}
    if transition.change == "escalated":
        # What somebody has acknowledged was less severe.
        acknowledgement = dict.fromkeys(("acknowledged_at", "acknowledged_by", "comment"))
        fields |= {"highest_level": transition.level, "state": "active", **acknowledgement}
    return fields
