"""Values of Parquet: times of every kind, wide decimals, structs that are null, names that differ in case."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluice.errors import UnreadableData
from support.pages import seen

NANOS = 1_700_000_000_123_456_789
SECOND = "2023-11-14T22:13:20"


def parquet(columns: dict[str, Any]) -> bytes:
    return written(pa.table(columns))


def written(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def times(unit: str, zone: str | None, *values: int | None) -> pa.Array:
    return pa.array(values, pa.timestamp(unit, zone))


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", "-08:00"])
@pytest.mark.parametrize(("unit", "shown"), [("ms", "123"), ("us", "123456"), ("ns", "123456")])
def test_times_of_all_types_are_in_utc(unit: str, shown: str, zone: str | None) -> None:
    value = NANOS // {"ms": 10**6, "us": 10**3, "ns": 1}[unit]
    found = seen(parquet({"t": times(unit, zone, value, None)}), "a.parquet")
    assert (found.types, found.column("t")) == ({"t": "timestamp"}, [f"{SECOND}.{shown}Z", None])
    cut = f"t: 1 times were truncated to microseconds (first '{SECOND}.123456789Z')"
    assert found.warnings == ([cut] if unit == "ns" else [])


def test_whole_microseconds_give_no_warning() -> None:
    assert seen(parquet({"t": times("ns", "UTC", NANOS // 1000 * 1000)}), "a.parquet").warnings == []


def test_times_before_1970_and_far_in_the_future_are_exact() -> None:
    found = seen(parquet({"t": times("us", "UTC", -1, -62_135_596_800_000_000, 253_402_300_799_999_999)}), "a.parquet")
    assert found.column("t") == [
        "1969-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
    ]
    beyond = seen(parquet({"t": times("us", None, 253_402_300_800_000_000, 0)}), "a.parquet")
    assert beyond.column("t") == [None, "1970-01-01T00:00:00Z"]
    assert "t: 1 values are not timestamp and were replaced by null (first '10000-01-01" in beyond.warnings[0]


def test_times_within_structs_lists_and_maps_keep_all_digits() -> None:
    moment, shown = pa.timestamp("ns", "UTC"), f"{SECOND}.123456789Z"
    columns = {
        "s": pa.array([{"t": NANOS, "n": 1}, None], pa.struct([("t", moment), ("n", pa.int64())])),
        "l": pa.array([[NANOS, None], None], pa.list_(moment)),
        "ls": pa.array([[{"t": NANOS}], []], pa.list_(pa.struct([("t", moment)]))),
        "m": pa.array([[("k", NANOS)], [("k", None)]], pa.map_(pa.string(), moment)),
        "d": pa.array([1, None], pa.time64("ns")),
    }
    found = seen(parquet(columns), "a.parquet")
    assert found.records[0] == {
        "s_t": f"{SECOND}.123456Z",
        "s_n": 1,
        "l": [shown, None],
        "ls": [{"t": shown}],
        "d": "00:00:00.000000001",
        "m_k": shown,
    }
    assert [warning.split(":")[0] for warning in found.warnings] == ["s_t"]
    assert found.types["s_t"] == "timestamp"


def test_decimals_that_become_doubles_are_warned_about() -> None:
    big = Decimal("12345678901234567890123456789012345678901234567890.12345")
    wide = pa.decimal256(60, 5)
    columns = {
        "d": pa.array([big, Decimal("1.5"), None], wide),
        "s": pa.array([{"d": big}, None, {"d": None}], pa.struct([("d", wide)])),
        "l": pa.array([[big, Decimal(1)], [], None], pa.list_(wide)),
        "ll": pa.array([[[big], None, [big, None]], None, None], pa.list_(pa.list_(wide))),
        "m": pa.array([[("k", big)], None, None], pa.map_(pa.string(), wide)),
        "few": pa.array([Decimal("1.50000"), None, None], pa.decimal256(38, 5)),
    }
    found = seen(parquet(columns), "a.parquet")
    assert (found.types["d"], found.types["few"]) == ("double", "decimal(38,5)")
    assert found.column("d") == [float(big), 1.5, None]
    said = "were read as doubles, and 1 of them may have lost digits"
    assert [warning.split(";")[0] for warning in found.warnings] == [
        f"d: 2 values of decimal(60,5) {said}",
        f"s_d: 1 values of decimal(60,5) {said}",
        f"l: 2 values of decimal(60,5) {said}",
        f"ll: 2 values of decimal(60,5) {said.replace('1', '2')}",
        f"m: 1 values of decimal(60,5) {said}",
    ]


STRUCT = pa.struct([("a", pa.int64()), ("b", pa.struct([("c", pa.string())]))])


def test_null_struct_adds_no_column() -> None:
    values = [{"a": 1, "b": {"c": "x"}}, {"a": 2, "b": None}, None]
    found = seen(parquet({"s": pa.array(values, STRUCT)}), "a.parquet")
    assert found.types == {"s_a": "bigint", "s_b_c": "string"}
    assert [list(record.values()) for record in found.records] == [[1, "x"], [2, None], [None, None]]
    chosen = seen(parquet({"s": pa.array(values, STRUCT)}), "a.parquet", fields={"s": "s", "c": "s.b.c"})
    assert [record["s"] for record in chosen.records] == values, "an expression sees which struct is null"


def test_names_differing_in_case_are_refused_unless_selected() -> None:
    with pytest.raises(UnreadableData, match=r"'A'.* differ only in case"):
        seen(parquet({"A": pa.array([], pa.int64()), "a": pa.array([], pa.int64())}), "a.parquet")
    body = parquet({"A": [1], "a": [2], "a_1": [3]})
    with pytest.raises(UnreadableData, match=r"'A'.* differ only in case"):
        seen(body, "a.parquet")
    fields = {"x": "A", "y": "a", "z": "a_1"}
    assert seen(body, "a.parquet", fields=fields).records == [{"x": 1, "y": 2, "z": 3}]
    inner = pa.struct([("A", pa.int64()), ("a", pa.int64())])
    within = parquet({"s": pa.array([{"A": 1, "a": 2}], inner), "l": pa.array([[{"A": 3, "a": 4}]], pa.list_(inner))})
    with pytest.raises(UnreadableData, match=r"'s_A'.* differ only in case"):
        seen(within, "a.parquet")
    assert seen(within, "a.parquet", fields={"s": "s", "l": "l"}).records == [
        {"s": {"A": 1, "a": 2}, "l": [{"A": 3, "a": 4}]}
    ]


def test_a_name_that_comes_twice_is_refused() -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(UnreadableData, match="The Parquet file has two columns named 'a'"):
        seen(written(table), "a.parquet")
