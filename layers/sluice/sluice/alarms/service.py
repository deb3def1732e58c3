"""Judging batches of readings, and what changes of a sensor mean for its alarms."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from sluice.alarms import missing
from sluice.alarms.changes import changes_of, cleared_fields, commit
from sluice.catalog.alarms import StoredState
from sluice.container import Container
from sluice.domain.alarm import AlarmState, JudgedReading, alarm_id, has_levels, judge, release
from sluice.domain.assets.sensor import Limits, Sensor
from sluice.errors import VersionConflict

_ATTEMPTS = 20
_THREADS = 8
# A transaction has the sensor's state, too, and at most 100 writes.
_MOST_WRITES = 90


def judge_batch(services: Container, readings: Mapping[str, Sequence[JudgedReading]]) -> None:
    """Judge the stored readings of a batch by the limits of their sensors: raise, change and clear alarms.

    It is safe to repeat, for all or a part of the readings: those that were judged change nothing. Sensors
    without limits cost one read for a hundred of them.

    Args:
        readings: for each sensor the time in microseconds since 1970, value and quality of its readings, in
            any order.

    Raises:
        VersionConflict: other processes kept judging readings of the same sensor; nothing is lost, try again.
        Unavailable: DynamoDB throttles; try again.
    """
    definitions = services.definitions.find_all("sensor", list(readings))
    sensors = [Sensor.model_validate(definition.document) for definition in definitions.values()]
    judged = [sensor for sensor in sensors if has_levels(sensor.limits) or _watched(sensor.limits)]
    states = services.alarms.states([sensor.id for sensor in judged])

    def work(sensor: Sensor) -> None:
        _judge_sensor(services, sensor, readings[sensor.id], states[sensor.id])

    if len(judged) <= 1:
        for sensor in judged:
            work(sensor)
        return
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(work, judged))


def _judge_sensor(services: Container, sensor: Sensor, readings: Sequence[JudgedReading], stored: StoredState) -> None:
    ordered = sorted(readings)
    for _ in range(_ATTEMPTS):
        state, transitions = judge(sensor.limits, stored.state, ordered)
        state = _heard(state, ordered)
        if state == stored.state:
            return
        if len(ordered) > 1 and len(changes_of(services, sensor, transitions)) > _MOST_WRITES:
            # The same readings in two batches cause the same transitions.
            middle = len(ordered) // 2
            _judge_sensor(services, sensor, ordered[:middle], stored)
            _judge_sensor(services, sensor, ordered[middle:], services.alarms.states([sensor.id])[sensor.id])
            return
        if commit(services, sensor, stored, state, transitions):
            return
        stored = services.alarms.states([sensor.id])[sensor.id]
    raise VersionConflict(f"Other processes keep judging readings of the sensor {sensor.id!r}; try again.")


def _heard(state: AlarmState, readings: Sequence[JudgedReading]) -> AlarmState:
    """The state with the time of the latest reading of any quality.

    A reading counts from its own time, since old data that arrives late says nothing about the present; but no
    later than its arrival, or one from a clock that is ahead would hide that data is missing.
    """
    latest = min(max(time_us for time_us, _, _ in readings), time.time_ns() // 1000)
    return (
        state
        if state.heard_us is not None and state.heard_us >= latest
        else state.model_copy(update={"heard_us": latest})
    )


def sensors_changed(services: Container, sensors: Iterable[str]) -> None:
    """Follow writes and deletions of sensors' documents; call it after each of them.

    Alarms whose limits were removed are cleared, and the schedule that watches for missing data exists only
    while it is needed. It is safe to repeat.

    Args:
        sensors: the ids of the sensors.

    Raises:
        Unavailable: DynamoDB or EventBridge Scheduler throttles; try again.
    """
    names = list(dict.fromkeys(sensors))
    definitions = services.definitions.find_all("sensor", names)
    for name in names:
        definition = definitions.get(name)
        sensor = Sensor.model_validate(definition.document) if definition else None
        services.alarms.watch(name, watched=sensor is not None and _watched(sensor.limits))
        _release(services, name, sensor.limits if sensor is not None else Limits())
    missing.keep_schedule(services)


def _release(services: Container, sensor: str, limits: Limits) -> None:
    """Clear the alarms of a sensor whose limits were removed."""
    for _ in range(_ATTEMPTS):
        stored = services.alarms.states([sensor])[sensor]
        state, transitions = release(limits, stored.state, time.time_ns() // 1000)
        cleared = {alarm_id(sensor, item.kind, item.raised_us): cleared_fields(item) for item in transitions}
        if not cleared or services.alarms.commit(sensor, stored, state, [], cleared):
            return
    raise VersionConflict(f"Other processes keep judging readings of the sensor {sensor!r}; try again.")


def _watched(limits: Limits) -> bool:
    return limits.missing_after_seconds is not None
