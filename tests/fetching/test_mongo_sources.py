"""Reading collections over the wire: from the tests' own server, and from that of `MONGO_URI` where it is set.

`PROOF=1` reads a million documents.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import bson
import pymongo
import pymongo.uri_parser
import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.timestamp import Timestamp

from sluice.errors import (
    DataTooLarge,
    SourceRefused,
    SourceUnreachable,
    UnreadableData,
)
from sluice.sources.base import HandOver
from sluice.sources.mongo.pages import Place
from sluice.sources.mongo.reader import read_pages
from support.mongo_order import order
from support.mongo_reading import (
    all_pages,
    documents_of,
    in_loop,
    many,
    measured,
    open_uri,
    read,
    refused,
    source,
    tools,
)
from support.mongo_server import CommandError, DropError, MongoServer

DOCUMENTS = 1_000_000 if os.environ.get("PROOF") else 20_000
MEGABYTES = 200
OIDS = [ObjectId(f"{number:024x}") for number in range(3)]
IDS: list[Any] = [
    MinKey(), None, float("nan"), float("-inf"), -5, 1, Decimal128("1.5"), Int64(2), 2.5, Int64(2**60), "", "a", "b",
    "ä", {}, {"a": 1}, {"a": "x"}, b"aa", b"zz", *OIDS, False, True, bson.DatetimeMS(-1), bson.DatetimeMS(10**14),
    Timestamp(1, 1), MaxKey(),
]  # fmt: skip


@pytest.fixture
def server() -> Iterator[MongoServer]:
    with MongoServer().listening() as server:
        yield server


def fill(uri: str, documents: list[dict[str, Any]]) -> None:
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        client.shop.orders.drop()
        client.shop.orders.insert_many(documents)


@pytest.fixture(params=["own", *(["named"] if "MONGO_URI" in os.environ else [])])
def uri(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URI of the tests' own server; and of another one where the environment names it."""
    if request.param == "named":
        yield os.environ["MONGO_URI"]
        return
    with MongoServer().listening() as server:
        yield open_uri(server.port)


@pytest.mark.parametrize("place", range(len(IDS)))
def test_reading_goes_on_behind_an_id_of_any_type(place: int, uri: str) -> None:
    """MongoDB's `$gt` alone would find only ids of the same type."""
    fill(uri, [{"_id": one, "v": number} for number, one in enumerate(reversed(IDS))])
    using = tools(uri)
    document = source(page_documents=place + 1, projection={"_id": 1})
    first = read(document, using)[0]
    assert len(documents_of([first])) == place + 1
    rest = documents_of(read(document, using, first.place))
    assert [order(one["_id"]) for one in rest] == [order(one) for one in IDS[place + 1 :]]


def test_pages_cover_everything_once_in_the_order_of_the_ids(uri: str) -> None:
    fill(uri, [{"_id": one, "v": number} for number, one in enumerate(reversed(IDS))])
    pages = read(source(page_documents=5, projection={"_id": True, "v": 1}), tools(uri))
    assert [page.rows for page in pages] == [5] * (len(IDS) // 5) + [len(IDS) % 5] * (len(IDS) % 5 > 0)
    assert [one["v"] for one in documents_of(pages)] == list(range(len(IDS) - 1, -1, -1))


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        (None, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 1}),
        ({"a": 0}, {"b": 2}),
        ({"_id": 0}, {"a": 1, "b": 2}),
        ({"_id": 1}, {"_id": 7}),
        ({"_id": True, "b": 1}, {"_id": 7, "b": 2}),
        ({"_id": 1, "b": 0}, {"_id": 7, "a": 1}),
    ],
)
def test_id_is_left_out_unless_it_is_asked_for(
    projection: dict[str, Any] | None, expected: dict[str, Any], uri: str
) -> None:
    fill(uri, [{"_id": 7, "a": 1, "b": 2}])
    assert documents_of(read(source(projection=projection), tools(uri))) == [expected]


def test_filter_is_extended_json_and_holds_behind_a_place_as_well(uri: str) -> None:
    fill(uri, [{"_id": number, "owner": OIDS[number % 2], "at": bson.DatetimeMS(number)} for number in range(10)])
    query = {"owner": {"$oid": str(OIDS[0])}, "at": {"$gte": {"$date": "1970-01-01T00:00:00.002Z"}}}
    pages = read(source(filter=query, page_documents=2, projection={"_id": 1}), tools(uri))
    assert [one["_id"] for one in documents_of(pages)] == [2, 4, 6, 8]
    rest = read(source(filter=query, projection={"_id": 1}), tools(uri), pages[0].place)
    assert [one["_id"] for one in documents_of(rest)] == [6, 8]


