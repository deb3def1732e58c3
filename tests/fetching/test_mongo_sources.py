"""Reading collections over the wire: from the tests' own server, and from that of `MONGO_URI` where it is set.

`PROOF=1` reads a million documents.
"""

from __future__ import annotations

import os
import socket
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

from sluice.domain.credential_names import MASK
from sluice.errors import (
    AddressForbidden,
    DataTooLarge,
    RunError,
    SecretUnusable,
    SourceRefused,
    SourceUnreachable,
    UnreadableData,
)
from sluice.sources.address import AddressPolicy
from sluice.sources.base import HandOver
from sluice.sources.mongo.pages import Place
from sluice.sources.mongo.reader import read_pages
from support.certificates import Certificate
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
    uri_of,
)
from support.mongo_server import PASSWORD, CommandError, DropError, MongoServer, tls_context

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


def test_right_password_is_taken_and_a_wrong_one_is_told_of_without_it(certificate: Certificate) -> None:
    with MongoServer(authenticated=True).listening() as server:
        server.collection("shop.orders").fill(many(3))
        assert read(source(), tools(uri_of(server.port)))[0].rows == 3
        told = refused(source(), tools(uri_of(server.port, password="wr0ng-pa55")), SourceRefused)
    assert "Authentication failed" in told
    assert "wr0ng" not in told


def test_secret_is_masked_where_a_server_repeats_it() -> None:
    with MongoServer(authenticated=True).listening() as server:
        uri = uri_of(server.port)
        quoted = uri.partition("@")[0].rpartition(":")[2]
        answer = {"ok": 0.0, "code": 2, "errmsg": f"bad {PASSWORD} {uri} {quoted}"}
        server.hook = lambda name, command: answer if name == "find" else None
        told = refused(source(), tools(uri), SourceRefused)
    assert "bad" in told
    assert PASSWORD not in told
    assert quoted not in told


def test_certificate_is_verified_for_the_host(certificate: Certificate) -> None:
    with MongoServer().listening(tls_context(certificate.file, certificate.key)) as server:
        server.collection("shop.orders").fill(many(3))
        trusted = source(ca_certificate=certificate.file.read_text())
        assert read(trusted, tools(open_uri(server.port, "")))[0].rows == 3
        assert "certificate" in refused(source(), tools(open_uri(server.port, ""), fetch_attempts=1), SourceUnreachable)
        by_address = open_uri(server.port, "").replace("localhost", "127.0.0.1")
        told = refused(trusted, tools(by_address, fetch_attempts=1), SourceUnreachable)
        assert "not valid for this host" in told


def test_connection_is_encrypted_unless_the_uri_says_otherwise(server: MongoServer) -> None:
    using = tools(open_uri(server.port, ""), fetch_attempts=1, mongo_connect_seconds=2.0)
    assert "tls=false" in refused(source(), using, SourceUnreachable)
    assert not server.commands


def test_private_addresses_are_refused_without_naming_the_host(server: MongoServer) -> None:
    told = refused(source(), tools(open_uri(server.port), AddressPolicy()), AddressForbidden)
    assert "PRIVATE_NETWORKS" in told
    assert "localhost" not in told
    assert not server.commands


def test_hosts_that_a_server_announces_are_not_connected_to(server: MongoServer) -> None:
    server.collection("shop.orders").fill(many(3))
    with socket.socket() as trap:
        trap.bind(("127.0.0.1", 0))
        trap.listen()
        trap.setblocking(False)
        port = trap.getsockname()[1]
        server.more_of_hello = {
            "hosts": [f"localhost:{port}"],
            "primary": f"localhost:{port}",
            "me": f"localhost:{port}",
        }
        assert read(source(), tools(open_uri(server.port)))[0].rows == 3
        assert read(source(), tools(open_uri(server.port, "tls=false&replicaSet=rs0")))[0].rows == 3
        with pytest.raises(BlockingIOError):
            trap.accept()


