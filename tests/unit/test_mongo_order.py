"""The order of `_id` across types, and documents that share one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from bson.binary import Binary
from bson.datetime_ms import DatetimeMS
from bson.dbref import DBRef
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.timestamp import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from sluice.errors import UnreadableData
from sluice.sources.mongo.groups import IdGroups
from sluice.sources.mongo.order import is_order_certain, sort_key

ASCENDING: list[Any] = [
    MinKey(), None, float("nan"), float("-inf"), -5, 1, Decimal128("1.5"), Int64(2), 2.5, Int64(2**60), float("inf"),
    "", "a", "b", "ä", {}, {"a": 1}, {"a": 1, "b": 1}, {"a": 2}, {"b": 1}, DBRef("a", 1), {"a": "x"}, b"aa", b"zz",
    Binary(b"aa", 4), b"aaa", ObjectId(b"0" * 12), ObjectId(b"1" * 12), False, True, DatetimeMS(-1),
    DatetimeMS(10**14), Timestamp(1, 1), Timestamp(1, 2), MaxKey(),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), list(pairwise(ASCENDING)))
def test_values_compare_as_the_server_sorts_them(first: Any, second: Any) -> None:
    if isinstance(second, Binary):
        assert sort_key(b"zz") < sort_key(second)
    assert sort_key(first) < sort_key(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [(1, Int64(1)), (1, 1.0), (Decimal128("1.00"), 1), (0.0, -0.0), (b"a", Binary(b"a", 0)), ({"a": 1}, {"a": 1.0})],
)
def test_values_that_the_server_takes_for_equal_have_one_key(first: Any, second: Any) -> None:
    assert sort_key(first) == sort_key(second)


@pytest.mark.parametrize(
    ("first", "second", "certain"),
    [(2, 1, True), ("b", "a", False), ("b", 1, True), ({"a": "b"}, {"a": "a"}, False), ([1], 1, False)],
)
def test_order_of_text_and_of_arrays_is_not_certain(first: Any, second: Any, certain: bool) -> None:
    assert is_order_certain(first, second) is certain


@given(
    counts=st.lists(st.integers(1, 4), max_size=12),
    kind=st.sampled_from([int, Int64, float, "{:03}".format]),
    sizes=st.lists(st.integers(1, 5), min_size=1),
)
def test_groups_of_one_id_come_whole_and_in_order_however_they_arrive(
    counts: list[int], kind: Any, sizes: list[int]
) -> None:
    ids = [kind(number) for number, count in enumerate(counts) for _ in range(count)]
    documents = [{"_id": one, "n": number} for number, one in enumerate(ids)]
    given_back: list[Any] = []
    groups, position, turn = IdGroups(None, 10**6), 0, 0
    while position < len(documents):
        size = sizes[turn % len(sizes)]
        complete = groups.add(documents[position : position + size])
        assert not complete or complete[-1]["_id"] != documents[len(given_back) + len(complete)]["_id"]
        given_back += complete
        position, turn = position + size, turn + 1
    assert [*given_back, *groups.rest()] == documents
    assert groups.has_repeats is (len(set(ids)) < len(ids))
    assert not groups.has_doubtful_order


@given(st.lists(st.integers(0, 20), min_size=2), st.integers(1, 5))
def test_any_descent_is_found(ids: list[int], size: int) -> None:
    groups = IdGroups(None, 10**6)
    documents = [{"_id": one} for one in ids]
    found = False
    for start in range(0, len(documents), size):
        try:
            groups.add(documents[start : start + size])
        except UnreadableData:
            found = True
            break
    assert found is (ids != sorted(ids))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8).map(sorted), st.integers(1, 8))
def test_a_page_ends_behind_all_documents_of_its_last_id(ids: list[int], at_least: int) -> None:
    groups = IdGroups(None, 10**6)
    documents = [*groups.add([{"_id": one} for one in ids]), *groups.rest()]
    end = groups.end_of_group(documents, at_least)
    assert end >= min(at_least, len(ids))
    assert end == len(ids) or ids[end - 1] != ids[end]
