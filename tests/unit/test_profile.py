"""The algorithm `profile` beside what pandas says of the same table."""

from __future__ import annotations

import math
import random
import statistics
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.errors import Invalid
from sluice_algorithms.profile import ALGORITHM
from support.table_input import Finished, MemoryTable, run

COLUMNS = {
    "id": "bigint", "town": "string", "price": "decimal(12,2)", "area": "double", "rooms": "bigint",
    "sold": "boolean", "day": "date", "extra": "json", "nothing": "double",
}  # fmt: skip


def house(number: int) -> list[Any]:
    draws = random.Random(number)
    area = draws.lognormvariate(4, 0.5)
    price = None if number % 11 == 0 else f"{1000 * area + draws.gauss(0, 9000):.2f}"
    rooms = None if number % 7 == 0 else int(area // 20) + 1
    town = draws.choice(["Bonn", "Köln", "Aachen", "Köln"])
    return [number, town, price, area, rooms, number % 3 == 0, f"2026-01-{number % 28 + 1:02d}", '{"a": 1}', None]


ROWS = [house(number) for number in range(500)]
NUMBERS = ["price", "area", "rooms"]


def frame() -> pd.DataFrame:
    table = pd.DataFrame(ROWS, columns=list(COLUMNS))
    return table.astype(dict.fromkeys(NUMBERS, "float64"))


@pytest.fixture(scope="module")
def finished() -> Finished:
    return run(ALGORITHM, MemoryTable(COLUMNS, ROWS))


def by_column(finished: Finished) -> dict[str, dict[str, Any]]:
    return {record["column"]: record for record in finished.records()}


def test_every_column_is_counted(finished: Finished) -> None:
    table, columns = frame(), by_column(finished)
    assert finished.result.document == {"rows": 500, "columns": 9, "candidate_keys": [["id"]]}
    assert list(columns) == list(COLUMNS)
    for name, record in columns.items():
        assert record["type"] == COLUMNS[name]
        assert record["nulls"] == table[name].isna().sum()
        assert record["distinct_values"] == table[name].nunique()
        assert record["distinct_is_exact"]
    assert (columns["town"]["min"], columns["town"]["max"]) == ("Aachen", "Köln")
    assert (columns["day"]["min"], columns["sold"]["max"]) == ("2026-01-01", "true")
    assert columns["nothing"]["min"] is None
    assert columns["town"]["mean"] is None


@pytest.mark.parametrize("name", NUMBERS)
def test_moments_and_quantiles_are_those_of_pandas(finished: Finished, name: str) -> None:
    record, values = by_column(finished)[name], frame()[name]
    assert record["mean"] == pytest.approx(values.mean(), rel=1e-14)
    assert record["standard_deviation"] == pytest.approx(values.std(), rel=1e-13)
    for quantile in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert record[f"q{int(100 * quantile):02d}"] == pytest.approx(values.quantile(quantile), rel=1e-14)


def test_correlations_are_those_of_pandas(finished: Finished) -> None:
    table = frame()
    records = finished.records("correlations")
    assert [(row["column"], row["other"]) for row in records] == [
        ("id", "price"), ("id", "area"), ("id", "rooms"), ("price", "area"), ("price", "rooms"), ("area", "rooms"),
    ]  # fmt: skip
    for record in records:
        pair = table[[record["column"], record["other"]]]
        assert record["rows"] == len(pair.dropna())
        for method in ("pearson", "spearman"):
            assert record[method] == pytest.approx(pair.corr(method=method).iloc[0, 1], rel=1e-12)


def test_frequent_values_and_histogram(finished: Finished) -> None:
    table = frame()
    towns = [row for row in finished.records("values") if row["column"] == "town"]
    assert [(row["value"], row["rows"]) for row in towns] == list(table["town"].value_counts().items())
    assert towns[0]["share"] == towns[0]["rows"] / 500
    days = [row["value"] for row in finished.records("values") if row["column"] == "day"]
    assert days == sorted(days), "values that are equally frequent are in order"
    parts = [row for row in finished.records("histogram") if row["column"] == "area"]
    counts = pd.cut(table["area"], [parts[0]["lower"] - 1, *(part["upper"] for part in parts)]).value_counts(sort=False)
    assert [part["rows"] for part in parts] == counts.tolist()
    assert len(parts) == 20


DOUBLES = {"k": "bigint", "x": "double", "y": "double"}
WILD = """
SELECT i % 1000, (hash(i) % 1000003)::DOUBLE / 7 * 10 ** (i % 12), (hash(i * 3) % 999983)::DOUBLE / 3
FROM range(20000) t(i) ORDER BY hash(i + {salt})
"""


def test_bytes_depend_on_no_order_and_no_threads() -> None:
    tables = [MemoryTable.of_query(DOUBLES, WILD.format(salt=threads), threads) for threads in (1, 2, 4)]
    assert len({table.query("SELECT sum(x) AS x FROM data")[0]["x"] for table in tables}) == 3
    assert len({run(ALGORITHM, table).bytes for table in tables}) == 1


@settings(max_examples=6, deadline=None)
@given(st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=12))
def test_any_doubles_have_exact_moments(values: list[float]) -> None:
    [record] = run(ALGORITHM, MemoryTable({"v": "double"}, [[value] for value in values])).records()
    # A bit more may be lost of numbers that are tiny beside the largest.
    tolerance = 1e-15 * max(map(abs, values)) + 1e-300
    assert record["mean"] == pytest.approx(statistics.fmean(values), rel=1e-14, abs=tolerance)
    assert float(record["min"]) == min(values)
    if record["standard_deviation"] and max(map(abs, values)) < 1e150:
        assert record["standard_deviation"] == pytest.approx(statistics.stdev(values), rel=1e-12, abs=tolerance)


