"""A small server that speaks MongoDB's wire protocol on loopback: what a reader of collections asks for, and no more.

No package of the registries that the tests may use has a MongoDB, or a server with its types and its order under a
permissive licence. This one is written from the documentation of the protocol (OP_MSG, cursors, SCRAM-SHA-256,
snapshots by `atClusterTime`) and of the order of values. It shows what Sluice does with a server that behaves as
documented; it does not show that MongoDB behaves so. `MONGO_URI` names a real one for the same tests.
"""

from __future__ import annotations

import bisect
import hashlib
import hmac
import os
import socket
import socketserver
import ssl
import struct
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bson
from bson.binary import Binary
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

from support.mongo_order import QueryError, matches, order

USER, PASSWORD = "reader", "pa55/w0rd:of@the reader"
_CODEC: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
_OP_MSG = 2013
_ROUNDS = 4096
# The most bytes of a batch, as MongoDB has it.
_BATCH_BYTES = 16 << 20


class DropError(Exception):
    """Closes the connection instead of an answer."""


@dataclass
class CommandError(Exception):
    """An answer that is an error."""

    code: int
    text: str


@dataclass
class Collection:
    """Documents in the order of `_id`."""

    keys: list[Any] = field(default_factory=list)
    documents: list[RawBSONDocument] = field(default_factory=list)

    def insert(self, document: dict[str, Any]) -> None:
        raw = RawBSONDocument(bson.encode(document))
        key = order(document["_id"])
        place = bisect.bisect(self.keys, key)
        self.keys.insert(place, key)
        self.documents.insert(place, raw)

    def fill(self, documents: Iterable[dict[str, Any]]) -> None:
        """Add many documents that are in the order of `_id`, behind those that are there."""
        for document in documents:
            self.keys.append(order(document["_id"]))
            self.documents.append(RawBSONDocument(bson.encode(document)))

    def copy(self) -> Collection:
        return Collection(list(self.keys), list(self.documents))


@dataclass
class Cursor:
    """Reads a collection, or a copy of it, behind the last document that it gave."""

    collection: Collection
    query: dict[str, Any]
    projection: dict[str, Any]
    last: Any = None
    given_of_last: int = 0

    def batch(self, most: int) -> tuple[list[Any], bool]:
        """The next documents, and whether that was all."""
        keys, documents = self.collection.keys, self.collection.documents
        place = 0 if self.last is None else bisect.bisect_left(keys, self.last) + self.given_of_last
        found: list[Any] = []
        size = 0
        while place < len(keys) and len(found) < most and size < _BATCH_BYTES:
            document = documents[place]
            self.given_of_last = self.given_of_last + 1 if keys[place] == self.last else 1
            self.last = keys[place]
            place += 1
            if self.query or self.projection:
                plain = bson.decode(document.raw, codec_options=_CODEC)
                if not matches(self.query, plain):
                    continue
                found.append(_projected(plain, self.projection))
            else:
                found.append(document)
            size += len(document.raw)
        return found, place >= len(keys)


def _projected(document: dict[str, Any], projection: dict[str, Any]) -> dict[str, Any]:
    if not projection:
        return document
    chosen = {key for key, value in projection.items() if key != "_id" and value}
    if chosen or projection.get("_id"):
        kept = chosen | ({"_id"} if projection.get("_id", True) else set())
    else:
        kept = document.keys() - {key for key, value in projection.items() if not value}
    return {key: value for key, value in document.items() if key in kept}


