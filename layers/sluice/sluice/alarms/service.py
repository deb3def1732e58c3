"""Judging batches of readings, and what changes of a sensor mean for its alarms."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from sluice.alarms import missing
from sluice.alarms.changes import changes_of, cleared_fields
from sluice.catalog.alarms import StoredState, pages
from sluice.container import Container
from sluice.domain.alarm import AlarmState, JudgedReading, alarm_id, has_levels, judge, release
from sluice.domain.assets.sensor import Limits, Sensor
from sluice.errors import Unavailable

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
        Unavailable: DynamoDB throttles, or other processes kept judging readings of the same sensor; try again.
    """
    definitions = services.definitions.find_all("sensor", list(readings))
    sensors = [Sensor.model_validate(definition.document) for definition in definitions.values()]
    judged = [sensor for sensor in sensors if readings[sensor.id] and _has_alarms(sensor.limits)]
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
    now_us = time.time_ns() // 1000
    # One reading from a clock that is years ahead would otherwise make all later ones too old to be judged.
    latest_us = now_us + services.settings.alarm_ahead_seconds * 1_000_000
    for _ in range(_ATTEMPTS):
        plausible = (reading for reading in ordered if reading[0] <= latest_us)
        state, transitions = judge(sensor.limits, stored.state, plausible)
        state = _heard(state, min(ordered[-1][0], now_us))
        if state == stored.state:
            return
        changes = changes_of(services, sensor, transitions)
        if len(ordered) > 1 and len(changes) > _MOST_WRITES:
            # The same readings in two batches cause the same transitions.
            middle = len(ordered) // 2
            _judge_sensor(services, sensor, ordered[:middle], stored)
            _judge_sensor(services, sensor, ordered[middle:], services.alarms.states([sensor.id])[sensor.id])
            return
        if services.alarms.commit(sensor.id, stored, state, changes.raised.values(), changes.changed):
            if changes.raised:
                _release_outdated(services, sensor)
            return
        stored = services.alarms.states([sensor.id])[sensor.id]
    raise Unavailable(f"Other processes keep judging readings of the sensor {sensor.id!r}; try again.")


def _release_outdated(services: Container, sensor: Sensor) -> None:
    """Clear alarms that were raised by limits which another request has removed meanwhile, or by a deleted sensor's.

    That request has cleared the alarms that it found, and nothing else would ever clear these.

    Args:
        sensor: as it was read.
    """
    stored = services.definitions.find("sensor", sensor.id)
    limits = Sensor.model_validate(stored.document).limits if stored else Limits()
    if limits != sensor.limits:
        _release(services, sensor.id, limits, services.alarms.states([sensor.id])[sensor.id])


def _heard(state: AlarmState, latest_us: int) -> AlarmState:
    """The state with the time of the latest reading of any quality.

    A reading counts from its own time, since old data that arrives late says nothing about the present.

    Args:
        latest_us: that time, but no later than the arrival, or a clock that is ahead would hide missing data.
    """
    if state.heard_us is not None and state.heard_us >= latest_us:
        return state
    return state.model_copy(update={"heard_us": latest_us})


def sensors_changed(services: Container, sensors: Iterable[str]) -> None:
    """Follow writes and deletions of sensors' documents; call it after each of them.

    Alarms whose limits were removed are cleared, and the schedule that watches for missing data exists only
    while it is needed. It is safe to repeat.

    Args:
        sensors: the ids of the sensors.

    Raises:
        Unavailable: DynamoDB or EventBridge Scheduler throttles; try again.
    """
    for names in pages(dict.fromkeys(sensors)):
        definitions = services.definitions.find_all("sensor", names)
        documents = {name: Sensor.model_validate(definition.document) for name, definition in definitions.items()}
        limits = {name: documents[name].limits if name in documents else Limits() for name in names}
        watched = services.alarms.watched_among(names)
        wanted = {name: _watched(limits[name]) for name in names}
        services.alarms.watch({name: watch for name, watch in wanted.items() if watch != (name in watched)})
        for name, stored in services.alarms.states(names).items():
            _release(services, name, limits[name], stored)
    missing.keep_schedule(services)


def _release(services: Container, sensor: str, limits: Limits, stored: StoredState) -> None:
    """Clear the alarms of a sensor whose limits were removed."""
    for _ in range(_ATTEMPTS):
        state, transitions = release(limits, stored.state, time.time_ns() // 1000)
        if not _has_alarms(limits):
            # Its readings are not judged from now on, so what was heard last would be outdated if it is watched again.
            state = state.model_copy(update={"heard_us": None})
        cleared = {alarm_id(sensor, item.kind, item.raised_us): cleared_fields(item) for item in transitions}
        if state == stored.state or services.alarms.commit(sensor, stored, state, [], cleared):
            return
        stored = services.alarms.states([sensor])[sensor]
    raise Unavailable(f"Other processes keep judging readings of the sensor {sensor!r}; try again.")


def _has_alarms(limits: Limits) -> bool:
    return has_levels(limits) or _watched(limits)


def _watched(limits: Limits) -> bool:
    return limits.missing_after_seconds is not None
