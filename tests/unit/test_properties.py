"""Rules that hold for all values: conversions lose nothing, merges depend on no order.

`PROOF=1` tries a hundred times as many.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import re
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sluice.access.cursors import Cursors
from sluice.domain.base import merge_patch
from sluice.domain.datasource.http_source import OffsetPagination
from sluice.domain.json_text import depth, depth_of_text, dumps, loads, loads_with_digits, may_lose_digits
from sluice.domain.names import is_slug, slug_of, sql_name_of
from sluice.domain.schema import Column, JsonTypeGuess, common_type, convert, duckdb_type
from sluice.domain.text_types import TextTypeGuess
from sluice.domain.text_values import loses_digits
from sluice.errors import Invalid
from sluice.reads.request import data_request
from sluice.sources.http.pagination import End, PageFacts
from sluice.sources.http.positional_pages import OffsetPages

SIZE = 100 if os.environ.get("PROOF") else 1
MANY = settings(max_examples=60 * SIZE, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(max_examples=12 * SIZE, deadline=None, suppress_health_check=list(HealthCheck))

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@MANY
@given(values)
def test_json_numbers_of_any_size_round_trip(value: Any) -> None:
    assert loads(dumps(value)) == value
    assert depth(value) <= dumps(value).count(b"[") + dumps(value).count(b"{")


# Brackets, quotation marks and backslashes in strings are what a text's depth could be misjudged by.
marked = st.recursive(
    st.text('[]{}"\\a', max_size=4) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('[{"\\a', max_size=3), inner, max_size=3),
)


@MANY
@given(marked | values, st.booleans())
def test_depth_of_text_equals_depth_of_value(value: Any, spaced: bool) -> None:
    text = json.dumps(value, indent=1).encode() if spaced else dumps(value)
    levels = depth_of_text(text, 200)
    assert levels in (depth(value), None)
    assert levels is not None or re.search(rb'"[^"]*[][{}]', text)


def test_depth_of_text_is_capped() -> None:
    assert depth_of_text(b"[" * 300 + b"]" * 300, 200) == 201
    assert depth_of_text(b"[" * 200 + b"]" * 200, 200) == 200


# orjson refuses numbers beyond the range of doubles.
number_texts = st.from_regex(r"-?(0|[1-9][0-9]{0,70})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?", fullmatch=True).filter(
    lambda text: not math.isinf(float(text))
)
blanks = st.sampled_from(["", " ", "\n", "\t", "\r\n", "  "])


@MANY
@given(
    st.lists(st.tuples(blanks, number_texts | st.from_regex(r"\"[-0-9a-f: .e+]{0,40}\"", fullmatch=True)), max_size=5)
)
def test_numbers_among_numeric_strings_keep_their_digits(found: list[tuple[str, str]]) -> None:
    text = "[" + ",".join(blank + value for blank, value in found) + "]"
    for said in (text, f'{{"a":{text}}}', found[0][1] if found else "0"):
        read = loads_with_digits(said.encode())
        exact = json.loads(said, parse_float=lambda number: Decimal(number) if loses_digits(number) else float(number))
        assert repr(read) == repr(exact)


@pytest.mark.parametrize(
    ("text", "doubtful"),
    [
        ('{"revision": "3e123f08", "id": "550e8400-e29b-41d4-a716-446655440000", "n": 1.5}', False),
        ('["12345678901234567890", "1e400"]', False),
        ('{"revision": "3e123f08", "n": 1e-400}', True),
        ('{"a":"12345678901234567890","n":12345678901234567.5}', True),
        ("-1E+400", True),
        ("0" * 100 + "e400", True),
    ],
)
def test_only_numbers_need_exact_parsing(text: str, doubtful: bool) -> None:
    """Reading numbers exactly takes five times as long, and strings of hexadecimal digits are common."""
    assert may_lose_digits(text.encode()) is doubtful


LONG_NUMBER = re.compile(rb"(?:\A|[:,\[ \n\t\r])[-+]?[0-9.]*(?:[0-9.]{17}|[0-9.][eE][-+]?[0-9.]{3})")


@MANY
@given(
    st.lists(st.sampled_from(["0", "12", "345", "6" * 17, ".", "e", "E", "+", "-", '"', ",", ":", "[", " ", "\n", "a"]))
)
def test_long_numbers_are_those_that_a_plain_pattern_matches(parts: list[str]) -> None:
    text = "".join(parts).encode()
    assume(not re.search(rb"[0-9.]{64}", text))  # what is longer counts as one wherever it is
    assert may_lose_digits(text) is bool(LONG_NUMBER.search(text))


def plain_depth(text: str) -> int | None:
    """The depth as a reader of characters counts it; none where a string has a bracket."""
    depth = deepest = 0
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|[][{}]', text):
        if len(token) > 1:
            if re.search(r"[][{}]", token):
                return None
        else:
            depth += 1 if token in "[{" else -1
            deepest = max(deepest, depth)
    return deepest


@MANY
@given(marked | values, st.booleans())
def test_depth_of_text_equals_a_simple_count(value: Any, spaced: bool) -> None:
    text = json.dumps(value, indent=1).encode() if spaced else dumps(value)
    assert depth_of_text(text, 200) == plain_depth(text.decode())


@MANY
@given(st.lists(scalars))
def test_every_value_fits_the_inferred_type(found: list[Any]) -> None:
    guess = JsonTypeGuess()
    for value in found:
        guess.observe(value)
    for value in found:
        stored = convert(value, guess.type)
        if value is None:
            assert stored is None
        elif guess.type == "json":
            assert json.loads(stored) == value
        elif guess.type.startswith("decimal"):
            assert Decimal(stored) == value
        else:
            assert stored == value or math.isclose(stored, value)


@MANY
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(),
            st.integers(-(10**20), 10**20).map(str),
            st.floats(allow_nan=False).map(repr),
            st.dates().map(str),
            st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
            st.sampled_from(
                [
                    "007",
                    "-0",
                    "NA",
                    "12,50",
                    "1.234,5",
                    "0,1",
                    "1,234",
                    "1e5",
                    "1e-99999999999999999999",
                    "9" * 5000,
                    "true",
                    "1.10",
                    "1,5",
                    " 1",
                    "+1",
                ]
            ),
        )
    )
)
def test_text_is_converted_only_without_loss(found: list[str | None]) -> None:
    guess = TextTypeGuess()
    for value in found:
        guess.observe(value)
    reading = guess.reading(guess.type)
    for text in found:
        if text is None or text in reading.words:
            continue
        plain = (reading.plain(text) or "").strip()
        stored = convert(reading.plain(text), guess.type)
        if guess.type == "bigint":
            assert str(stored) == plain.removeprefix("+")
        elif guess.type == "double" and isinstance(stored, float):
            assert not loses_digits(plain)
        elif guess.type == "double":
            assert math.isinf(float(plain)) or math.isnan(float(plain))
        elif guess.type == "string":
            assert stored == text
        elif guess.type == "date":
            assert [int(part) for part in str(stored).split("-")] == [int(part) for part in re.split("[-/]", plain)]
        else:
            assert str(stored)[:10].lower() == plain[:10].lower() or guess.type == "timestamp"


@MANY
@given(
    scalars | st.text(),
    st.sampled_from(["string", "bigint", "double", "boolean", "date", "timestamp", "json", "decimal(38,9)"]),
)
def test_conversion_gives_what_duckdb_accepts_or_raises(value: Any, kind: str) -> None:
    try:
        stored = convert(value, kind)
    except ValueError:
        return
    ((found,),) = duckdb.execute(f"SELECT ?::{duckdb_type(kind)}", [stored]).fetchall()
    assert (found is None) == (value is None)


@MANY
@given(
    st.lists(
        st.sampled_from(["bigint", "double", "string", "json", "date", "timestamp", "decimal(10,2)", "decimal(38,0)"]),
        min_size=1,
    )
)
def test_common_type_is_independent_of_order(types: list[str]) -> None:
    assert {common_type(list(order)) for order in itertools.islice(itertools.permutations(types), 24)} == {
        common_type(types)
    }
    assert common_type([common_type(types), *types]) == common_type(types)


@MANY
@given(st.text())
def test_derived_slug_is_valid_and_names_a_table(name: str) -> None:
    slug = slug_of(name)
    if slug:
        assert is_slug(slug)
        assert sql_name_of(slug).isidentifier()


@MANY
@given(values, values)
def test_merge_patch_is_idempotent_and_changes_no_input(target: Any, patch: Any) -> None:
    before = json.dumps([target, patch])
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once
    assert json.dumps([target, patch]) == before


@MANY
@given(st.binary(min_size=16, max_size=32), values, values, st.integers(0, 200), st.characters(codec="ascii"))
def test_a_cursor_opens_only_whole_and_only_where_it_belongs(
    key: bytes, bound: Any, position: Any, at: int, other: str
) -> None:
    cursors = Cursors(key)
    try:
        sealed = cursors.seal(bound, position)
    except TypeError:
        return  # a number beyond 64 bits is no position
    assert cursors.open(bound, sealed) == position
    forged = sealed[: at % len(sealed)] + other + sealed[at % len(sealed) + 1 :]
    for wrong, where in ((forged, bound), (sealed, [bound, 1])):
        if wrong != sealed or where is not bound:
            try:
                assert cursors.open(where, wrong) == position
                assert where is bound, "it belongs to another list"
            except Invalid:
                pass


@MANY
@given(st.integers(0, 60), st.integers(1, 20), st.integers(-3, 3), st.booleans())
def test_offset_pages_give_every_record_once_and_claim_only_what_is_proven(
    count: int, limit: int, lie: int, told: bool
) -> None:
    spec = OffsetPagination(
        type="offset", offset_param="o", limit_param="l", limit=limit, total="total" if told else None
    )
    pages, total = OffsetPages(spec), count + lie
    state, got = pages.first_state(), []
    for _ in range(200):
        offset = int(pages.parameters(state).params["o"])
        page = list(range(count))[offset : offset + limit]
        got += page
        following = pages.next_state(state, PageFacts({"total": total}, len(page)))
        if isinstance(following, End):
            break
        state = following
    else:
        raise AssertionError("it never ends")
    if following.completeness == "complete":
        assert told
        assert total == len(got)
    assert got == list(range(len(got))), "every record once and in order"
    if lie == 0 or not told:
        assert len(got) == count


@MANY
@given(st.text(), st.text(), st.text())
def test_no_request_for_data_breaks_anything(select: str, where: str, order: str) -> None:
    columns = [Column(name="a", type="bigint"), Column(name='b"', type="string"), Column(name="c.eq", type="timestamp")]
    try:
        data_request(columns, select, [where], order)
    except Invalid as invalid:
        assert invalid.errors or "separated by commas" in invalid.detail