def test_read_preference_chooses_among_the_hosts_of_the_uri() -> None:
    with MongoServer().listening() as primary, MongoServer().listening() as secondary:
        secondary.more_of_hello = {"isWritablePrimary": False, "secondary": True}
        primary.collection("shop.orders").fill(many(1))
        secondary.collection("shop.orders").fill(many(2))
        hosts = f"localhost:{secondary.port},localhost:{primary.port}"
        expected = {"primary": 1, "primaryPreferred": 1, "secondary": 2, "secondaryPreferred": 2, "nearest": 2}
        for preference, rows in expected.items():
            uri = f"mongodb://{hosts}/?tls=false&replicaSet=rs0&readPreference={preference}"
            assert read(source(), tools(uri))[0].rows == rows, preference
        alone = open_uri(secondary.port, "tls=false&replicaSet=rs0")
        assert "read preference is primary" in refused(source(), tools(alone, fetch_attempts=1), SourceUnreachable)
        assert read(source(), tools(open_uri(secondary.port)))[0].rows == 2, "a host alone is read whatever it is"


def test_host_that_is_down_is_left_out(server: MongoServer) -> None:
    server.collection("shop.orders").fill(many(1))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"mongodb://localhost:{closed.getsockname()[1]},localhost:{server.port}/?tls=false"
        assert read(source(), tools(uri, mongo_connect_seconds=1.0))[0].rows == 1


def test_srv_record_names_the_hosts(server: MongoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.collection("shop.orders").fill(many(1))
    found = {"nodelist": [("localhost", server.port)], "username": None, "password": None, "database": None}
    asked: list[str] = []

    def parsed(uri: str, **_: Any) -> dict[str, Any]:
        asked.append(uri)
        return {**found, "options": {"tls": False, "replicaSet": "rs0"}}

    monkeypatch.setattr("sluice.sources.mongo.uri.parse_uri", parsed)
    assert read(source(), tools("mongodb+srv://shop.example.com/"))[0].rows == 1
    assert asked == ["mongodb+srv://shop.example.com/"]
    assert "private network" in refused(
        source(), tools("mongodb+srv://shop.example.com/", AddressPolicy()), AddressForbidden
    )


@pytest.mark.parametrize(
    "uri",
    [
        "not a uri",
        "https://user:s3cr3t@example.com/",
        "mongodb://user:s3cr3t@:x@h/",
        "mongodb://user:s3cr3t@example.com:99999/",
        "mongodb://user:s3cr3t@%2Ftmp%2Fmongodb.sock/",
        "mongodb://user:s3cr3t@example.com/?tlsCAFile=/etc/passwd",
        "mongodb://user:s3cr3t@example.com/?tlsCertificateKeyFile=/proc/self/environ",
        "mongodb://user:s3cr3t@example.com/?authMechanism=MONGODB-AWS",
        "mongodb://user:s3cr3t@example.com/?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:azure",
        "mongodb://user:s3cr3t@example.com/?authMechanism=PLAIN&authSource=$external",
        "mongodb://user:s3cr3t@example.com/?unknownOption=s3cr3t",
        "mongodb://user:x/?s3cr3t=y@example.com/",
        "mongodb+srv://shop.example.com#@s3cr3t.example.net/",
    ],
)
def test_uris_that_lead_elsewhere_are_refused_without_quoting_them(uri: str) -> None:
    told = refused(source(), tools(uri), SecretUnusable)
    assert "s3cr3t" not in told
    assert "'where'" in told


@pytest.mark.parametrize("option", ["unknownOption=1", "tlsCAFile=/etc/passwd", "tlsCAFile=/no/such/file"])
def test_option_that_is_unknown_or_not_supported_is_named(option: str) -> None:
    told = refused(source(), tools(f"mongodb://example.com/?tls=true&{option}"), SecretUnusable)
    assert f"the option {option.partition('=')[0]}, which is unknown or not supported" in told


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": 1.0},
        {"ok": 1.0, "cursor": ["id", "firstBatch"]},
        {"ok": 1.0, "cursor": {"id": Int64(0), "firstBatch": 7, "ns": "x"}},
        {"ok": 1.0, "cursor": {"id": Int64(0), "firstBatch": ["_id"], "ns": "x"}},
        {"ok": 1.0, "cursor": {"id": Int64(0), "firstBatch": [["_id"]], "ns": "x"}},
        {"ok": 1.0, "cursor": {"id": Int64(0), "firstBatch": {"_id": 1}, "ns": "x"}},
        {"ok": 1.0, "cursor": {"id": "x", "firstBatch": [{"_id": 1}], "ns": "x"}},
        {"ok": 1.0, "cursor": {"id": {}, "firstBatch": [{"_id": 1}], "ns": "x"}},
        {"ok": 0.0, "code": [1], "errmsg": 5},
        {"ok": 0.0, "code": {"a": 1}},
        {"ok": "no"},
        {"ok": 1.0, "cursor": {"id": Int64(0), "firstBatch": [{"a": 1}], "ns": "x"}},
    ],
)
def test_answers_of_a_hostile_server_end_the_run_with_its_reason(answer: dict[str, Any], server: MongoServer) -> None:
    server.hook = lambda name, command: answer if name == "find" else None
    assert "server" in refused(source(), tools(open_uri(server.port)), UnreadableData)


