"""Alarms of sensors."""

from typing import cast

from sluice.alarms.listing import AlarmFilter, page
from sluice.api.call import Answer, Call
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, LIMIT, Parameter, Routes
from sluice.container import Container
from sluice.domain.alarm import STATES, Acknowledgement, AlarmStatus, alarm_view

routes = Routes("alarms")
_FILTERS = [
    Parameter("state", "Only alarms in this state.", {"type": "string", "enum": list(STATES)}),
    Parameter("site", "Only alarms of equipment that was at this site when they were raised."),
    Parameter("equipment", "Only alarms of this equipment's sensors."),
    Parameter("sensor", "Only alarms of this sensor."),
]


@routes.get("/alarms", "alarm.read", answer="AlarmViewList", parameters=[*_FILTERS, LIMIT, CURSOR])
def list_alarms(call: Call, services: Container) -> Answer:
    """The alarms of sensors, those raised last first."""
    alarm_filter = AlarmFilter(
        state=_state(call),
        site=call.code("site"),
        equipment=call.code("equipment"),
        sensor=call.query_value("sensor"),
    )
    bound = ["alarms", alarm_filter.state, alarm_filter.site, alarm_filter.equipment, alarm_filter.sensor]
    before = services.cursors.open(bound, call.query_value("cursor"))
    alarms, following = page(services, alarm_filter, call.limit(), before)
    cursor = services.cursors.seal(bound, following) if following is not None else None
    return Answer({"items": [alarm_view(alarm) for alarm in alarms], "next": cursor})


def _state(call: Call) -> AlarmStatus | None:
    if call.query_value("state") is None:
        return None
    return cast(AlarmStatus, call.choice("state", STATES, ""))


@routes.get("/alarms/{alarm_id}", "alarm.read", answer="AlarmView")
def get_alarm(call: Call, services: Container, alarm_id: str) -> Answer:
    """One alarm."""
    return Answer(alarm_view(services.alarms.get(alarm_id)))


@routes.post(
    "/alarms/{alarm_id}/acknowledge",
    "alarm.acknowledge",
    body=Acknowledgement,
    answer="AlarmView",
    parameters=[IDEMPOTENCY_KEY],
)
def acknowledge_alarm(call: Call, services: Container, alarm_id: str) -> Answer:
    """Note that somebody takes care of an alarm; a second acknowledgement changes nothing."""
    acknowledgement = call.document(Acknowledgement, {})
    alarm = services.alarms.acknowledge(alarm_id, call.principal.id, acknowledgement.comment)
    return Answer(alarm_view(alarm))
