"""Alarms of sensors: when readings raise, change and clear them. Pure rules, without I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from sluice.domain.assets.sensor import Limits
from sluice.domain.base import Document, Record

AlarmKind = Literal["low", "high", "missing"]
AlarmLevel = Literal["low_low", "low", "high", "high_high", "missing"]
AlarmStatus = Literal["active", "acknowledged", "cleared"]
STATES: tuple[AlarmStatus, ...] = ("active", "acknowledged", "cleared")
Change = Literal["raised", "escalated", "eased", "cleared"]
# A reading as it is judged: its time in microseconds since 1970, its value and its quality.
JudgedReading = tuple[int, float, str]

# The sign makes both kinds upper limits; the levels are in the order of their severity.
_SIDES: tuple[tuple[AlarmKind, int, tuple[AlarmLevel, ...]], ...] = (
    ("high", 1, ("high", "high_high")),
    ("low", -1, ("low", "low_low")),
)
_ID_OFFSET = 1 << 60


class ActiveAlarm(Record):
    """An alarm that a sensor is in.

    Args:
        raised_us: the time of the reading that raised it, in microseconds since 1970.
    """

    level: AlarmLevel
    raised_us: int


class AlarmState(Record):
    """What judging a sensor's next readings depends on.

    Args:
        judged_us: the time of the latest judged reading, in microseconds since 1970.
        heard_us: the time of the latest reading of any quality; it is never later than the arrival.
        active: the alarms that the sensor is in.
    """

    judged_us: int | None = None
    heard_us: int | None = None
    active: dict[AlarmKind, ActiveAlarm] = Field(default_factory=dict)


@dataclass(frozen=True)
class Transition:
    """A change of an alarm.

    Args:
        level: the level after it; for `cleared`, the one before it.
        time_us: the time of the reading that caused it, in microseconds since 1970.
        value: the value of that reading; null for a missing one.
        raised_us: when the alarm was raised.
    """

    kind: AlarmKind
    change: Change
    level: AlarmLevel
    time_us: int
    value: float | None
    raised_us: int


def judge(limits: Limits, state: AlarmState, readings: Iterable[JudgedReading]) -> tuple[AlarmState, list[Transition]]:
    """Judge readings of a sensor by its limits, in the order of their times.

    A reading that is not later than the latest judged one changes nothing: neither a repeated delivery nor a
    late reading raises or clears an alarm. Readings of another quality than `good` are not judged.

    Args:
        readings: in any order.

    Returns:
        The new state, and the transitions in the order of their times. Dividing readings that are in order
        into several calls gives the same transitions.
    """
    judged = state.judged_us
    active = dict(state.active)
    transitions: list[Transition] = []
    lowest, highest = _inner_range(limits)
    for time_us, value, quality in sorted(readings, key=_time):
        if quality != "good" or (judged is not None and time_us <= judged):
            continue
        judged = time_us
        if lowest <= value <= highest and not active:
            continue  # the usual case
        for kind, _, _ in _SIDES:
            before = active.get(kind)
            level = _level_of(kind, limits, before.level if before else None, value)
            transition = _transition(kind, before, level, time_us, value)
            if transition is not None:
                transitions.append(transition)
                _apply(active, transition)
    return state.model_copy(update={"judged_us": judged, "active": active}), transitions


def judge_silence(limits: Limits, state: AlarmState, heard_us: int, now_us: int) -> tuple[AlarmState, list[Transition]]:
    """Raise or clear the alarm for missing data.

    Args:
        heard_us: the time of the sensor's latest reading, in microseconds since 1970.
        now_us: the present time.

    Returns:
        The new state, and the transitions. An alarm is raised at the moment at which the data became too old.
    """
    after = limits.missing_after_seconds
    due = heard_us + (after or 0) * 1_000_000
    is_missing = after is not None and due < now_us
    before = state.active.get("missing")
    moment = due if is_missing else min(now_us, heard_us if after is not None else now_us)
    transition = _transition("missing", before, "missing" if is_missing else None, moment, None)
    return _with(state, [transition] if transition else [])


def release(limits: Limits, state: AlarmState, now_us: int) -> tuple[AlarmState, list[Transition]]:
    """Clear the alarms of a sensor whose limits were removed.

    Args:
        now_us: the present time, in microseconds since 1970.

    Returns:
        The new state, and the transitions.
    """
    kept = {kind for kind, _, _ in _SIDES if _limits_of(kind, limits)}
    kept |= {"missing"} if limits.missing_after_seconds is not None else set()
    removed = [(kind, alarm) for kind, alarm in state.active.items() if kind not in kept]
    return _with(
        state,
        [Transition(kind, "cleared", alarm.level, now_us, None, alarm.raised_us) for kind, alarm in removed],
    )


def has_levels(limits: Limits) -> bool:
    """Whether values can raise alarms."""
    return any(_limits_of(kind, limits) for kind, _, _ in _SIDES)


def limit_of(limits: Limits, level: AlarmLevel) -> float | None:
    """The limit of a level, in the sensor's unit; for `missing` in seconds."""
    value: float | None = limits.missing_after_seconds if level == "missing" else getattr(limits, level)
    return value


def _time(reading: JudgedReading) -> int:
    return reading[0]


def _severity(level: AlarmLevel) -> int:
    return int(level in ("low_low", "high_high"))


