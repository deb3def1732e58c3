"""The raising of an alarm, as an event."""

from __future__ import annotations

from typing import Any

from sluice.domain.alarm import Alarm, alarm_view
from sluice.domain.event import Event


class AlarmRaised(Event):
    """An alarm was raised; the key is `raised/{sensor}/{alarm}`.

    Args:
        document: the alarm as JSON, as it was stored with the event.
        detected_at: when the reading was judged, RFC 3339 in UTC; it may be later than the reading.
    """

    TYPE = "alarm.raised"
    PREFIX = "raised"

    document: str
    detected_at: str

    @property
    def alarm(self) -> Alarm:
        """The alarm."""
        return Alarm.model_validate_json(self.document)

    @property
    def time(self) -> str:
        """When it happened, RFC 3339 in UTC."""
        return self.detected_at

    @property
    def scope(self) -> dict[str, str | None]:
        """The site, equipment and sensor."""
        return self.alarm.model_dump(include={"site", "equipment", "sensor"})

    @property
    def data(self) -> dict[str, Any]:
        """The alarm."""
        return alarm_view(self.alarm)


def alarm_raised(alarm: Alarm, detected_at: str) -> AlarmRaised:
    """The event of an alarm's raising.

    Args:
        detected_at: RFC 3339 in UTC.
    """
    key = f"{AlarmRaised.PREFIX}/{alarm.sensor}/{alarm.id}"
    return AlarmRaised(key=key, document=alarm.model_dump_json(), detected_at=detected_at)
