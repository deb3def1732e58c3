"""Pages as received, in the emulator's S3, on the way that the platform takes."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from urllib3.util.connection import create_connection

from sluice.errors import NotFound
from sluice.lake.cache import FileCache
from sluice.lake.direct import DirectObjects
from sluice.lake.store import Lake
from support.bare import Bare

BUCKET = "pages"


@pytest.fixture
def asked(bare: Bare) -> list[str]:
    """The operations that the client was asked for."""
    operations: list[str] = []
    client = bare.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.meta.events.register("before-send.s3", lambda event_name, **_: operations.append(event_name.split(".")[-1]))
    return operations


@pytest.fixture
def lake(bare: Bare, tmp_path: Path, asked: list[str]) -> Lake:
    session, s3 = get_session(), bare.client("s3")
    session.set_credentials("test", "test", "token")
    direct = DirectObjects(s3, session, BUCKET)
    assert direct.get("main/nothing") is None  # the client has said where its bucket is
    asked.clear()
    return Lake(s3, s3, BUCKET, "main", FileCache(tmp_path, 1 << 30), 900, direct)


def contents(lake: Lake, digest: str) -> bytes:
    with lake.raw(digest) as content:
        return content.read()


@pytest.mark.parametrize("body", [b"", b"a page", b"PAR1 packed", bytes(range(256)) * 1_000])
def test_page_stored_twice_is_read_back_without_the_client(lake: Lake, asked: list[str], body: bytes) -> None:
    digest = lake.put_raw(BytesIO(body))
    assert lake.put_raw(BytesIO(body)) == digest
    assert contents(lake, digest) == body
    assert asked == []


def test_page_that_is_not_there_is_told_by_the_client(lake: Lake, asked: list[str]) -> None:
    with pytest.raises(NotFound, match="There is no page"):
        contents(lake, "0" * 64)
    assert asked == ["GetObject"]


def test_large_page_is_read_back_without_the_client(lake: Lake, asked: list[str]) -> None:
    body = bytes(9 << 20) + b"end"
    digest = lake.put_raw(BytesIO(body))
    asked.clear()  # a large page is written through the client
    assert contents(lake, digest) == body
    assert asked == []


def test_a_later_page_never_replaces_one_that_is_there(lake: Lake) -> None:
    digest = lake.put_raw(BytesIO(b"first"))
    lake.put_raw(BytesIO(b"other"), digest)
    assert contents(lake, digest) == b"first"


def test_one_connection_serves_all_pages(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []

    def connect(address: Any, *given: Any, **named: Any) -> Any:
        opened.append(address)
        return create_connection(address, *given, **named)

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    for body in (b"1", b"2", b"3"):
        assert contents(lake, lake.put_raw(BytesIO(body))) == body
    assert len(opened) == 1