@pytest.mark.parametrize("most", [1, 2, 4, 5, 100])
def test_documents_of_one_id_are_not_lost_where_reading_goes_on(server: MongoServer, most: int) -> None:
    """`_id` is not unique in views, time series, and collections whose shards have another key."""
    server.collection("shop.orders").fill([{"_id": number // 3, "n": number} for number in range(12)])
    pages = read(source(page_documents=most), tools(open_uri(server.port)))
    assert [one["n"] for one in documents_of(pages)] == list(range(12))
    for place in range(len(pages)):
        rest = read(source(page_documents=most), tools(open_uri(server.port)), pages[place].place)
        assert [one["n"] for one in documents_of([*pages[: place + 1], *rest])] == list(range(12))


def test_documents_that_share_an_id_need_a_bounded_memory(server: MongoServer) -> None:
    server.collection("shop.orders").fill({**one, "_id": 7} for one in many(300))
    using = tools(open_uri(server.port), mongo_page_bytes=100_000)
    assert "share one _id" in refused(source(page_documents=50), using, DataTooLarge)


def test_documents_larger_than_a_page_are_read_one_by_one(server: MongoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.collection("shop.orders").fill(many(5))
    batch: Any = server._batch
    monkeypatch.setattr(server, "_batch", lambda *args: batch(*args[:3], {**args[3], "batchSize": 1}, args[4]))
    pages = read(source(), tools(open_uri(server.port), mongo_page_bytes=500))
    assert [page.rows for page in pages] == [1] * 5


@pytest.mark.parametrize(
    "batches",
    [
        [[{"_id": 2}, {"_id": 1}]],
        [[{"_id": 1}, {"_id": 2}], [{"_id": 1}]],
        [[{"_id": "a"}, {"_id": 1}]],
        [[{"_id": {"a": 2}}, {"_id": {"a": 1}}]],
    ],
)
def test_server_that_sends_documents_in_another_order_ends_the_run(
    server: MongoServer, batches: list[list[dict[str, Any]]]
) -> None:
    left = list(batches)

    def answer(name: str, command: dict[str, Any]) -> dict[str, Any] | None:
        if name not in ("find", "getMore"):
            return None
        key = "firstBatch" if name == "find" else "nextBatch"
        batch = left.pop(0)
        return {"ok": 1.0, "cursor": {"id": Int64(7 if left else 0), "ns": "shop.orders", key: batch}}

    server.hook = answer
    assert "order of their _id" in refused(source(), tools(open_uri(server.port)), UnreadableData)


def test_server_that_repeats_documents_behind_a_place_ends_the_run(server: MongoServer) -> None:
    server.collection("shop.orders").fill(many(4))
    place = read(source(page_documents=2), tools(open_uri(server.port)))[0].place
    batch = {"id": Int64(0), "ns": "shop.orders", "firstBatch": [{"_id": 1}, {"_id": 2}]}
    server.hook = lambda name, command: {"ok": 1.0, "cursor": batch} if name == "find" else None
    assert "order of their _id" in refused(source(), tools(open_uri(server.port)), UnreadableData, place)


def test_documents_that_are_written_meanwhile_are_not_part_of_a_snapshot(uri: str) -> None:
    fill(uri, [{"_id": number} for number in range(1000)])

    async def work() -> list[int]:
        seen: list[int] = []
        async with aclosing(read_pages(source(page_documents=50, projection={"_id": 1}), tools(uri), Place())) as pages:
            async for page in pages:
                if not seen:
                    with pymongo.MongoClient[dict[str, Any]](uri) as client:
                        client.shop.orders.insert_many([{"_id": -1}, {"_id": 5000}])
                seen += [one["_id"] for one in documents_of([page])]
        return seen

    assert in_loop(work()) == list(range(1000))


def test_a_later_call_goes_on_in_the_same_snapshot(server: MongoServer) -> None:
    uri = open_uri(server.port)
    fill(uri, [{"_id": number} for number in range(10)])
    first = read(source(page_documents=4, projection={"_id": 1}), tools(uri))[0]
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        client.shop.orders.insert_one({"_id": 6.5})
    rest = read(source(projection={"_id": 1}), tools(uri), first.place)
    assert [one["_id"] for one in documents_of(rest)] == list(range(4, 10))
    assert {page.place.snapshot for page in rest} == {first.place.snapshot}


def test_a_query_that_the_server_does_not_know_is_refused_with_its_words(uri: str) -> None:
    fill(uri, [{"_id": 1}])
    assert "$frobnicate" in refused(source(filter={"a": {"$frobnicate": 1}}), tools(uri), SourceRefused)


def test_a_snapshot_that_the_server_has_forgotten_is_followed_by_a_new_one(server: MongoServer) -> None:
    server.collection("shop.orders").fill(many(10))
    uri = open_uri(server.port)
    first = read(source(page_documents=4), tools(uri))[0]
    server.forget_snapshots()
    rest = read(source(), tools(uri), first.place)
    assert sum(page.rows for page in rest) == 6
    assert None not in (rest[0].place.snapshot, first.place.snapshot)
    assert rest[0].place.snapshot != first.place.snapshot


def test_a_server_without_snapshots_is_read_without_one() -> None:
    with MongoServer(replica_set=None).listening() as server:
        server.collection("shop.orders").fill(many(300))
        pages = read(source(page_documents=100), tools(open_uri(server.port)))
    assert [(page.rows, page.place.snapshot) for page in pages] == [(100, None)] * 3
    assert "readConcern" not in server.named("find")[0]


def test_connection_that_breaks_in_the_middle_is_followed_by_another_one(server: MongoServer) -> None:
    server.collection("shop.orders").fill(many(1000))
    left = [3]

    def break_at(name: str, command: dict[str, Any]) -> None:
        if name == "getMore" and left and len(server.named("getMore")) % 2 == 0:
            left[0] -= 1
            if not left[0]:
                left.clear()
            raise CommandError(43, "cursor not found") if len(left) else DropError

    server.hook = break_at
    pages = read(source(page_documents=100, projection={"n": 1}), tools(open_uri(server.port)))
    assert [one["n"] for one in documents_of(pages)] == list(range(1000))
    assert len({page.place.snapshot for page in pages}) == 1
    assert len(server.named("find")) == 4


def test_server_that_always_breaks_is_given_up(server: MongoServer) -> None:
    server.collection("shop.orders").fill(many(10))

    def drop(name: str, command: dict[str, Any]) -> None:
        if name == "find":
            raise DropError

    server.hook = drop
    told = refused(source(), tools(open_uri(server.port), fetch_attempts=3), SourceUnreachable)
    assert "after 3 tries" in told
    assert len(server.named("find")) == 3


def test_too_little_time_ends_a_call_with_whole_pages(server: MongoServer) -> None:
    server.collection("shop.orders").fill(many(1000))
    kept: list[int] = []

    async def work() -> Place:
        left = lambda: 900.0 if len(server.named("getMore")) < 3 else 1.0  # noqa: E731
        place = Place()
        async with aclosing(read_pages(source(), tools(open_uri(server.port), seconds_left=left), place)) as pages:
            try:
                async for page in pages:
                    place = page.place
                    kept.append(page.rows)
            except HandOver:
                return place
        raise AssertionError("it ended")

    place = in_loop(work())
    rest = read(source(), tools(open_uri(server.port)), place)
    assert 0 < sum(kept) < 1000
    assert sum(kept) + sum(page.rows for page in rest) == 1000
    assert server.open_cursors == 0


def test_page_ends_once_it_has_so_many_bytes(server: MongoServer) -> None:
    server.collection("shop.orders").fill(many(3000))
    pages = read(source(), tools(open_uri(server.port), mongo_page_bytes=500_000))
    assert len(pages) >= 3
    assert all(500_000 <= len(page.body) < 3_500_000 for page in pages[:-1])
    assert sum(page.rows for page in pages) == 3000


@pytest.mark.proof
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak memory")
def test_large_collection_streams_in_bounded_memory(server: MongoServer) -> None:
    """All documents together have 20 MB, with `PROOF=1` a gigabyte."""
    server.collection("shop.orders").fill(many(DOCUMENTS))
    rows, megabytes = measured(open_uri(server.port))
    print(f"{rows} documents, {megabytes} MB resident")  # noqa: T201 - the proof's numbers
    assert rows == DOCUMENTS
    assert megabytes < MEGABYTES


def test_reading_may_end_before_the_documents_do(server: MongoServer) -> None:
    server.collection("shop.orders").fill(many(1000))

    async def first() -> int:
        async with aclosing(read_pages(source(page_documents=10), tools(open_uri(server.port)), Place())) as pages:
            return (await anext(pages)).rows

    assert in_loop(first()) == 10
    assert server.open_cursors == 0
    assert in_loop(all_pages(source(filter={"n": -1}), tools(open_uri(server.port)))) == []
