"""The algorithm `forecast`: what it reads, refuses and returns."""

from __future__ import annotations

import math
import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from sluice.domain.base import validate
from sluice.errors import Invalid
from sluice_algorithms.forecast import ALGORITHM
from support.table_input import Finished, MemoryTable, MemoryTask, run

COLUMNS = {"shop": "string", "day": "date", "sales": "double"}


def sale(month: int) -> float:
    """A trend, a season of a year, and some noise."""
    noise = random.Random(month).gauss(0, 1)
    return 100 + month + 10 * math.sin(month * math.pi / 6) + noise


def month_rows(shop: str, months: range) -> list[list[Any]]:
    return [[shop, date(2020 + month // 12, month % 12 + 1, 1), sale(month)] for month in months]


ROWS = [*month_rows("b", range(48)), *month_rows("a", range(6, 48))]
REQUEST: dict[str, Any] = {"time": "day", "value": "sales", "groups": ["shop"], "horizon": 6}


@pytest.fixture(scope="module")
def finished() -> Finished:
    return run(ALGORITHM, MemoryTable(COLUMNS, ROWS), **REQUEST)


def test_each_group_has_its_forecast(finished: Finished) -> None:
    document = finished.result.document
    assert (document["step"], document["season"], document["season_detected"]) == ("1mo", 12, True)
    assert [group["group"] for group in document["groups"]] == [{"shop": "a"}, {"shop": "b"}]
    assert all(group["better_than_naive"] and group["holdout"]["periods"] == 6 for group in document["groups"])
    records = finished.records()
    assert [record["day"] for record in records[:6]] == [date(2024, month, 1) for month in range(1, 7)]
    for record in records:
        truth = sale((record["day"].year - 2020) * 12 + record["day"].month - 1)
        assert abs(record["forecast"] - truth) < 5
        names = ["lower_95", "lower_80", "forecast", "upper_80", "upper_95"]
        assert [record[name] for name in names] == sorted(record[name] for name in names)


def test_bytes_depend_on_no_order(finished: Finished) -> None:
    shuffled = random.Random(1).sample(ROWS, len(ROWS))
    assert run(ALGORITHM, MemoryTable(COLUMNS, shuffled, threads=2), **REQUEST).bytes == finished.bytes


def grid_of(moments: list[Any], kind: str, **parameters: Any) -> tuple[str, list[Any]]:
    """The step that is inferred, and the next times."""
    rows = [[moment, float(index % 3)] for index, moment in enumerate(moments)]
    finished = run(
        ALGORITHM,
        MemoryTable({"at": kind, "v": "double"}, rows),
        time="at",
        value="v",
        horizon=2,
        **parameters,
    )
    return finished.result.document["step"], [record["at"] for record in finished.records()]


MIDNIGHT = datetime(2026, 3, 1)


def days(*counts: int) -> list[date]:
    """Days counted from Monday, 2026-01-05."""
    return [date(2026, 1, 5) + timedelta(days=count) for count in counts]


MONTH_ENDS = [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)]
GRIDS: dict[str, tuple[list[Any], str, str, list[Any]]] = {
    "hours": (
        [MIDNIGHT + timedelta(hours=hour) for hour in range(12)],
        "timestamp",
        "1h",
        [datetime(2026, 3, 1, 12), datetime(2026, 3, 1, 13)],
    ),
    "quarters of an hour": (
        [MIDNIGHT + timedelta(minutes=15 * count + 7) for count in range(12) if count != 5],
        "timestamp",
        "15m",
        [datetime(2026, 3, 1, 3, 7), datetime(2026, 3, 1, 3, 22)],
    ),
    "days": (days(*range(10)), "date", "1d", days(10, 11)),
    "weeks": (days(*range(0, 70, 7)), "date", "1w", days(70, 77)),
    "weekdays": (days(*(day for day in range(19) if day % 7 < 5)), "date", "weekday", days(21, 22)),
    "ends of months": (MONTH_ENDS, "date", "1mo", [date(2026, 6, 30), date(2026, 7, 31)]),
    "quarters": (
        [date(2024 + quarter // 4, quarter % 4 * 3 + 2, 15) for quarter in range(9)],
        "date",
        "3mo",
        [date(2026, 5, 15), date(2026, 8, 15)],
    ),
    "years": ([date(year, 7, 1) for year in range(1960, 1972)], "date", "1y", [date(1972, 7, 1), date(1973, 7, 1)]),
    "numbers": (list(range(1990, 2010)), "bigint", "1", [2010, 2011]),
    "every fifth number": (list(range(0, 100, 5)), "bigint", "5", [100, 105]),
}


@pytest.mark.parametrize(("moments", "kind", "step", "following"), GRIDS.values(), ids=GRIDS)
def test_grid_is_inferred(moments: list[Any], kind: str, step: str, following: list[Any]) -> None:
    assert grid_of(moments, kind) == (step, following)


@pytest.mark.parametrize(
    ("step", "last"),
    [("1h", "2026-03-03 00:00:00"), ("1d", "2026-03-03 00:00:00"), ("1w", "2026-03-09 00:00:00"),
     ("1mo", "2026-04-01 00:00:00"), ("1y", "2027-01-01 00:00:00")],
)  # fmt: skip
def test_step_aggregates(step: str, last: str) -> None:
    moments = [datetime(2026, 3, 1) + timedelta(seconds=1000 * count + count % 7) for count in range(173)]
    assert grid_of(moments, "timestamp", step=step, aggregate="mean")[1][0] == datetime.fromisoformat(last)


def test_times_before_1970_fall_into_their_step() -> None:
    moments = [datetime(1969, 12, day, 13, minute) for day in range(1, 28) for minute in (0, 30)]
    assert grid_of(moments, "timestamp", step="1d", aggregate="sum")[1][0] == datetime(1969, 12, 28)
    assert grid_of(moments, "timestamp", step="1mo", aggregate="sum")[1][0] == datetime(1970, 1, 1)


def test_gaps_and_rows_left_out_are_reported() -> None:
    rows: list[list[Any]] = [*month_rows("a", range(48))]
    rows[10][2], rows[20][2] = None, math.nan
    finished = run(ALGORITHM, MemoryTable(COLUMNS, [*rows, ["a", None, 1.0]]), **REQUEST, season=1)
    text = " ".join(finished.warnings)
    assert "Rows without a time in day are left out: 1 of 49." in text
    assert "NaN) in sales count as missing: 1." in text
    assert "Times without a value: 2 of 48 (a 2)." in text
    assert finished.result.document["groups"][0]["missing"] == 2


def test_short_series_repeat_their_last_value_and_say_so() -> None:
    finished = run(ALGORITHM, MemoryTable(COLUMNS, [*ROWS, *month_rows("new", range(3))]), **REQUEST, season=1)
    new = [record for record in finished.records() if record["shop"] == "new"]
    assert {record["forecast"] for record in new} == {sale(2)}
    assert {record["lower_80"] for record in new} == {None}
    assert any("are repeated without intervals: 1 of 3 (new)" in warning for warning in finished.warnings)


def test_a_season_that_no_series_is_long_enough_for_is_not_used() -> None:
    rows = month_rows("a", range(48))
    finished = run(ALGORITHM, MemoryTable(COLUMNS, rows), **REQUEST, season=25)
    document = finished.result.document
    assert (document["season"], document["season_detected"], document["groups"][0]["season"]) == (1, False, [])
    assert "A season of 25 periods needs 50 values, but no series has more than 48: none is used." in finished.warnings
    without = run(ALGORITHM, MemoryTable(COLUMNS, rows), **REQUEST, season=1)
    assert without.result == finished.result
    assert document["groups"][0]["holdout"]["mase"] is not None


def test_series_that_are_too_short_for_the_season_of_others_are_named() -> None:
    finished = run(ALGORITHM, MemoryTable(COLUMNS, [*ROWS, *month_rows("new", range(20))]), **REQUEST, season=12)
    assert finished.result.document["season"] == 12
    assert [len(group["season"]) for group in finished.result.document["groups"]] == [12, 12, 0]
    warning = "Series with fewer than the 24 values of a season of 12, whose models have none: 1 of 3 (new)."
    assert warning in finished.warnings


def test_gaps_of_a_table_without_groups_name_none() -> None:
    rows = [row for row in month_rows("a", range(48)) if row[1].month != 5]
    finished = run(ALGORITHM, MemoryTable(COLUMNS, rows), **{**REQUEST, "groups": []}, season=1)
    assert "Times without a value: 4 of 48. Models pass over them." in finished.warnings


def test_history_is_limited_and_said() -> None:
    finished = run(ALGORITHM, MemoryTable(COLUMNS, ROWS), **REQUEST, season=1, history=36)
    assert [group["values"] for group in finished.result.document["groups"]] == [36, 36]
    assert any("more than 36 periods: 2" in warning for warning in finished.warnings)


@pytest.mark.parametrize(
    ("changes", "pointer", "words"),
    [
        ({"time": "when"}, "/parameters/time", "no column when; its columns are shop, day, sales"),
        ({"time": "shop"}, "/parameters/time", "is of type string"),
        ({"value": "shop"}, "/parameters/value", "not numeric; numeric columns are: sales"),
        ({"groups": ["shop", "town"]}, "/parameters/groups/1", "no column town"),
        ({"groups": ["shop", "shop"]}, "/parameters/groups/1", "named twice"),
        ({"groups": []}, "/parameters/aggregate", "Times with several values: 42"),
        ({"step": "1h"}, "/parameters/step", "whole days"),
        ({"groups": ["shop", "day"]}, "/parameters/groups/1", "is no group"),
    ],
)
def test_refuses_parameters_that_do_not_fit(changes: dict[str, Any], pointer: str, words: str) -> None:
    with pytest.raises(Invalid) as raised:
        run(ALGORITHM, MemoryTable(COLUMNS, ROWS), **{**REQUEST, **changes})
    assert [(error["pointer"], words in error["message"]) for error in raised.value.errors] == [(pointer, True)]


@pytest.mark.parametrize(
    ("changes", "pointer", "words"),
    [
        ({"levels": [0.8, 0.8]}, "/levels", "given twice"),
        ({"levels": [95]}, "/levels", "between 0 and 1"),
        ({"levels": [0.8, 0.8000000000000002]}, "/levels", "Two levels differ by less"),
        ({"horizon": 0}, "/horizon", "greater than or equal to 1"),
        ({"step": "1 day"}, "/step", "such as"),
    ],
)
def test_refuses_parameters_that_are_not_valid(changes: dict[str, Any], pointer: str, words: str) -> None:
    with pytest.raises(Invalid) as raised:
        validate(ALGORITHM.parameters, {**REQUEST, **changes})
    assert [(error["pointer"], words in error["message"]) for error in raised.value.errors] == [(pointer, True)]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["a", date(2026, 1, 1), None]], "No row has both"),
        ([["a", date(2026, 1, 1), math.nan]], "No row has both"),
        ([["a", date(2026, 1, 1), math.inf]], "infinite values, or values beyond 1e100: 1 rows"),
        ([["a", date(2026, 1, 1), -1e101]], "infinite values, or values beyond 1e100: 1 rows"),
        ([["a", date(2026, 1, 1), 1.0]], "no series has two times"),
        ([["a", date(2026, 1, day), 1.0] for day in (1, 2)] + [["a", date(2026, 9, 12), 1.0]], "not regular"),
    ],
    ids=["null", "nan", "infinite", "too large", "one row", "irregular"],
)
def test_refuses_data_that_no_series_can_have(rows: list[Any], words: str) -> None:
    with pytest.raises(Invalid) as raised:
        run(ALGORITHM, MemoryTable(COLUMNS, rows), **REQUEST)
    assert words.lower() in raised.value.detail.lower()


