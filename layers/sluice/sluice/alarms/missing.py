"""Watching for missing data: a schedule that exists only while a sensor has `missing_after_seconds`."""

from __future__ import annotations

import time

from aws_lambda_powertools import Logger

from sluice.alarms.changes import changes_of
from sluice.catalog.alarms import StoredState, pages
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.alarm import judge_silence
from sluice.domain.assets.sensor import Sensor
from sluice.domain.names import parse_time

TIMER = "missing-data"
logger = Logger()


def keep_schedule(services: Container) -> None:
    """Create the schedule that calls `missing_data` every minute if a sensor is watched, or else delete it.

    Raises:
        Unavailable: EventBridge Scheduler throttles or cannot be reached.
    """
    if not _is_needed(services):
        services.timers.remove(TIMER)
    # Asked again after the deletion: another request may have found the schedule that was about to be deleted.
    if _is_needed(services):
        services.timers.repeat(TIMER, "rate(1 minute)", services.settings.missing_data_function, {})


def _is_needed(services: Container) -> bool:
    return next(services.alarms.watched(), None) is not None


def check_missing(services: Container) -> int:
    """Raise an alarm for each watched sensor whose latest reading is too old, and clear it when readings return.

    Returns:
        How many alarms were raised or cleared.
    """
    changed = 0
    for names in pages(services.alarms.watched()):
        definitions = services.definitions.find_all("sensor", names)
        states = services.alarms.states(list(definitions))
        for name, definition in definitions.items():
            try:
                changed += _check_sensor(services, definition, states[name])
            except Exception:  # one sensor must not keep the others from being checked
                logger.exception("cannot check a sensor for missing data", extra={"sensor": name})
    return changed


def _check_sensor(services: Container, definition: Definition, stored: StoredState) -> int:
    sensor = Sensor.model_validate(definition.document)
    now_us = time.time_ns() // 1000
    heard_us = stored.state.heard_us
    if heard_us is None:  # no reading since it has limits: the time counts from then
        heard_us = int(parse_time(definition.updated_at).timestamp() * 1_000_000)
    state, transitions = judge_silence(sensor.limits, stored.state, heard_us, now_us)
    if not transitions:
        return 0
    # If a reading has arrived just now, the next check decides.
    changes = changes_of(services, sensor, transitions)
    return int(services.alarms.commit(sensor.id, stored, state, changes.raised.values(), changes.changed))
