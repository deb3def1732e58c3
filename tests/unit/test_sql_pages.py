"""Values and pages of SQL sources, without a server: what a driver gives becomes JSON Lines with types."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain.page_columns import column_types
from sluice.domain.schema import convert
from sluice.errors import DataTooLarge, SourceUnreachable
from sluice.sources.sql import values
from sluice.sources.sql.base import ServerColumn
from sluice.sources.sql.pages import SqlPage, pages_of
from support.sql_results import Rows


def pages(result: Rows, fetch_rows: int = 10_000, page_bytes: int = 10**9, most: int = 10**9) -> list[SqlPage]:
    async def read() -> list[SqlPage]:
        return [page async for page in pages_of(result, fetch_rows, page_bytes, most)]

    return asyncio.run(read())


NUMBER = ServerColumn("n", "int8", values.plain("bigint"))
TEXT = ServerColumn("t", "text", values.plain("string"))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 3000), st.integers(50, 1200), st.integers(1000, 20_000))
def test_pages_hold_each_row_once_and_in_order(rows: int, fetch_rows: int, page_bytes: int) -> None:
    result_pages = pages(Rows([NUMBER], [(number,) for number in range(rows)]), fetch_rows, page_bytes)
    assert [json.loads(line)["n"] for page in result_pages for line in page.body.splitlines()] == list(range(rows))
    assert [page.number for page in result_pages] == list(range(1, len(result_pages) + 1))
    assert [page.rows for page in result_pages] == [page.body.count(b"\n") for page in result_pages]
    assert all(page.rows <= fetch_rows for page in result_pages)
    assert all(page.rows for page in result_pages) or rows == 0
    if page_bytes == 20_000:
        assert all(page.rows == fetch_rows for page in result_pages[:-1])


def test_wide_rows_are_asked_for_in_small_batches() -> None:
    result = Rows([TEXT], [("x",)] * 1000 + [("x" * 10_000,)] * 3000)
    pages(result)
    assert max(result.asked) > 500
    assert result.asked[-1] <= 200


def test_page_that_is_too_large_is_refused() -> None:
    with pytest.raises(DataTooLarge, match="fetch_rows"):
        pages(Rows([TEXT], [("x" * 1000,)] * 500), most=200_000)


def test_error_of_the_server_ends_the_pages() -> None:
    with pytest.raises(SourceUnreachable):
        pages(Rows([NUMBER], [(number,) for number in range(1000)], broken_at=2))


def of(convert_: values.Convert, *given_: Any) -> tuple[list[Any], str | None]:
    converted, kind = convert_(given_)
    return list(converted), kind


@given(st.lists(st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=6), min_size=1, max_size=5))
def test_numbers_without_precision_get_a_decimal_that_holds_them(numbers: list[Decimal | None]) -> None:
    texts = [None if number is None else format(number, "f") for number in numbers]
    _, kind = of(values.any_decimals, *texts)
    for text in filter(None, texts):
        assert kind is not None
        assert Decimal(convert(text, kind)) == Decimal(text)
    assert kind is not None or all(text is None for text in texts)


def test_decimals_with_words_are_text() -> None:
    assert of(values.decimals(5, 2), "1.00", "NaN", None) == (["1.00", "NaN", None], "string")
    assert of(values.any_decimals, "-Infinity", "1") == (["-Infinity", "1"], "string")
    assert of(values.decimals(65, 30), "1.50")[1] == "decimal(3,2)"


@given(st.datetimes())
def test_usual_times_are_timestamps(moment: Any) -> None:
    text = moment.isoformat(sep=" ")
    (value,), kind = of(values.timestamps("+00", "Z"), f"{text}+00")
    assert (value, kind) == (f"{moment.isoformat()}Z", "timestamp")
    assert convert(value, "timestamp") == moment.isoformat(sep=" ", timespec="microseconds")


@pytest.mark.parametrize("text", ["infinity", "0044-03-15 12:00:00 BC", "12026-01-01 00:00:00", "0000-00-00 00:00:00"])
def test_times_that_no_timestamp_holds_are_text(text: str) -> None:
    assert of(values.timestamps(), text, "2026-01-31 12:00:00") == ([text, "2026-01-31T12:00:00"], "string")


@given(st.lists(st.none() | st.floats(), max_size=5))
def test_floats_are_kept(numbers: list[float | None]) -> None:
    converted, kind = of(values.doubles, *numbers)
    assert kind == "double"
    for number, value in zip(numbers, converted, strict=True):
        if number is None:
            assert value is None
        else:
            assert repr(float(value)) == repr(number)


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.binary(), max_size=4))
def test_values_of_sqlite_fit_the_type_that_was_observed(given_: list[Any]) -> None:
    converted, kind = of(values.observed, *given_)
    for value in converted:
        if value is not None:
            assert kind is not None
            convert(value, kind)


def test_types_hold_the_values_of_all_pages() -> None:
    days = ServerColumn("d", "date", values.dates)
    sums = ServerColumn("s", "numeric", values.any_decimals)
    nulls = ServerColumn("n", "", values.observed)
    rows = [("2026-01-31", "1.5", None), ("infinity", "10", None)]
    result_pages = pages(Rows([days, sums, nulls], rows), fetch_rows=1)
    assert [page.columns["d"].type for page in result_pages] == ["date", "string"]
    assert column_types([page.columns for page in result_pages]) == {"d": "string", "s": "decimal(38,1)"}