def _limits_of(kind: AlarmKind, limits: Limits) -> list[tuple[AlarmLevel, float]]:
    """The levels of a kind that have a limit, in the order of their severity."""
    sides = {side: levels for side, _, levels in _SIDES}
    named = [(level, getattr(limits, level)) for level in sides[kind]]
    return [(level, limit) for level, limit in named if limit is not None]


def _inner_range(limits: Limits) -> tuple[float, float]:
    """The range of values, ends included, that are in no alarm."""
    low = [limit for _, limit in _limits_of("low", limits)]
    high = [limit for _, limit in _limits_of("high", limits)]
    return max(low, default=float("-inf")), min(high, default=float("inf"))


def _level_of(kind: AlarmKind, limits: Limits, current: AlarmLevel | None, value: float) -> AlarmLevel | None:
    """The level of an alarm after a reading; None for no alarm.

    A limit that the value has passed counts at once. One that the alarm had passed before counts until the
    value is back inside by the deadband.
    """
    sign = next(sign for side, sign, _ in _SIDES if side == kind)
    deadband = limits.deadband or 0.0
    level: AlarmLevel | None = None
    for name, limit in _limits_of(kind, limits):
        held = current is not None and _severity(name) <= _severity(current)
        if sign * value > sign * limit - (deadband if held else 0.0):
            level = name
    return level


def _transition(
    kind: AlarmKind, before: ActiveAlarm | None, level: AlarmLevel | None, time_us: int, value: float | None
) -> Transition | None:
    if before is None:
        return Transition(kind, "raised", level, time_us, value, time_us) if level is not None else None
    if level is None:
        return Transition(kind, "cleared", before.level, time_us, value, before.raised_us)
    if level == before.level:
        return None
    change: Change = "escalated" if _severity(level) > _severity(before.level) else "eased"
    return Transition(kind, change, level, time_us, value, before.raised_us)


def _apply(active: dict[AlarmKind, ActiveAlarm], transition: Transition) -> None:
    if transition.change == "cleared":
        del active[transition.kind]
    else:
        active[transition.kind] = ActiveAlarm(level=transition.level, raised_us=transition.raised_us)


def _with(state: AlarmState, transitions: list[Transition]) -> tuple[AlarmState, list[Transition]]:
    active = dict(state.active)
    for transition in transitions:
        _apply(active, transition)
    return state.model_copy(update={"active": active}), transitions


class Alarm(Record):
    """An alarm of a sensor, from the reading that raised it until the value is back."""

    id: str = Field(description="The id, for `/alarms/{alarm_id}`; ids sort by the time at which alarms were raised.")
    sensor: str = Field(description="The id of the sensor.")
    equipment: str = Field(description="The code of the sensor's equipment when the alarm was raised.")
    site: str | None = Field(
        None, description="The code of the site where the equipment was then. Null: the equipment did not exist."
    )
    metric: str = Field(description="What the sensor measures.")
    unit: str | None = Field(None, description="The unit of its values. Null: they have none.")
    kind: AlarmKind = Field(
        description="`low` or `high`: a value has passed a limit; `missing`: no reading has arrived for too long."
    )
    level: AlarmLevel = Field(
        description="The limit that is passed now, or was passed last: `low_low`, `low`, `high`, "
        "`high_high`, or `missing`."
    )
    highest_level: AlarmLevel = Field(description="The most severe level that it has reached.")
    limit: float | None = Field(
        None, description="The limit of `level`, in the sensor's unit; of `missing`, in seconds. Null: it was removed."
    )
    state: AlarmStatus = Field(
        "active",
        description="`active`: the value is outside, and nobody has acknowledged it; `acknowledged`: somebody has; "
        "`cleared`: the value is back inside by the deadband.",
    )
    raised_at: str = Field(
        description="The time of the reading that raised it, RFC 3339 in UTC; of `missing`, when "
        "the data became too old."
    )
    value: float | None = Field(
        None, description="The value that raised it or changed its level last. Null for missing data."
    )
    cleared_at: str | None = Field(
        None, description="The time of the reading that cleared it, RFC 3339 in UTC. Null: it is not cleared."
    )
    acknowledged_at: str | None = Field(
        None, description="When it was acknowledged, RFC 3339 in UTC. Null: nobody has acknowledged this level."
    )
    acknowledged_by: str | None = Field(None, description="The principal that acknowledged it. Null: nobody.")
    comment: str | None = Field(None, description="What that principal remarked. Null: nothing.")


class Acknowledgement(Document):
    """The acknowledgement of an alarm."""

    comment: Annotated[str, StringConstraints(max_length=1000)] | None = Field(
        None, description="A remark, such as what will be done. Null: none."
    )


def alarm_id(sensor: str, kind: AlarmKind, raised_us: int) -> str:
    """The id of an alarm: the same for the same sensor, kind and time, and sorted by time.

    Args:
        raised_us: in microseconds since 1970.
    """
    digest = hashlib.sha256(f"{sensor}/{kind}".encode()).hexdigest()
    return f"{raised_us + _ID_OFFSET:016x}-{digest[:12]}"


def alarm_view(alarm: Alarm) -> dict[str, Any]:
    """The alarm as the API and events show it."""
    return alarm.model_dump(mode="json")
