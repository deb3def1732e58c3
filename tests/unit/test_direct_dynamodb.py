"""Many items go to DynamoDB and back on a shorter way than the client's: the same requests, with the client behind."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import orjson
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError
from botocore.session import Session, get_session

from sluice.catalog.direct import DirectDynamoDB
from sluice.catalog.table import ConditionFailed, Table
from sluice.catalog.transactions import batch_get, transact
from sluice.container import Container

KEY = {"workspace_series": "main#a#raw", "time": "2026-11-03T12:00:00Z"}
ITEM = {**KEY, "data": b"\x00\xff", "version": 1}


class Wire:
    """Keeps the requests that are sent, and answers them."""

    def __init__(self, status: int, answer: Any = None) -> None:
        self.requests: list[Any] = []
        self._status = status
        self._content = orjson.dumps(answer or {})

    def __call__(self, request: Any) -> AWSResponse:
        self.requests.append(request)
        return AWSResponse(request.url, self._status, HTTPHeaders(), _Body(self._content))


class _Body(BytesIO):
    def stream(self) -> list[bytes]:
        return [self.read()]


def unreachable(request: Any) -> Any:
    raise EndpointConnectionError(endpoint_url=request.url)


def session(token: str | None = None) -> Session:
    own = get_session()
    own.set_credentials("first", "secret", token)
    return own


def client_request(operation: str, call: Any) -> Any:
    """The request that a client of botocore sends."""
    client: Any = session("token").create_client("dynamodb", "us-east-1")
    kept: list[Any] = []

    def keep(request: Any, **_: Any) -> AWSResponse:
        kept.append(request)
        return AWSResponse(request.url, 200, HTTPHeaders(), _Body(b'{"Responses": {}}'))

    client.meta.events.register(f"before-send.dynamodb.{operation}", keep)
    call(client)
    return kept[0]


@pytest.mark.parametrize("operation", ["TransactWriteItems", "BatchGetItem"])
def test_requests_are_those_of_the_client(operation: str) -> None:
    def call(client: Any) -> None:
        table = Table(client, "readings")
        if operation == "BatchGetItem":
            batch_get(client, [(table, KEY)])
        else:
            transact(client, [table.put(ITEM, "#version = :read", {"read": 0})])

    wire = Wire(200, {"Responses": {}})
    client: Any = session().create_client("dynamodb", "us-east-1")
    call(DirectDynamoDB(client, session("token"), wire))
    (sent,), expected = wire.requests, client_request(operation, call)
    assert (sent.method, sent.url) == (expected.method, expected.url)
    bodies = [orjson.loads(request.body) for request in (sent, expected)]
    tokens = [body.pop("ClientRequestToken", None) for body in bodies]
    assert bodies[0] == bodies[1]
    assert (tokens[0] is None) == (tokens[1] is None)
    for name in ("X-Amz-Target", "Content-Type", "X-Amz-Security-Token"):
        assert _text(sent.headers[name]) == _text(expected.headers[name])
    signed = _text(sent.headers["Authorization"])
    assert "x-amz-target" in signed
    assert "/us-east-1/dynamodb/aws4_request" in signed


def _text(header: Any) -> str:
    return header.decode() if isinstance(header, bytes) else str(header)


def test_binary_values_are_decoded(services: Container) -> None:
    stored = {"workspace_series": {"S": KEY["workspace_series"]}, "time": {"S": KEY["time"]}, "data": {"B": "AP8="}}
    direct: Any = DirectDynamoDB(
        services.clients.dynamodb, session(), Wire(200, {"Responses": {"ReadingsTable": [stored]}})
    )
    assert batch_get(direct, [(Table(direct, "ReadingsTable"), KEY)]) == [{**KEY, "data": b"\x00\xff"}]


@pytest.mark.parametrize("send", [Wire(500), Wire(400), unreachable], ids=["failure", "refusal", "unreachable"])
def test_client_does_what_fails(services: Container, send: Any) -> None:
    direct: Any = DirectDynamoDB(services.clients.dynamodb, session(), send)
    table = Table(direct, "ReadingsTable")
    write = table.put(ITEM, "attribute_not_exists(#time)")
    transact(direct, [write])
    assert batch_get(direct, [(table, KEY)]) == [ITEM]
    with pytest.raises(ConditionFailed):
        transact(direct, [write])
