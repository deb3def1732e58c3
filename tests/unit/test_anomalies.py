"""The algorithm `anomalies`, and robust expectations beside those of STL in statsmodels."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.errors import Invalid
from sluice.numeric.batch import Floats
from sluice.numeric.robust import judge, judge_series, running_median
from sluice_algorithms.anomalies import ALGORITHM
from support.table_input import Finished, MemoryTable, run

START = datetime(2026, 1, 1)
COLUMNS = {"pump": "string", "at": "timestamp", "pressure": "double"}


def pressure(hours: int, seed: int) -> Floats:
    """A trend, a season of a day, and noise of 1."""
    time = np.arange(hours)
    noise = np.random.default_rng(seed).standard_normal(hours)
    values: Floats = 50 + 0.02 * time + 6 * np.sin(2 * np.pi * time / 24) + 3 * np.cos(4 * np.pi * time / 24) + noise
    return values


PLANTED = {17: 9.0, 100: -9.0, 101: 9.0, 333: 12.0}


def planted(seed: int) -> Floats:
    values = pressure(336, seed)
    for place, height in PLANTED.items():
        values[place] += height
    return values


@pytest.mark.parametrize("seed", range(4))
def test_planted_anomalies_are_caught_as_by_stl(seed: int) -> None:
    from statsmodels.tsa.seasonal import STL

    values = planted(seed)
    ours = set(np.flatnonzero(np.abs(judge_series(values, 24).scores) >= 4).tolist())
    rest = STL(values, period=24, robust=True).fit().resid
    theirs = set(np.flatnonzero(np.abs(rest - np.median(rest)) >= 4 * 1.4826 * np.median(np.abs(rest))).tolist())
    assert ours >= set(PLANTED)
    # As few false ones as STL has, or at most one in 336.
    assert len(ours - set(PLANTED)) <= max(len(theirs - set(PLANTED)), 1)


def test_clean_series_have_few_anomalies() -> None:
    counts = [int((np.abs(judge_series(pressure(336, seed), 24).scores) >= 4).sum()) for seed in range(20, 30)]
    assert sum(counts) <= 6  # of 3,360 values


@pytest.mark.parametrize("period", [4, 7, 12])
def test_season_without_noise_is_expected_up_to_both_ends(period: int) -> None:
    season = np.random.default_rng(period).uniform(-20, 20, period)
    values = np.array([100 + 0.5 * time + season[time % period] for time in range(6 * period + 3)])
    assert np.abs(judge_series(values, period).expected - values).max() < 3


def test_level_shift_is_no_anomaly_for_long() -> None:
    values = np.concatenate([np.zeros(50), np.full(50, 20.0)]) + np.random.default_rng(1).standard_normal(100)
    assert (np.abs(judge_series(values, 1).scores) >= 4).sum() <= 2


@settings(max_examples=20, deadline=None)
@given(st.integers(-10, 10), st.integers(-1000, 1000), st.integers(0, 50))
def test_scores_do_not_depend_on_unit_and_origin(power: int, shift: int, seed: int) -> None:
    values = np.round(planted(seed)[:120], 3)
    first, second = judge_series(values, 24), judge_series(2.0**power * values + shift, 24)
    assert np.allclose(first.scores, second.scores, atol=1e-6)
    assert second.scale == pytest.approx(2.0**power * first.scale, rel=1e-6)


@given(st.lists(st.integers(-100, 100), min_size=3, max_size=40), st.sampled_from([3, 5, 11]))
def test_running_median_is_that_of_the_values_around(values: list[int], window: int) -> None:
    medians = running_median(np.array(values, dtype=float), window)
    half = min(window, len(values) - 1 + len(values) % 2) // 2
    for place in range(half, len(values) - half):
        assert medians[place] == np.median(values[place - half : place + half + 1])


def test_running_median_continues_a_line() -> None:
    line = np.arange(20.0)
    assert np.allclose(running_median(line, 7), line)


@pytest.mark.parametrize("values", [[5.0] * 20, [5.0], [1.0, math.nan] + [1.0] * 10])
def test_constant_values_are_as_expected(values: list[float]) -> None:
    judged = judge_series(np.array(values), 1)
    assert judged.scale == 0
    assert np.nansum(judged.scores) == 0


def test_one_change_among_equal_values_is_seen() -> None:
    assert judge(np.array([5.0] * 30 + [6.0])).scores[-1] > 20


def rows(pump: str, values: Floats) -> list[list[Any]]:
    return [[pump, START + timedelta(hours=hour), float(value)] for hour, value in enumerate(values)]


REQUEST: dict[str, Any] = {"time": "at", "values": ["pressure"], "groups": ["pump"]}
ROWS = [*rows("b", planted(7)), *rows("a", pressure(240, 8))]


@pytest.fixture(scope="module")
def finished() -> Finished:
    return run(ALGORITHM, MemoryTable(COLUMNS, ROWS), **REQUEST)


def test_series_are_judged_by_group(finished: Finished) -> None:
    document = finished.result.document
    assert document["step"] == "1h"
    assert [(group["group"], group["season"], group["values"]) for group in document["groups"]] == [
        ({"pump": "a"}, 24, 240),
        ({"pump": "b"}, 24, 336),
    ]
    records = finished.records()
    assert len(records) == document["values"] == 576
    unusual = {(record["pump"], record["at"]) for record in records if record["is_anomaly"]}
    assert unusual >= {("b", START + timedelta(hours=hour)) for hour in PLANTED}
    assert len(unusual) == document["anomalies"] <= len(PLANTED) + 2
    for record in records:
        inside = record["lower"] < record["value"] < record["upper"]
        assert inside is not record["is_anomaly"]
        assert record["lower"] < record["expected"] < record["upper"]


def test_bytes_depend_on_no_order(finished: Finished) -> None:
    shuffled = random.Random(1).sample(ROWS, len(ROWS))
    assert run(ALGORITHM, MemoryTable(COLUMNS, shuffled, threads=2), **REQUEST).bytes == finished.bytes


def test_a_season_that_the_series_is_too_short_for_is_not_used() -> None:
    finished = run(ALGORITHM, MemoryTable(COLUMNS, ROWS), **REQUEST, season=150)
    assert [group["season"] for group in finished.result.document["groups"]] == [1, 150]
    warning = "Series of pressure with fewer than two seasons of 150 periods, judged without a season: 1 of 2."
    assert finished.warnings == [warning]


def test_only_anomalies(finished: Finished) -> None:
    some = run(ALGORITHM, MemoryTable(COLUMNS, ROWS), **REQUEST, only_anomalies=True)
    assert some.records() == [record for record in finished.records() if record["is_anomaly"]]
    assert some.result.document == finished.result.document


def test_lower_threshold_has_more_anomalies(finished: Finished) -> None:
    many = run(ALGORITHM, MemoryTable(COLUMNS, ROWS), **REQUEST, threshold=2.0)
    assert many.result.document["anomalies"] > finished.result.document["anomalies"] + 5


FLAT = {"id": "bigint", "kind": "string", "width": "double", "weight": "decimal(9,2)"}


def flat_rows() -> list[list[Any]]:
    draws = random.Random(3)
    table = [[number, "ab"[number % 2], draws.gauss(10, 1), f"{draws.gauss(200, 5):.2f}"] for number in range(100)]
    table[40][2], table[41][3], table[42][3] = 30.0, "900.00", None
    return table


def test_rows_without_time_are_compared_with_their_column() -> None:
    finished = run(ALGORITHM, MemoryTable(FLAT, flat_rows()), keys=["id"], groups=["kind"])
    assert {(row["column"], row["id"]) for row in finished.records() if row["is_anomaly"]} == {
        ("width", 40),
        ("weight", 41),
    }
    assert finished.result.document["values"] == 199
    assert [(group["column"], group["group"], group["season"]) for group in finished.result.document["groups"]] == [
        (column, {"kind": kind}, None) for column in ("width", "weight") for kind in "ab"
    ]
    assert finished.warnings == ["Rows without a value in weight are left out: 1 of 100."]


@pytest.mark.parametrize("columns", [COLUMNS, {"_source": "string"}], ids=["known", "not yet known"])
@pytest.mark.parametrize("places", [{"time": "at", "groups": ["pump"]}, {"groups": ["pump"], "keys": ["at"]}])
def test_a_table_without_rows_has_no_anomalies(columns: dict[str, str], places: dict[str, Any]) -> None:
    finished = run(ALGORITHM, MemoryTable(columns, []), **places)
    assert finished.result.document == {"step": None, "threshold": 4.0, "values": 0, "anomalies": 0, "groups": []}
    names = [column.name for column in finished.result.tables["main"].columns]
    assert names[:4] == ["pump", "at", "column", "value"]
    assert finished.records() == []
    assert finished.warnings == ["The table has no rows, so no value is judged."]


@pytest.mark.parametrize("name", ["value", "column", "Score", "is_anomaly"])
@pytest.mark.parametrize("parameter", ["groups", "keys"])
def test_columns_with_the_name_of_a_result_column_get_a_number(parameter: str, name: str) -> None:
    table = MemoryTable({name: "bigint", f"{name}_2": "string", "v": "double"}, [[7, "b", 1.0]] * 9)
    finished = run(ALGORITHM, table, values=["v"], **{parameter: [f"{name}_2", name]})
    names = [column.name for column in finished.result.tables["main"].columns]
    assert names[:2] == [f"{name}_2", f"{name}_3"]
    assert {(record[f"{name}_2"], record[f"{name}_3"]) for record in finished.records()} == {("b", 7)}
    assert finished.warnings[0].startswith(f"The column {name} is called {name}_3 in the result")


def test_few_values_are_not_judged() -> None:
    finished = run(ALGORITHM, MemoryTable(FLAT, flat_rows()[:5]), keys=["id"], values=["width"])
    assert {(row["is_anomaly"], row["score"]) for row in finished.records()} == {(False, None)}
    assert finished.warnings == ["Groups with too few values to know what is usual: 1; none is an anomaly."]


@pytest.mark.parametrize(
    ("columns", "table", "changes", "pointer", "words"),
    [
        (COLUMNS, ROWS[:9], {"values": ["pump"]}, "/parameters/values/0", "not numeric"),
        (COLUMNS, ROWS[:9], {"keys": ["pump"]}, "/parameters/keys", "only for tables without time"),
        (
            FLAT,
            [],
            {"time": None, "values": None, "groups": ["kind"], "keys": ["id", "kind"]},
            "/parameters/keys/1",
            "among the groups",
        ),
        (COLUMNS, [["a", START, math.inf]], {}, "/parameters/values", "infinite"),
        (COLUMNS, [["a", START, None]], {}, "/parameters/values", "No row has both"),
        (COLUMNS, [["a", START, math.inf]], {"time": None}, "/parameters/values", "infinite"),
        (COLUMNS, [["a", START, math.nan]], {"time": None}, "/parameters/values", "No row has a value"),
        ({"name": "string"}, [["a"]], {"time": None, "values": None, "groups": []}, "/parameters/values", "no numeric"),
    ],
    ids=[
        "text",
        "keys",
        "key among groups",
        "infinite",
        "null",
        "infinite without time",
        "nan without time",
        "no numbers",
    ],
)
def test_refuses_what_does_not_fit(
    columns: dict[str, str], table: list[Any], changes: dict[str, Any], pointer: str, words: str
) -> None:
    with pytest.raises(Invalid) as raised:
        run(ALGORITHM, MemoryTable(columns, table), **{**REQUEST, **changes})
    assert [(error["pointer"], words in error["message"]) for error in raised.value.errors] == [(pointer, True)]


def test_more_rows_than_the_setting_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERIES_POINTS", "50")
    with pytest.raises(Invalid, match="more than 50 values"):
        run(ALGORITHM, MemoryTable(FLAT, flat_rows()), keys=["id"])