@pytest.mark.parametrize("columns", [COLUMNS, {"_source": "string"}], ids=["known", "not yet known"])
def test_a_table_without_rows_has_an_empty_forecast(columns: dict[str, str]) -> None:
    finished = run(ALGORITHM, MemoryTable(columns, []), **REQUEST)
    assert finished.result.document == {"step": None, "season": 1, "season_detected": False, "groups": []}
    table = finished.result.tables["main"]
    assert [(column.name, column.type) for column in table.columns[:3]] == [
        ("shop", "string"), ("day", columns.get("day", "string")), ("forecast", "double"),
    ]  # fmt: skip
    assert finished.records() == []
    assert finished.warnings == ["The table has no rows, so nothing is forecast."]


def test_more_times_than_the_setting_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERIES_POINTS", "50")
    with pytest.raises(Invalid, match="more than 50 times"):
        run(ALGORITHM, MemoryTable(COLUMNS, ROWS), **REQUEST)


def test_columns_with_the_name_of_a_result_column_get_a_number() -> None:
    columns = {"Forecast": "string", "lower_80": "date", "sales": "double"}
    request = {**REQUEST, "time": "lower_80", "groups": ["Forecast"]}
    finished = run(ALGORITHM, MemoryTable(columns, ROWS), **request, season=1)
    names = [column.name for column in finished.result.tables["main"].columns]
    assert names == ["Forecast_2", "lower_80_2", "forecast", "lower_80", "upper_80", "lower_95", "upper_95"]
    assert {record["Forecast_2"] for record in finished.records()} == {"a", "b"}
    assert [group["group"] for group in finished.result.document["groups"]] == [{"Forecast": "a"}, {"Forecast": "b"}]
    assert (
        "The column Forecast is called Forecast_2 in the result, which has a column of that name." in finished.warnings
    )