@pytest.mark.parametrize(
    "more",
    [
        {"maxMessageSizeBytes": "x"},
        {"maxBsonObjectSize": -1},
        {"logicalSessionTimeoutMinutes": "x"},
        {"hosts": 5},
        {"maxWireVersion": 2, "minWireVersion": 0},
    ],
)
def test_server_that_says_odd_things_of_itself_ends_the_run_without_naming_it(
    server: MongoServer, more: dict[str, Any]
) -> None:
    server.more_of_hello = more
    with pytest.raises(RunError) as raised:
        read(source(), tools(open_uri(server.port), mongo_connect_seconds=1.0))
    assert "localhost" not in raised.value.detail


@pytest.mark.parametrize("value", [{"$oid": "x"}, {"$date": 1}, {"$numberLong": "7"}])
def test_id_that_does_not_come_back_from_its_text_ends_the_run(server: MongoServer, value: dict[str, Any]) -> None:
    answer = {"ok": 1.0, "cursor": {"id": Int64(0), "firstBatch": [{"_id": value}], "ns": "x"}}
    server.hook = lambda name, command: answer if name == "find" else None
    assert "look like Extended JSON" in refused(source(), tools(open_uri(server.port)), UnreadableData)


def test_reason_why_no_server_could_be_read_is_told(server: MongoServer) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        using = tools(open_uri(closed.getsockname()[1]), fetch_attempts=1, mongo_connect_seconds=1.0)
        told = refused(source(), using, SourceUnreachable)
    assert told.endswith("could be read after 1 try: host 1: the connection was refused.")
    using = tools(open_uri(server.port, "tls=false&replicaSet=other"), fetch_attempts=1, mongo_connect_seconds=1.0)
    assert "replica set has another name" in refused(source(), using, SourceUnreachable)


def test_texts_of_a_server_are_shown_without_its_host(server: MongoServer) -> None:
    def refuse(name: str, command: dict[str, Any]) -> dict[str, Any] | None:
        text = f"[localhost]:{server.port} and localhost:{server.port} are no localhosts of 10.0.0.1"
        return {"ok": 0.0, "code": 2, "errmsg": text} if name == "find" else None

    server.hook = refuse
    told = refused(source(), tools(open_uri(server.port)), SourceRefused)
    assert f"{MASK} and {MASK} are no localhosts of 10.0.0.1" in told


def test_documents_nested_too_deeply_end_the_run(server: MongoServer) -> None:
    value: Any = 1
    for _ in range(400):
        value = [value]
    server.hook = lambda name, command: (
        {"ok": 1.0, "cursor": {"id": Int64(0), "firstBatch": [{"_id": 1, "v": value}], "ns": "x"}}
        if name == "find"
        else None
    )
    assert refused(source(), tools(open_uri(server.port)), UnreadableData)


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
