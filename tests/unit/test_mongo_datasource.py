"""A datasource that is a collection, from its document to published rows; the server answers in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import bson
import pytest
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId

from sluice.catalog.calls import Tally
from sluice.container import Container
from sluice.sources.mongo import reader
from sluice.sources.mongo.connection import CODEC
from sluice.sources.mongo.faults import fault_of
from support.client import Client
from support.documents import ingest, refresh, rows
from support.mongo_server import MongoServer

URI = "mongodb://reader:pa55w0rd@db.example.com/"
MONGO: dict[str, Any] = {"uri": "shop-uri", "database": "shop", "collection": "goods", "page_documents": 2}
DOCUMENT: dict[str, Any] = {"name": "goods", "kind": "mongo", "mongo": MONGO}
GOODS: list[dict[str, Any]] = [
    {"_id": 1, "sku": ObjectId("5f0000000000000000000001"), "price": Decimal128("1.10"), "at": DatetimeMS(0), "n": 1},
    {"_id": 2, "sku": ObjectId("5f0000000000000000000002"), "price": Decimal128("12345678901234567.89"), "n": Int64(2)},
    {
        "_id": 3,
        "sku": None,
        "price": None,
        "at": None,
        "n": 3,
        "made": {"in": "Ulm", "at": DatetimeMS(1)},
        "tags": ["a"],
    },
]
EXPECTED: list[dict[str, Any]] = [
    {"sku": "5f0000000000000000000001", "price": "1.10", "at": "1970-01-01T00:00:00Z", "n": 1},
    {"sku": "5f0000000000000000000002", "price": "12345678901234567.89", "at": None, "n": 2},
    {"sku": None, "price": None, "at": None, "n": 3},
]


class InProcess:
    """A connection to a server of this process."""

    read_concern = None

    def __init__(self, server: MongoServer, database: str) -> None:
        self._server = server
        self._database = database
        self.offers_snapshots = server.replica_set is not None

    async def command(self, command: Mapping[str, Any], tally: Tally) -> Mapping[str, Any]:
        tally.count("success", 1)
        sent = bson.decode(bson.encode({**command, "$db": self._database}), codec_options=CODEC)
        answer = bson.decode(bson.encode(self._server.answer(sent)), codec_options=CODEC)
        if answer["ok"]:
            return answer
        raise fault_of(bson_failure(answer), 600)


def bson_failure(answer: Mapping[str, Any]) -> Exception:
    from pymongo.errors import OperationFailure

    return OperationFailure(answer["errmsg"], answer["code"], answer)


@pytest.fixture
def server(admin: Client, monkeypatch: pytest.MonkeyPatch) -> MongoServer:
    server = MongoServer()
    for document in GOODS:
        server.collection("shop.goods").insert(document)

    @asynccontextmanager
    async def connected(source: Any, tools: Any) -> AsyncIterator[InProcess]:
        tools.secret(source.uri)
        yield InProcess(server, source.database)

    monkeypatch.setattr(reader, "connected", connected)
    admin.put("/secrets/shop-uri", {"value": URI, "hosts": ["db.example.com"]})
    return server


def shown(admin: Client, path: str = "datasources/goods") -> list[dict[str, Any]]:
    return [{name: row[name] for name in EXPECTED[0]} for row in rows(admin, path)]


@pytest.mark.usefixtures("server")
def test_documents_are_fetched_typed_merged_and_replayed(services: Container, admin: Client) -> None:
    assert admin.put("/datasources/goods", DOCUMENT).status == 201
    run = ingest(admin, "goods")
    assert (run["status"], run["rows"], run["completeness"]) == ("succeeded", 3, "complete"), run
    schema = {column["name"]: column["type"] for column in admin.get("/datasources/goods/versions/1").json()["schema"]}
    assert schema == {
        "sku": "string", "price": "decimal(38,2)", "at": "timestamp", "n": "bigint", "made_in": "string",
        "made_at": "timestamp", "tags": "json",
    }  # fmt: skip
    assert shown(admin) == EXPECTED
    last = rows(admin, "datasources/goods")[2]
    assert (last["made_at"], last["tags"]) == ("1970-01-01T00:00:00.001Z", ["a"])
    pages = admin.get(f"/runs/{run['id']}/pages").json()["items"]
    assert [page["rows"] for page in pages] == [2, 1]
    assert pages[0]["url"] == "mongo:shop/goods"
    content = admin.get(f"/runs/{run['id']}/pages/1/content")
    assert '{"$numberDecimal":"12345678901234567.89"}' in content.text
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["n"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/goods", {})
    assert refresh(admin, "p", ingest="all")["status"] == "succeeded"
    assert shown(admin, "projects/p") == EXPECTED
    assert ingest(admin, "goods", {"replay": 1})["status"] == "succeeded"
    assert shown(admin) == EXPECTED


@pytest.mark.usefixtures("server")
def test_fields_choose_members_with_their_types(admin: Client) -> None:
    fields = {"n": "n", "since": "made.at", "price": "price", "tag": "tags[0]"}
    admin.put("/datasources/goods", {**DOCUMENT, "fields": fields})
    assert ingest(admin, "goods")["status"] == "succeeded"
    schema = {column["name"]: column["type"] for column in admin.get("/datasources/goods/versions/1").json()["schema"]}
    assert schema == {"n": "bigint", "since": "timestamp", "price": "decimal(38,2)", "tag": "string"}


def test_redrive_continues_after_the_last_document(server: MongoServer, admin: Client) -> None:
    admin.put("/datasources/goods", {**DOCUMENT, "mongo": {**MONGO, "page_documents": 1}})
    server.hook = lambda name, command: {"ok": 0.0, "code": 2, "errmsg": "enough"} if name in ("getMore",) else None
    run = ingest(admin, "goods")
    assert run["status"] == "failed"
    assert "enough" in run["error"]["detail"]
    before = len(admin.get(f"/runs/{run['id']}/pages").json()["items"])
    server.hook = lambda name, command: None
    admin.post(f"/runs/{run['id']}/redrive")
    again = admin.get(f"/runs/{run['id']}").json()
    assert (again["status"], again["rows"], again["completeness"]) == ("succeeded", 3, "complete"), again
    assert before == 1
    assert server.named("find")[-1]["filter"] == {"$or": [{"_id": {"$gt": 1}}, {"_id": {"$type": TYPES_BEHIND}}]}


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ({"collection": "others"}, {("others", 1), ("others", 2), ("others", 3)}),
        ({"filter": {"n": {"$gt": 1}}}, {("goods", 2), ("goods", 3)}),
        ({"projection": {"n": 1}}, {(None, 1), (None, 2), (None, 3)}),
        ({"database": "stock"}, {("stock", 1)}),
    ],
)
def test_a_redrive_of_an_edited_datasource_does_not_mix_two_selections(
    server: MongoServer, admin: Client, change: dict[str, Any], read: set[tuple[str | None, int]]
) -> None:
    server.collections.clear()
    for name in ("goods", "others"):
        server.collection(f"shop.{name}").fill([{"_id": n, "n": n, "of": name} for n in range(1, 4)])
    server.collection("stock.goods").fill([{"_id": 1, "n": 1, "of": "stock"}])
    small = {**MONGO, "page_documents": 1}
    admin.put("/datasources/goods", {**DOCUMENT, "mongo": small})
    server.hook = lambda name, command: {"ok": 0.0, "code": 2, "errmsg": "enough"} if name == "getMore" else None
    run = ingest(admin, "goods")
    assert run["status"] == "failed"
    server.hook = lambda name, command: None
    admin.put("/datasources/goods", {**DOCUMENT, "mongo": {**small, **change}})
    admin.post(f"/runs/{run['id']}/redrive")
    again = admin.get(f"/runs/{run['id']}").json()
    assert (again["status"], again["completeness"]) == ("succeeded", "complete")
    assert {(row.get("of"), row["n"]) for row in rows(admin, "datasources/goods")} == read
    assert again["rows"] == len(read)


def test_a_redrive_of_a_datasource_with_another_host_begins_anew(server: MongoServer, admin: Client) -> None:
    admin.put("/datasources/goods", {**DOCUMENT, "mongo": {**MONGO, "page_documents": 1}})
    server.hook = lambda name, command: {"ok": 0.0, "code": 2, "errmsg": "enough"} if name == "getMore" else None
    run = ingest(admin, "goods")
    server.hook = lambda name, command: None
    admin.put("/secrets/shop-uri", {"value": URI.replace("db.", "new."), "hosts": ["new.example.com"]})
    admin.post(f"/runs/{run['id']}/redrive")
    again = admin.get(f"/runs/{run['id']}").json()
    assert (again["status"], again["rows"], again["completeness"]) == ("succeeded", 3, "complete")
    assert server.named("find")[-1]["filter"] == {}


TYPES_BEHIND = [
    "symbol", "string", "object", "array", "binData", "objectId", "bool", "date", "timestamp", "regex", "dbPointer",
    "javascript", "javascriptWithScope", "maxKey",
]  # fmt: skip


def test_version_without_a_snapshot_is_unproven(server: MongoServer, admin: Client) -> None:
    server.replica_set = None
    admin.put("/datasources/goods", DOCUMENT)
    run = ingest(admin, "goods")
    assert (run["status"], run["completeness"]) == ("succeeded", "unproven")
    assert "no snapshot" in run["completeness_reasons"][0]


def test_version_of_several_snapshots_is_unproven(server: MongoServer, admin: Client) -> None:
    admin.put("/datasources/goods", DOCUMENT)

    def forget(name: str, command: dict[str, Any]) -> dict[str, Any] | None:
        if name == "getMore" and len(server.named("find")) == 1:
            server.forget_snapshots()
            return {"ok": 0.0, "code": 239, "errmsg": "too old"}
        return None

    server.hook = forget
    run = ingest(admin, "goods")
    assert (run["rows"], run["completeness"]) == (3, "unproven")
    assert "2 snapshots" in run["completeness_reasons"][0]


def test_documents_that_share_an_id_are_all_kept_also_behind_a_break(server: MongoServer, admin: Client) -> None:
    """As in a view with `$unwind`."""
    server.collections.clear()
    server.collection("shop.goods").fill([{"_id": number // 3, "n": number} for number in range(12)])
    admin.put("/datasources/goods", DOCUMENT)
    broken = [43, 43]

    def break_twice(name: str, command: dict[str, Any]) -> dict[str, Any] | None:
        if name == "getMore" and len(server.named("getMore")) % 2 == 0 and broken:
            return {"ok": 0.0, "code": broken.pop(), "errmsg": "cursor not found"}
        return None

    server.hook = break_twice
    run = ingest(admin, "goods")
    assert [row["n"] for row in rows(admin, "datasources/goods")] == list(range(12))
    assert not broken
    assert run["completeness"] == "unproven"
    assert "the same _id" in run["completeness_reasons"][0]


def test_text_in_the_order_of_a_collation_is_unproven(server: MongoServer, admin: Client) -> None:
    server.collections.clear()
    server.collection("shop.goods").fill([{"_id": text, "n": 1} for text in ("a", "B", "c")])
    admin.put("/datasources/goods", {**DOCUMENT, "mongo": {**MONGO, "page_documents": 100}})
    run = ingest(admin, "goods")
    assert (run["rows"], run["completeness"]) == (3, "unproven")
    assert "collation" in run["completeness_reasons"][0]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"$numberLong": "7"}, {"odd": 7}),
        ({"$numberInt": "9" * 400}, {"odd_$numberInt": "9" * 400}),
        ({"$date": 1}, {"odd_$date": 1}),
        ({"$oid": "x", "more": 1}, {"odd_$oid": "x", "odd_more": 1}),
    ],
)
def test_fields_that_look_like_extended_json_are_read(
    server: MongoServer, admin: Client, value: dict[str, Any], shown: dict[str, Any]
) -> None:
    server.collection("shop.goods").insert({"_id": 9, "n": 9, "odd": value})
    admin.put("/datasources/goods", DOCUMENT)
    assert ingest(admin, "goods")["status"] == "succeeded"
    (row,) = [row for row in rows(admin, "datasources/goods") if row["n"] == 9]
    assert {name: value for name, value in row.items() if name.startswith("odd") and value is not None} == shown


def test_empty_collection_is_one_page_without_rows(server: MongoServer, admin: Client) -> None:
    admin.put("/datasources/goods", {**DOCUMENT, "mongo": {**MONGO, "filter": {"n": -1}}})
    run = ingest(admin, "goods")
    assert (run["status"], run["rows"], run["completeness"]) == ("succeeded", 0, "complete"), run


def test_preview_and_check_of_an_unsaved_datasource(server: MongoServer, admin: Client) -> None:
    checked = admin.post("/datasources/check", DOCUMENT).json()
    assert (checked["ok"], checked["records"], checked["status"]) == (True, 2, None)
    tried = admin.post("/datasources/preview", DOCUMENT).json()
    assert [row["price"] for row in tried["records"]] == ["1.10", "12345678901234567.89"]
    assert {column["name"]: column["type"] for column in tried["schema"]}["at"] == "timestamp"
    broken = {**DOCUMENT, "mongo": {**MONGO, "filter": {"a": {"$frobnicate": 1}}}}
    checked = admin.post("/datasources/check", broken).json()
    assert not checked["ok"]
    assert "$frobnicate" in checked["reason"]


@pytest.mark.usefixtures("server")
def test_uri_with_a_host_that_its_secret_does_not_allow_is_refused(admin: Client) -> None:
    admin.put(
        "/secrets/shop-uri",
        {"value": "mongodb://u:pa55w0rd@db.example.com,evil.example.com/", "hosts": ["db.example.com"]},
    )
    checked = admin.post("/datasources/check", DOCUMENT).json()
    assert not checked["ok"]
    assert "its hosts do not" in checked["reason"]
    assert "evil" not in checked["reason"]


@pytest.mark.usefixtures("server")
def test_a_uri_without_hosts_is_refused_where_its_secret_names_some(admin: Client) -> None:
    admin.put("/secrets/shop-uri", {"value": "mongodb://u:pa55w0rd@[db.example.com/", "hosts": ["db.example.com"]})
    admin.put("/datasources/goods", DOCUMENT)
    run = ingest(admin, "goods")
    assert run["error"]["type"].endswith("secret-unusable")
    assert "pa55w0rd" not in str(run)


@pytest.mark.usefixtures("server")
def test_unknown_secret_is_refused_without_naming_a_host(editor: Client) -> None:
    reply = editor.put("/datasources/goods", {**DOCUMENT, "mongo": {**MONGO, "uri": "other-uri"}})
    assert reply.status == 422
    assert "it names no hosts" in reply.text
    assert "do not include ," not in reply.text


@pytest.mark.usefixtures("server")
def test_secret_without_hosts_is_for_admins_only(admin: Client, editor: Client) -> None:
    admin.put("/secrets/open", {"value": URI})
    document = {**DOCUMENT, "mongo": {**MONGO, "uri": "open"}}
    assert editor.put("/datasources/goods", document).status == 422
    assert editor.put("/datasources/goods", DOCUMENT).status == 201
    assert admin.post("/datasources/check", document).json()["ok"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"mongo": {**MONGO, "filter": {"$where": "1"}}}, "/mongo/filter"),
        ({"mongo": {**MONGO, "filter": {"n": 2**63}}}, "/mongo/filter"),
        ({"mongo": {**MONGO, "projection": {"$oid": "5f0000000000000000000001"}}}, "/mongo/projection"),
        ({"mongo": {**MONGO, "database": ""}}, "/mongo/database"),
        ({"format": "json"}, ""),
    ],
)
@pytest.mark.usefixtures("server")
def test_invalid_datasources_are_refused(admin: Client, change: dict[str, Any], pointer: str) -> None:
    answer = admin.put("/datasources/goods", {**DOCUMENT, **change})
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)