def test_grid_with_far_more_times_than_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERIES_POINTS", "1000")
    with pytest.raises(Invalid, match="there are 1431 times at distances of 1d, more than 1000"):
        run(ALGORITHM, MemoryTable(COLUMNS, month_rows("a", range(48))), **REQUEST, step="1d")


def test_times_that_are_no_times_are_left_out() -> None:
    rows = [*month_rows("a", range(12)), ["a", "infinity", 1.0], ["a", "-infinity", 1.0]]
    finished = run(ALGORITHM, MemoryTable(COLUMNS, [[row[0], str(row[1]), row[2]] for row in rows]), **REQUEST)
    assert finished.warnings[0] == "Rows without a time in day are left out: 2 of 14."


def test_forecast_beyond_the_calendar_is_refused() -> None:
    rows = [["a", date(9900 + year, 1, 1), float(year)] for year in range(90)]
    with pytest.raises(Invalid, match="beyond the year 9999"):
        run(ALGORITHM, MemoryTable(COLUMNS, rows), **{**REQUEST, "horizon": 20})


def test_series_that_would_take_too_long_are_refused() -> None:
    table = MemoryTable(COLUMNS, ROWS)
    task = MemoryTask({"data": table}, validate(ALGORITHM.parameters, REQUEST), slowness=150)
    with pytest.raises(Invalid, match="need 1200 seconds more, but the step has 750 left"):
        ALGORITHM.solve(task, None, 0)
    table.close()
