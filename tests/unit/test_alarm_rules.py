"""When readings raise, change and clear alarms."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain.alarm import (
    ActiveAlarm,
    AlarmState,
    JudgedReading,
    Transition,
    alarm_id,
    has_levels,
    judge,
    judge_silence,
    release,
)
from sluice.domain.assets.sensor import Limits

LIMITS = Limits(low_low=-10, low=0, high=80, high_high=90, deadband=5)
SECOND = 1_000_000


def changes(limits: Limits, *values: float) -> list[tuple[int, str, str]]:
    """The transitions of one value a second: the second, the change and the level."""
    readings: list[JudgedReading] = [(number * SECOND, value, "good") for number, value in enumerate(values)]
    transitions = judge(limits, AlarmState(), readings)[1]
    return [(item.time_us // SECOND, item.change, item.level) for item in transitions]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([80, 80.1], [(1, "raised", "high")]),
        ([81, 79, 76, 75.1], [(0, "raised", "high")]),
        ([81, 75], [(0, "raised", "high"), (1, "cleared", "high")]),
        ([81, 75, 81], [(0, "raised", "high"), (1, "cleared", "high"), (2, "raised", "high")]),
        ([81, 91], [(0, "raised", "high"), (1, "escalated", "high_high")]),
        ([91], [(0, "raised", "high_high")]),
        ([91, 86, 85, 74], [(0, "raised", "high_high"), (2, "eased", "high"), (3, "cleared", "high")]),
        ([91, 50], [(0, "raised", "high_high"), (1, "cleared", "high_high")]),
        ([0, -1, 4.9, 5], [(1, "raised", "low"), (3, "cleared", "low")]),
        ([-1, -11, -6], [(0, "raised", "low"), (1, "escalated", "low_low")]),
        ([-11, -5], [(0, "raised", "low_low"), (1, "eased", "low")]),
        ([85, -11], [(0, "raised", "high"), (1, "cleared", "high"), (1, "raised", "low_low")]),
    ],
    ids=str,
)
def test_values_raise_change_and_clear(values: list[float], expected: list[tuple[int, str, str]]) -> None:
    assert changes(LIMITS, *values) == expected


def test_limits_may_be_few_and_without_deadband() -> None:
    assert changes(Limits(high_high=9), 10, 9) == [(0, "raised", "high_high"), (1, "cleared", "high_high")]
    assert changes(Limits(), 1e300, -1e300) == []
    assert not has_levels(Limits(missing_after_seconds=5, deadband=1))


def test_late_repeated_and_doubtful_readings_change_nothing() -> None:
    state, raised = judge(LIMITS, AlarmState(), [(10, 85, "good")])
    assert judge(LIMITS, state, [(9, 50, "good"), (10, 50, "good"), (11, 50, "bad")]) == (state, [])
    assert raised == [Transition("high", "raised", "high", 10, 85, 10)]


def test_changed_limits_count_from_the_next_reading() -> None:
    state, _ = judge(LIMITS, AlarmState(), [(1, 85, "good")])
    raised_limits = Limits(high=100)
    assert judge(raised_limits, state, [(2, 85, "good")])[1] == [Transition("high", "cleared", "high", 2, 85, 1)]
    critical = AlarmState(judged_us=1, active={"high": ActiveAlarm(level="high_high", raised_us=1)})
    assert judge(Limits(high=80), critical, [(2, 95, "good")])[1][0].change == "eased"


def test_release_clears_only_what_has_no_limit_any_more() -> None:
    state, _ = judge(LIMITS, AlarmState(), [(1, 85, "good")])
    assert release(LIMITS, state, 5) == (state, [])
    freed, cleared = release(Limits(low=0), state, 5)
    assert (freed.active, cleared) == ({}, [Transition("high", "cleared", "high", 5, None, 1)])
    silent = AlarmState(active={"missing": ActiveAlarm(level="missing", raised_us=1)})
    assert release(Limits(missing_after_seconds=1), silent, 5)[1] == []
    assert [item.kind for item in release(LIMITS, silent, 5)[1]] == ["missing"]


def test_silence_raises_once_and_data_clears() -> None:
    limits = Limits(missing_after_seconds=60)
    state, transitions = judge_silence(limits, AlarmState(), 0, 60 * SECOND)
    assert transitions == []
    state, transitions = judge_silence(limits, state, 0, 61 * SECOND)
    assert transitions == [Transition("missing", "raised", "missing", 60 * SECOND, None, 60 * SECOND)]
    assert judge_silence(limits, state, 0, 3600 * SECOND) == (state, [])
    state, transitions = judge_silence(limits, state, 3599 * SECOND, 3600 * SECOND)
    assert transitions == [Transition("missing", "cleared", "missing", 3599 * SECOND, None, 60 * SECOND)]
    assert state.active == {}


def test_ids_are_stable_and_sort_by_time() -> None:
    times = [-62_135_596_800 * SECOND, -1, 0, 1, 1_700_000_000 * SECOND, 253_402_300_799 * SECOND]
    ids = [alarm_id("pump-1:temperature", "high", time) for time in times]
    assert ids == sorted(ids)
    assert alarm_id("a", "high", 1) == alarm_id("a", "high", 1)
    assert len({alarm_id(sensor, kind, 1) for sensor in "ab" for kind in ("low", "high", "missing")}) == 6


values = st.floats(-20, 100).map(lambda value: round(value, 1))
readings_in_order = st.lists(st.tuples(values, st.sampled_from(["good", "good", "good", "bad"])), max_size=30).map(
    lambda pairs: [(number * 7, value, quality) for number, (value, quality) in enumerate(pairs)]
)


@st.composite
def any_limits(draw: Any) -> Limits:
    chosen = sorted(draw(st.lists(values, min_size=4, max_size=4)))
    kept = [limit if draw(st.booleans()) else None for limit in chosen]
    deadband = draw(st.one_of(st.none(), st.floats(0, 30)))
    return Limits(low_low=kept[0], low=kept[1], high=kept[2], high_high=kept[3], deadband=deadband)


def fold(limits: Limits, batches: list[list[JudgedReading]]) -> tuple[AlarmState, list[Transition]]:
    state, transitions = AlarmState(), list[Transition]()
    for batch in batches:
        state, more = judge(limits, state, batch)
        transitions += more
    return state, transitions


@settings(max_examples=60, deadline=None)
@given(any_limits(), readings_in_order, st.data())
def test_any_split_and_any_duplicates_give_the_same_transitions(
    limits: Limits, readings: list[JudgedReading], data: st.DataObject
) -> None:
    whole = judge(limits, AlarmState(), data.draw(st.permutations(readings)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(readings)), max_size=5)))
    batches = [readings[begin:end] for begin, end in pairwise([0, *cuts, len(readings)])]
    assert fold(limits, batches) == whole
    repeated = [batch for batch in batches for _ in range(data.draw(st.integers(1, 2)))]
    assert fold(limits, [*repeated, readings]) == whole
    restored = AlarmState.model_validate(whole[0].model_dump())
    assert restored == whole[0], "the state survives being stored"


@settings(max_examples=150, deadline=None)
@given(any_limits(), readings_in_order)
def test_alarm_is_where_the_values_are(limits: Limits, readings: list[JudgedReading]) -> None:
    state, transitions = judge(limits, AlarmState(), readings)
    good = [value for _, value, quality in readings if quality == "good"]
    deadband = limits.deadband or 0
    high = min((limit for limit in (limits.high, limits.high_high) if limit is not None), default=math.inf)
    low = max((limit for limit in (limits.low, limits.low_low) if limit is not None), default=-math.inf)
    if good and good[-1] > high:
        assert "high" in state.active
    if good and good[-1] < low:
        assert "low" in state.active
    if not good or low + deadband <= good[-1] <= high - deadband:
        assert state.active == {}
    for kind in ("low", "high"):
        of_kind = [item.change for item in transitions if item.kind == kind]
        raised = [change for change in of_kind if change in ("raised", "cleared")]
        assert raised == ["raised", "cleared"] * (len(raised) // 2) + ["raised"] * (len(raised) % 2)
        assert (kind in state.active) == bool(len(raised) % 2)
