"""Connecting to a MongoDB over the wire: users, TLS, hosts, and servers that answer what they should not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from bson.int64 import Int64

from sluice.domain.credential_names import MASK
from sluice.errors import (
    AddressForbidden,
    RunError,
    SecretUnusable,
    SourceRefused,
    SourceUnreachable,
    UnreadableData,
)
from sluice.sources.address import AddressPolicy
from support.certificates import Certificate
from support.mongo_reading import (
    many,
    open_uri,
    read,
    refused,
    source,
    tools,
    uri_of,
)
from support.mongo_server import PASSWORD, MongoServer, tls_context


@pytest.fixture
def server() -> Iterator[MongoServer]:
    with MongoServer().listening() as server:
        yield server


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