class MongoServer:
    """The server's state, and its answers.

    Args:
        replica_set: its name; a server without one has no snapshots.
        authenticated: whether it wants the user's password.
    """

    def __init__(self, replica_set: str | None = "rs0", *, authenticated: bool = False) -> None:
        self.replica_set = replica_set
        self.authenticated = authenticated
        self.collections: dict[str, Collection] = {}
        self.more_of_hello: dict[str, Any] = {}
        # Is asked first, with the name of a command and the command; may answer, or raise DropError or CommandError.
        self.hook: Callable[[str, dict[str, Any]], dict[str, Any] | None] = lambda name, command: None
        self.commands: list[dict[str, Any]] = []
        self.port = 0
        self._cursors: dict[int, Cursor] = {}
        self._snapshots: dict[Timestamp, dict[str, Collection]] = {}
        self._clock = 0
        self._lock = threading.Lock()

    def collection(self, name: str) -> Collection:
        """The collection of a name, `database.collection`."""
        return self.collections.setdefault(name, Collection())

    def forget_snapshots(self) -> None:
        self._snapshots.clear()

    @property
    def open_cursors(self) -> int:
        return len(self._cursors)

    def named(self, name: str) -> list[dict[str, Any]]:
        """The commands of a name that were received."""
        return [command for command in self.commands if next(iter(command)) == name]

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        """The answer to a command, of whoever is authenticated."""
        name = next(iter(command))
        with self._lock:
            self.commands.append(command)
            try:
                own = self.hook(name, command)
                if own is not None:
                    return own
                handler = getattr(self, f"_{name.lower()}", None)
                if handler is None:
                    raise CommandError(59, f"no such command: '{name}'")
                return {**handler(command), "ok": 1.0}
            except QueryError as error:
                return {"ok": 0.0, "errmsg": str(error), "code": 2, "codeName": "BadValue"}
            except CommandError as error:
                return {"ok": 0.0, "errmsg": error.text, "code": error.code}

    def _hello(self, command: dict[str, Any]) -> dict[str, Any]:
        member = {"setName": self.replica_set, "hosts": [f"localhost:{self.port}"], "secondary": False}
        sizes = {"maxBsonObjectSize": 16 << 20, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000}
        about = {"isWritablePrimary": True, "minWireVersion": 0, "maxWireVersion": 21, "readOnly": False}
        sessions = {"logicalSessionTimeoutMinutes": 30}
        mechanisms = {"saslSupportedMechs": ["SCRAM-SHA-256"]} if "saslSupportedMechs" in command else {}
        return about | sizes | sessions | mechanisms | (member if self.replica_set else {}) | self.more_of_hello

    _ismaster = _hello

    def _ping(self, command: dict[str, Any]) -> dict[str, Any]:
        return {}

    _endsessions = _ping

    def _insert(self, command: dict[str, Any]) -> dict[str, Any]:
        for document in command["documents"]:
            self.collection(f"{command['$db']}.{command['insert']}").insert(document)
        return {"n": len(command["documents"])}

    def _drop(self, command: dict[str, Any]) -> dict[str, Any]:
        self.collections.pop(f"{command['$db']}.{command['drop']}", None)
        return {}

    def _find(self, command: dict[str, Any]) -> dict[str, Any]:
        if command.get("sort") != {"_id": 1}:
            raise CommandError(2, "this server sorts by _id")
        name = f"{command['$db']}.{command['find']}"
        collection, time = self.collection(name), None
        if command.get("readConcern", {}).get("level") == "snapshot":
            collection, time = self._snapshot(name, command["readConcern"].get("atClusterTime"))
        cursor = Cursor(collection, command.get("filter", {}), command.get("projection", {}))
        return {
            "cursor": self._batch(0, cursor, name, command, "firstBatch") | ({"atClusterTime": time} if time else {})
        }

    def _snapshot(self, name: str, time: Timestamp | None) -> tuple[Collection, Timestamp]:
        if not self.replica_set:
            raise CommandError(72, "read concern level snapshot is only supported by replica sets")
        if time is None:
            self._clock += 1
            time = Timestamp(1_700_000_000, self._clock)
            self._snapshots[time] = {key: value.copy() for key, value in self.collections.items()}
        if time not in self._snapshots:
            raise CommandError(239, "Read timestamp is older than the oldest available timestamp")
        return self._snapshots[time].get(name, Collection()), time

    def _getmore(self, command: dict[str, Any]) -> dict[str, Any]:
        name, number = f"{command['$db']}.{command['collection']}", command["getMore"]
        if number not in self._cursors:
            raise CommandError(43, f"cursor id {number} not found")
        return {"cursor": self._batch(number, self._cursors[number], name, command, "nextBatch")}

    def _batch(self, number: int, cursor: Cursor, name: str, command: dict[str, Any], key: str) -> dict[str, Any]:
        documents, ended = cursor.batch(command.get("batchSize", 101))
        if ended:
            self._cursors.pop(number, None)
            number = 0
        elif not number:
            number = 1 + int.from_bytes(os.urandom(6), "big")
            self._cursors[number] = cursor
        return {key: documents, "id": Int64(number), "ns": name}

    def _killcursors(self, command: dict[str, Any]) -> dict[str, Any]:
        return {"cursorsKilled": [one for one in command["cursors"] if self._cursors.pop(one, None)]}

    @contextmanager
    def listening(self, context: ssl.SSLContext | None = None) -> Iterator[MongoServer]:
        """Listen on a free port of loopback."""
        state = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError, DropError, EOFError):
                    connection = self.request
                    if context is not None:
                        connection = context.wrap_socket(connection, server_side=True)
                    with connection:
                        _Talk(state, connection).go_on()

        class Listener(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        with Listener(("127.0.0.1", 0), Handler) as listener:
            self.port = listener.server_address[1]
            thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                listener.shutdown()
                thread.join()


class _Talk:
    """One connection."""

    def __init__(self, server: MongoServer, connection: socket.socket) -> None:
        self._server = server
        self._socket = connection
        self._scram = Scram()

    def go_on(self) -> None:
        while True:
            number, command = self._received()
            answer = self._answer(command)
            body = struct.pack("<I", 0) + b"\0" + bson.encode(answer)
            self._socket.sendall(struct.pack("<iiii", 16 + len(body), 0, number, _OP_MSG) + body)

    def _answer(self, command: dict[str, Any]) -> dict[str, Any]:
        name = next(iter(command))
        if name in ("saslStart", "saslContinue"):
            return self._scram.answer(command)
        if self._server.authenticated and not self._scram.done and name not in ("hello", "ismaster", "ping"):
            return {"ok": 0.0, "code": 13, "errmsg": f"Command {name} requires authentication"}
        return self._server.answer(command)

    def _received(self) -> tuple[int, dict[str, Any]]:
        length, number, _, code = struct.unpack("<iiii", self._exactly(16))
        if code != _OP_MSG or not 21 <= length <= 48_000_000:
            raise DropError
        body = self._exactly(length - 16)
        place, command, sequences = 4, {}, {}
        while place < len(body):
            kind, place = body[place], place + 1
            (size,) = struct.unpack_from("<i", body, place)
            if kind == 0:
                command = bson.decode(body[place : place + size], codec_options=_CODEC)
            else:
                end = body.index(b"\0", place + 4)
                documents = bson.decode_all(body[end + 1 : place + size], _CODEC)
                sequences[body[place + 4 : end].decode()] = documents
            place += size
        return number, {**command, **sequences}

    def _exactly(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = self._socket.recv(min(size - len(parts), 1 << 20))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)


class Scram:
    """The server's side of SCRAM-SHA-256 (RFC 7677)."""

    def __init__(self) -> None:
        self.done = False
        self._first = self._combined = ""
        self._salt = os.urandom(16)

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        text = bytes(command["payload"]).decode()
        if "saslStart" in command:
            self._first = text.removeprefix("n,,")
            nonce = dict(part.split("=", 1) for part in self._first.split(","))["r"]
            self._combined = f"r={nonce}own,s={b64encode(self._salt).decode()},i={_ROUNDS}"
            return {"conversationId": 1, "done": False, "payload": self._combined.encode(), "ok": 1.0}
        if not text:
            return {"conversationId": 1, "done": True, "payload": b"", "ok": 1.0}
        without_proof, _, proof = text.rpartition(",p=")
        salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), self._salt, _ROUNDS)
        message = f"{self._first},{self._combined},{without_proof}".encode()
        key = _hmac(salted, b"Client Key")
        signature = _hmac(hashlib.sha256(key).digest(), message)
        expected = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        if not self._first.startswith(f"n={USER},") or not hmac.compare_digest(expected, b64decode(proof)):
            return {"ok": 0.0, "code": 18, "errmsg": "Authentication failed."}
        self.done = True
        verified = b64encode(_hmac(_hmac(salted, b"Server Key"), message)).decode()
        return {"conversationId": 1, "done": True, "payload": f"v={verified}".encode(), "ok": 1.0}


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def orders(rows: int) -> Iterator[dict[str, Any]]:
    """Documents of eleven fields, as of a shop."""
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(rows):
        yield {
            "_id": ObjectId(f"{number:024x}"),
            "customer": f"customer {number % 5000}",
            "price": Decimal128(f"{number * 7919 % 1_000_000 // 100}.{number % 100:02}"),
            "quantity": number % 97,
            "placed_at": begun + timedelta(seconds=number),
            "paid": number % 3 == 0,
            "discount": number % 1013 / 1013,
            "note": None if number % 4 == 0 else "words " * (number % 9),
            "details": {"channel": number % 7, "tags": ["a", "b"]},
            "reference": Int64(number * 2**32),
            "token": Binary(number.to_bytes(16, "big"), 4),
        }


def main() -> None:
    """Serve the collection `shop.orders` of so many documents, print the port, and stop when the input ends."""
    server = MongoServer()
    server.collection("shop.orders").fill(orders(int(sys.argv[1])))
    with server.listening():
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
