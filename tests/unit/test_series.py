"""Series are sets of readings, and rollups are exact."""

import math
import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.new_readings import SensorPart, pack_new, unpack_new
from sluice.domain.reading import NotJson, ReadingError, SensorReadings, format_time, parse_batch, reading_time
from sluice.domain.rollup import HOUR, MINUTE, combined, exact_sum, of_values
from sluice.domain.series import Mark, Series, reading_hash
from sluice.domain.series_packing import pack_points, pack_series, unpack_points, unpack_series

LATER = 2**52
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
READINGS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from([0.0, 1.5, 2.5, 1e16, -3.0]),
        st.builds(Mark, st.integers(0, 2), st.integers(0, 2)),
    )
)


def series_of(readings: list[tuple[int, float, Mark]]) -> Series:
    times, values = [time for time, _, _ in readings], [value for _, value, _ in readings]
    marks = {at: mark for at, (_, _, mark) in enumerate(readings) if mark != Mark()}
    return Series.of(times, values, marks)


def winner(readings: list[tuple[int, float, Mark]], time: int) -> tuple[float, Mark]:
    """The reading that counts, by the rule in plain words: the highest revision, then the smallest hash."""
    candidates = [(value, mark) for at, value, mark in readings if at == time]
    return min(candidates, key=lambda held: (-held[1].revision, reading_hash(held[0], held[1].quality)))


@given(READINGS, st.randoms(use_true_random=False))
def test_batches_may_be_split_repeated_and_reordered(readings: list[Any], order: random.Random) -> None:
    parts = [readings[at : at + 3] for at in range(0, len(readings), 2)]  # they overlap
    order.shuffle(parts)
    united = Series()
    for part in parts:
        united = united.united_with(series_of(part))
    assert united == series_of(readings)
    for time, value in zip(united.times, united.values, strict=True):
        assert (value, united.marks.get(time, Mark())) == winner(readings, time)
    assert list(united.times) == sorted({time for time, _, _ in readings})


@given(READINGS)
def test_a_packed_series_is_the_same(readings: list[Any]) -> None:
    series = series_of(readings)
    assert unpack_series(pack_series(series)) == series
    loose = SensorReadings([r[0] for r in readings], [r[1] for r in readings], list(range(len(readings))))
    kept, positions = loose.series_with_positions()
    page, parts = unpack_new(pack_new("page", [SensorPart("a", kept, positions)]))
    assert page == "page"
    assert list(parts) == [("a", kept, positions)]
    assert [readings[at][0] for at in positions] == list(kept.times)


@given(st.lists(NUMBERS, min_size=1), st.integers(1, 5))
def test_sums_are_rounded_once_however_windows_are_combined(values: list[float], width: int) -> None:
    exact = sum(map(Fraction, values))
    assert sum(map(Fraction, exact_sum(values))) == exact
    points = [of_values(at, values[at : at + width]) for at in range(0, len(values), width)]
    whole = combined(0, points)
    assert sum(map(Fraction, whole.parts)) == exact
    assert whole.sum == float(exact) == math.fsum(values)
    assert (whole.readings, whole.min, whole.max, whole.last) == (len(values), min(values), max(values), values[-1])
    assert unpack_points(pack_points([*points, whole])) == [*points, whole]


def test_windows_cover_all_readings() -> None:
    series = Series.of([5, MINUTE - 1, MINUTE, 3 * HOUR], [1.0, 2.0, 3.0, 4.0], {1: Mark(2)})
    windows = dict(series.windows(MINUTE))
    assert [(start, list(window.values)) for start, window in windows.items()] == [
        (0, [1.0, 2.0]),
        (MINUTE, [3.0]),
        (3 * HOUR, [4.0]),
    ]
    assert list(windows[0].good()[1]) == [1.0]


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01t00:00:01.5z", 1_500_000),
        ("1970-01-01 02:00:00.000001+02:00", 1),
        ("1969-12-31T23:30:00-00:30", 0),
        ("2026-11-03T12:00:00.1234560000Z", 1_793_707_200_123_456),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
    ],
)
def test_times(text: str, micros: int) -> None:
    assert reading_time(text) == micros
    assert reading_time(format_time(micros)) == micros
    assert len(format_time(micros).partition(".")[0].rstrip("Z")) == 19, "so that texts sort as times do"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-03T12:00:00",
        "2026-W45-2T12:00:00Z",
        "2026-11-03T120000.12Z",
        "2026-02-30T12:00:00Z",
        "2026-11-03T12:00:00.1234567Z",
        "2026-11-03T12:00:00,5Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-11-03T12:00:00+25:00",
        "2026-11-03",
        "",
        "yesterday",
        5,
        None,
    ],
)
def test_times_that_are_refused(text: Any) -> None:
    with pytest.raises(ReadingError):
        reading_time(text)


BAD: list[tuple[Any, str]] = [
    (7, "must be an object"),
    ([], "must be an object"),
    (NotJson("unexpected end"), "not JSON"),
    ({}, "no `sensor` and no `time` and no `value`"),
    ({"sensor": "a", "time": "2026-11-03T12:00:00Z", "value": True}, "must be a number"),
    ({"sensor": "a", "time": "2026-11-03T12:00:00Z", "value": "1"}, "must be a number"),
    ({"sensor": "a", "time": "2026-11-03T12:00:00Z", "value": None}, "must be a number"),
    ({"sensor": "a", "time": "2026-11-03T12:00:00Z", "value": 1e301}, "must be between"),
    ({"sensor": "a", "time": "2026-11-03T12:00:00Z", "value": 2**53 + 1}, "more digits"),
    ({"sensor": ["a"], "time": "2026-11-03T12:00:00Z", "value": 1}, "texts"),
    ({"sensor": 7, "time": "2026-11-03T12:00:00Z", "value": 1}, "`sensor` must be"),
    ({"sensor": "a", "time": {}, "value": 1}, "`time`"),
    ({"sensor": "a", "time": "2199-11-03T12:00:00Z", "value": 1}, "in the future"),
    ({"sensor": "a", "time": "0001-01-01T00:00:00+00:01", "value": 1}, "the years 1 to 9999"),
    ({"sensor": "a", "time": "2026-11-03T12:00:00Z", "value": 1, "quality": "fine"}, "must be one of"),
    ({"sensor": "a", "time": "2026-11-03T12:00:00Z", "value": 1, "quality": []}, "texts"),
    ({"sensor": "a", "time": "2026-11-03T12:00:00Z", "value": 1, "revision": -1}, "whole number"),
    ({"sensor": "a", "time": "2026-11-03T12:00:00Z", "value": 1, "unit": "K"}, "not a field"),
]


@pytest.mark.parametrize(("item", "reason"), BAD)
def test_a_bad_reading_is_refused_and_the_others_are_taken(item: Any, reason: str) -> None:
    good = {"sensor": "a", "time": "2026-11-03T12:00:00Z", "value": -0.0}
    batch = parse_batch(enumerate([good, item, {**good, "value": 2**53}]), LATER)
    assert reason in batch.refused[1]
    assert batch.accepted == 2
    assert batch.sensors["a"].values == [0.0, 2.0**53]
    assert math.copysign(1, batch.sensors["a"].values[0]) == 1
    assert batch.sensors["a"].positions == [0, 2]
