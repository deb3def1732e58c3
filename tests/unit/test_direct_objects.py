"""Pages go to S3 and back on a shorter way than the client's: to the same address, and with the client behind it."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.session import Session, get_session

from sluice.container import Container
from sluice.errors import NotFound, Unavailable
from sluice.lake.direct import DirectObjects
from sluice.lake.store import Lake, sha256_of
from support import moto_s3

KEY = "main/raw/ab/ab c+~"
BODY = b"a page"


class Wire:
    """Keeps the requests that are sent, and gives one answer to all."""

    def __init__(self, status: int = 200, content: bytes = b"", size: int | None = None) -> None:
        self.requests: list[Any] = []
        self._status = status
        self._content = content
        self._headers = HTTPHeaders.from_dict({"content-length": str(len(content) if size is None else size)})

    def __call__(self, request: Any) -> AWSResponse:
        self.requests.append(request)
        return AWSResponse(request.url, self._status, self._headers, BytesIO(self._content))


class Empty(BytesIO):
    """The body of an answer as the client reads it."""

    def stream(self) -> list[bytes]:
        return []


def unreachable(request: Any) -> Any:
    raise EndpointConnectionError(endpoint_url=request.url)


def aws_session(token: str | None = None) -> Session:
    session = get_session()
    session.set_credentials("first", "secret", token)
    return session


def sent_by(client: Any, call: Callable[[], Any]) -> Any:
    """The request that a client would send."""
    requests: list[Any] = []

    def keep(request: Any, **_: Any) -> AWSResponse:
        requests.append(request)
        return AWSResponse(request.url, 200, HTTPHeaders(), Empty())

    client.meta.events.register("before-send.s3.PutObject", keep)
    call()
    client.meta.events.unregister("before-send.s3.PutObject", keep)
    return requests[0]


@pytest.mark.parametrize(
    ("region", "endpoint", "bucket", "style", "host"),
    [
        ("eu-west-1", None, "lake", "auto", "https://lake.s3.eu-west-1.amazonaws.com/main/"),
        ("eu-west-1", None, "lake", "path", "https://s3.eu-west-1.amazonaws.com/lake/main/"),
        ("eu-west-1", None, "the.lake", "auto", "https://s3.eu-west-1.amazonaws.com/the.lake/main/"),
        ("cn-north-1", None, "lake", "auto", "https://lake.s3.cn-north-1.amazonaws.com.cn/main/"),
        ("us-east-1", "http://127.0.0.1:4566", "lake", "auto", "http://127.0.0.1:4566/lake/main/"),
        ("us-east-1", "http://localhost:4566", "lake", "auto", "http://localhost:4566/lake/main/"),
    ],
)
def test_requests_use_the_address_of_the_client(
    region: str, endpoint: str | None, bucket: str, style: Any, host: str
) -> None:
    session, wire = aws_session(), Wire()
    client: Any = session.create_client(
        "s3", region_name=region, endpoint_url=endpoint, config=Config(s3={"addressing_style": style})
    )
    assert DirectObjects(client, session, bucket, wire).put_new(KEY, BODY)
    theirs = sent_by(client, lambda: client.put_object(Bucket=bucket, Key=KEY, Body=BODY, IfNoneMatch="*"))
    (ours,) = wire.requests
    assert ours.url.startswith(host)
    assert (ours.method, ours.url) == (theirs.method, theirs.url)
    assert ours.headers["If-None-Match"] == "*"
    assert ours.headers["Content-Length"] == str(len(BODY))
    assert f"/{region}/s3/aws4_request" in ours.headers["Authorization"]


def test_body_and_session_token_are_signed() -> None:
    session, wire = aws_session("token"), Wire()
    client: Any = session.create_client("s3", region_name="eu-west-1")
    DirectObjects(client, session, "lake", wire).put_new(KEY, BODY)
    headers = wire.requests[0].headers
    assert headers["X-Amz-Content-SHA256"] == hashlib.sha256(BODY).hexdigest()
    assert headers["X-Amz-Security-Token"] == "token"
    assert "x-amz-content-sha256;x-amz-date;x-amz-security-token," in headers["Authorization"]


def test_credentials_are_read_for_each_call() -> None:
    session, wire = aws_session(), Wire()
    client: Any = session.create_client("s3", region_name="eu-west-1")
    direct = DirectObjects(client, session, "lake", wire)
    direct.get(KEY)
    session.set_credentials("second", "secret")
    direct.get(KEY)
    assert ["Credential=first/" in request.headers["Authorization"] for request in wire.requests] == [True, False]
    assert "Credential=second/" in wire.requests[1].headers["Authorization"]


@pytest.fixture
def lake_with(services: Container, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Lake]:
    """A lake on moto over HTTP, whose direct requests are answered by what is given."""
    monkeypatch.setattr(moto_s3, "DIRECT", {})

    def make(send: Any) -> Lake:
        direct = DirectObjects(services.s3, aws_session(), "lake", send)
        return Lake(services.s3, services.s3, "lake", "main", services.lake._cache, 900, direct)

    return make


@pytest.mark.parametrize("send", [Wire(301), Wire(403), Wire(409), Wire(503), unreachable])
def test_unexpected_response_falls_back_to_the_client(
    services: Container, lake_with: Callable[[Any], Lake], send: Any
) -> None:
    lake = lake_with(send)
    digest = lake.put_raw(BytesIO(BODY))
    with lake.raw(digest) as content, services.lake.raw(digest) as same:
        assert content.read() == same.read() == BODY
    with pytest.raises(NotFound, match="no page 0123"), lake.raw("0123"):
        pass


@pytest.mark.parametrize("status", [200, 412])
def test_stored_or_existing_page_does_not_need_the_client(
    services: Container, lake_with: Callable[[Any], Lake], status: int
) -> None:
    digest = lake_with(Wire(status)).put_raw(BytesIO(BODY))
    assert digest == sha256_of(BytesIO(BODY))
    with pytest.raises(NotFound), services.lake.raw(digest):
        pass


def test_page_is_read_directly(lake_with: Callable[[Any], Lake]) -> None:
    with lake_with(Wire(content=gzip.compress(BODY))).raw("0123") as content:
        assert content.read() == BODY


def test_truncated_download_can_be_retried(lake_with: Callable[[Any], Lake]) -> None:
    packed = gzip.compress(BODY)
    lake = lake_with(Wire(content=packed[:-3], size=len(packed)))
    with pytest.raises(Unavailable), lake.raw("0123"):
        pass