def test_values_that_are_not_finite_are_counted_apart() -> None:
    data = MemoryTable({"v": "double"}, [[math.nan], [math.inf], [-math.inf], [1.0], [3.0], [None]])
    finished = run(ALGORITHM, data)
    [record] = finished.records()
    assert (record["not_finite"], record["nulls"], record["mean"], record["q50"]) == (3, 1, 2.0, 2.0)
    assert (record["min"], record["max"]) == ("1.0", "3.0")
    assert len(finished.warnings) == 1


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [math.nan]], ids=["one row", "constant", "nan"])
def test_columns_that_do_not_vary(values: list[float]) -> None:
    finished = run(ALGORITHM, MemoryTable({"v": "double", "w": "double"}, [[value, value] for value in values]))
    record = by_column(finished)["v"]
    assert record["mean"] == (5.0 if values[0] == 5 else None)
    assert record["standard_deviation"] == (0.0 if len(values) == 2 else None)
    assert all(row["pearson"] is None and row["spearman"] is None for row in finished.records("correlations"))
    assert sum(row["rows"] for row in finished.records("histogram") if row["column"] == "v") == (
        len(values) if values[0] == 5 else 0
    )


def test_keys_of_two_columns() -> None:
    data = MemoryTable({"x": "bigint", "y": "string", "z": "bigint"}, [[i // 3, "abc"[i % 3], 1] for i in range(12)])
    assert run(ALGORITHM, data).result.document["candidate_keys"] == [["x", "y"]]


def test_large_tables_have_approximate_counts() -> None:
    data = MemoryTable.of_query({"x": "bigint", "y": "bigint"}, "SELECT i, i % 5 FROM range(120000) t(i)", 2)
    finished = run(ALGORITHM, data, exact_rows=1000)
    columns = by_column(finished)
    assert columns["y"]["distinct_values"] == 5
    assert [columns[name]["distinct_is_exact"] for name in "xy"] == [False, True]
    assert columns["x"]["distinct_values"] == pytest.approx(120_000, rel=0.1)
    assert {row["column"] for row in finished.records("values")} == {"y"}
    assert "of: x." in finished.warnings[0]


def test_few_of_many_numbers_are_correlated() -> None:
    names = [f"c{index}" for index in range(5)]
    data = MemoryTable(dict.fromkeys(names, "bigint"), [[row * index % 7 for index in range(1, 6)] for row in range(9)])
    finished = run(ALGORITHM, data, correlated=3)
    assert len(finished.records("correlations")) == 3
    assert "first 3 of 5 numeric columns" in finished.warnings[0]


def test_selected_columns_only(finished: Finished) -> None:
    some = run(ALGORITHM, MemoryTable(COLUMNS, ROWS), columns=["area", "town"])
    assert some.records() == [by_column(finished)[name] for name in ("area", "town")]


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(Invalid) as raised:
        run(ALGORITHM, MemoryTable(COLUMNS, ROWS[:2]), columns=["id", "size"])
    assert [error["pointer"] for error in raised.value.errors] == ["/parameters/columns/1"]
    assert "no column size" in raised.value.detail


@pytest.mark.parametrize("columns", [None, ["area", "size"]])
def test_a_table_without_rows_has_a_profile(columns: list[str] | None) -> None:
    finished = run(ALGORITHM, MemoryTable(COLUMNS, []), columns=columns)
    names = list(COLUMNS) if columns is None else ["area"]
    assert finished.result.document == {"rows": 0, "columns": len(names), "candidate_keys": []}
    assert [record["column"] for record in finished.records()] == names
    for record in finished.records():
        assert [record[name] for name in ("rows", "nulls", "distinct_values", "distinct_is_exact")] == [0, 0, 0, True]
        assert [record[name] for name in ("min", "mean", "q50")] == [None] * 3
    assert [finished.records(name) for name in ("values", "histogram", "correlations")] == [[]] * 3
    assert finished.warnings == ["The table has no rows."]
