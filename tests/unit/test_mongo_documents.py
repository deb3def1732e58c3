"""Documents as Extended JSON and as plain JSON: nothing is lost on a page, and each type becomes what docs say."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import bson
import orjson
import pytest
from bson.binary import Binary
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.json_util import JSONMode, JSONOptions, loads
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.page_columns import column_types
from sluice.errors import UnreadableData
from sluice.formats.extended_json import MEDIA_TYPE, plain_lines, time_text
from sluice.formats.limits import Limits
from sluice.settings import Settings
from sluice.sources.mongo.columns import ColumnTally
from sluice.sources.mongo.documents import decimal_text, lines_of, query_of, text_of, value_of
from sluice.sources.mongo.order import after
from support.mongo_order import matches, order

CODEC: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
READING = JSONOptions(json_mode=JSONMode.CANONICAL, datetime_conversion=DatetimeConversion.DATETIME_MS)
LIMITS = Limits.of(Settings())
NAMES = st.text(st.characters(exclude_characters="\0$", exclude_categories=["Cs"]), max_size=5)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1).map(Int64),
    # Extended JSON has one NaN: its sign is lost, and the server compares all as equal.
    st.floats().map(lambda value: float("nan") if math.isnan(value) else value),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(min_size=12, max_size=12).map(ObjectId),
    st.integers(-(2**63), 2**63 - 1).map(DatetimeMS),
    st.decimals(places=3, allow_nan=False, min_value=-(10**9), max_value=10**9).map(Decimal128),
    st.sampled_from(["NaN", "Infinity", "-Infinity", "-0", "0.000"]).map(Decimal128),
    st.integers(-6000, 6000).map(lambda power: Decimal128(f"7E{power}")),
    st.binary(max_size=9),
    st.builds(Binary, st.binary(min_size=16, max_size=16), st.sampled_from([3, 4, 5, 128])),
    st.builds(Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    st.builds(Regex, st.sampled_from(["^a", "b/c"]), st.sampled_from(["", "i", "mx"])),
    st.builds(Code, st.just("f()"), st.sampled_from([None, {"a": 1}])),
    st.just(MinKey()),
    st.just(MaxKey()),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=6)


def plain(lines: bytes) -> list[Any]:
    with plain_lines(io.BytesIO(lines), MEDIA_TYPE, LIMITS) as content:
        return [orjson.loads(line) for line in content.read().splitlines()]


def types_of(documents: list[dict[str, Any]]) -> dict[str, str]:
    tally = ColumnTally()
    tally.add(documents)
    return column_types([tally.columns()])


@given(st.lists(DOCUMENTS, min_size=1, max_size=4))
def test_documents_are_read_from_a_page_byte_for_byte(documents: list[dict[str, Any]]) -> None:
    received = [bson.decode(bson.encode(document), codec_options=CODEC) for document in documents]
    lines = lines_of(received).splitlines()
    again = [loads(line, json_options=READING) for line in lines]
    assert [bson.encode(document) for document in again] == [bson.encode(document) for document in received]


@given(st.lists(DOCUMENTS, min_size=1, max_size=4))
def test_every_document_has_a_plain_form_and_types(documents: list[dict[str, Any]]) -> None:
    received = [bson.decode(bson.encode(document), codec_options=CODEC) for document in documents]
    assert [list(document) for document in plain(lines_of(received))] == [list(document) for document in received]
    types_of(received)


@given(st.lists(DOCUMENTS, min_size=1, max_size=4))
def test_tally_reports_doubles_that_are_not_finite(documents: list[dict[str, Any]]) -> None:
    received = [bson.decode(bson.encode(document), codec_options=CODEC) for document in documents]
    assert lines_of(received, odd=ColumnTally().add(received)) == lines_of(received)


@given(st.binary(min_size=16, max_size=16).map(Decimal128.from_bid))
def test_text_of_any_decimal_equals_str(value: Decimal128) -> None:
    assert decimal_text(value) == str(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_text_of_a_common_decimal_equals_str(number: Decimal) -> None:
    for value in (Decimal128(number), Decimal128(number.scaleb(-6)), Decimal128(number.scaleb(9))):
        assert decimal_text(value) == str(value)


@given(SCALARS)
def test_id_is_read_back_from_a_position(value: Any) -> None:
    (received,) = bson.decode(bson.encode({"_id": value}), codec_options=CODEC).values()
    assert bson.encode({"_id": value_of(text_of(received))}) == bson.encode({"_id": received})


IDS = SCALARS.filter(lambda value: not isinstance(value, Regex | Code)) | st.dictionaries(NAMES, st.integers(0, 9))


@given(IDS, st.lists(IDS, max_size=8))
def test_filter_after_an_id_follows_the_order_of_the_server(last: Any, others: list[Any]) -> None:
    behind = [other for other in others if order(other) > order(last)]
    assert [other for other in others if matches(after(last), {"_id": other})] == behind


def test_each_type_has_its_plain_form_and_column_type() -> None:
    document = {
        "int": 7,
        "long": Int64(2**53 + 1),
        "double": 7.0,
        "nan": float("nan"),
        "decimal": Decimal128("1.50"),
        "exponent": Decimal128("1.5E+3"),
        "huge": Decimal128("1E+40"),
        "text": "007",
        "flag": True,
        "null": None,
        "at": DatetimeMS(1_769_853_600_123),
        "early": DatetimeMS(-62_198_755_200_000),
        "oid": ObjectId("5f0000000000000000000001"),
        "bytes": b"\x00\xff",
        "uuid": Binary(bytes(range(16)), 4),
        "list": [1, Decimal128("0.10"), DatetimeMS(0), ObjectId("5f0000000000000000000001")],
        "address": {"city": "Ulm", "since": DatetimeMS(0), "geo": {"lat": Decimal128("48.4")}},
        "empty": {},
        "stamp": Timestamp(1, 2),
    }
    line = lines_of([document])
    assert b'"exponent":{"$numberDecimal":"1.5E+3"}' in line
    with plain_lines(io.BytesIO(line), MEDIA_TYPE, LIMITS) as content:
        text = content.read()
    assert b'"decimal":1.50,"exponent":1500,' in text
    assert b'"list":[1,0.10,"1970-01-01T00:00:00Z","5f0000000000000000000001"]' in text
    values = orjson.loads(text)
    assert values["long"] == 2**53 + 1
    assert (values["nan"], values["huge"], values["bytes"]) == ("NaN", "1E+40", "AP8=")
    assert values["uuid"] == "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert (values["at"], values["early"]) == ("2026-01-31T10:00:00.123Z", "-000001-01-01T00:00:00Z")
    assert values["stamp"] == {"$timestamp": {"t": 1, "i": 2}}
    assert types_of([document]) == {
        "int": "bigint", "long": "bigint", "double": "double", "nan": "double", "decimal": "decimal(38,2)",
        "exponent": "decimal(38,0)", "huge": "string", "text": "string", "flag": "boolean", "at": "timestamp",
        "early": "string", "oid": "string", "bytes": "string", "uuid": "string", "list": "json",
        "address_city": "string", "address_since": "timestamp", "address_geo_lat": "decimal(38,1)", "empty": "json",
        "stamp": "json",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, Int64(2)], "bigint"),
        ([1, 2.5], "double"),
        ([Int64(2**60), 2.5], "json"),
        ([1, "a"], "json"),
        ([ObjectId(), "a"], "string"),
        ([DatetimeMS(0), "a"], "json"),
        ([DatetimeMS(0), DatetimeMS(10**16)], "string"),
        ([Decimal128("1.5"), Decimal128("NaN")], "string"),
        ([Decimal128("1.5"), 7], "decimal(20,1)"),
        ([[], "a"], "json"),
        ([True, 1], "json"),
    ],
)
@pytest.mark.parametrize("pages", [1, 2])
def test_type_of_mixed_values_is_independent_of_pages(values: list[Any], expected: str, pages: int) -> None:
    tallies = [ColumnTally() for _ in range(pages)]
    for number, value in enumerate(values):
        tallies[number % pages].add([{"v": value}])
    assert column_types([tally.columns() for tally in tallies]) == {"v": expected}


def test_columns_of_later_pages_are_included() -> None:
    first, second = ColumnTally(), ColumnTally()
    first.add([{"a": 1}])
    second.add([{"b": DatetimeMS(0)}])
    assert column_types([first.columns(), second.columns()]) == {"a": "bigint", "b": "timestamp"}


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_text_of_a_time(milliseconds: int) -> None:
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert datetime.fromisoformat(time_text(milliseconds)) == expected


@pytest.mark.parametrize(
    "line",
    [b'{"a":{"$oid":7}}\n', b'{"a":{"$date":"x"}}\n', b'{"a":{"$numberLong":"x"}}\n', b'{"a":{"$oid":"x","b":1}}\n'],
)
def test_document_that_resembles_a_type_is_not_converted(line: bytes) -> None:
    assert plain(line) == [orjson.loads(line)]


@pytest.mark.parametrize("line", [b'{"a":{"$oid":', b'{"$' + b"[" * 5000])
def test_broken_line_is_reported(line: bytes) -> None:
    with pytest.raises(UnreadableData, match="Line 1"):
        plain(line)


def test_pages_of_other_media_types_are_not_converted() -> None:
    content = io.BytesIO(b'{"a":{"$oid":"x"}}')
    with plain_lines(content, "application/x-ndjson", LIMITS) as same:
        assert same is content


@pytest.mark.parametrize("query", [{"$oid": "5f0000000000000000000001"}, {"a": 2**63}, {"a": {"$oid": "5f"}}])
def test_query_without_a_form_in_bson_ends_the_run(query: dict[str, Any]) -> None:
    with pytest.raises(UnreadableData, match="not Extended JSON"):
        query_of(query)


@pytest.mark.parametrize(
    "value",
    [
        {"$numberInt": "9" * 400},
        {"$numberLong": 7},
        {"$numberDouble": "1e999"},
        {"$numberDouble": [1]},
        {"$numberDecimal": "x"},
        {"$date": 1},
        {"$oid": 5},
        {"$uuid": "x"},
        {"$binary": {"base64": "AAAAAAAAAAAAAAAAAAAAAAA=", "subType": "04"}},
        {"$binary": 5},
        {"$regularExpression": 5},
    ],
)
def test_fields_that_only_look_like_extended_json_stay_as_they_are(value: dict[str, Any]) -> None:
    """MongoDB 5.0 and newer stores fields whose names begin with `$`."""
    line = lines_of([{"v": value}])
    with plain_lines(io.BytesIO(line), MEDIA_TYPE, LIMITS) as plain:
        assert orjson.loads(plain.read()) == {"v": value}
