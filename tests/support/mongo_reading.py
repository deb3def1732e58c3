"""Reading MongoDB in tests: from a document to pages and their documents; and in a process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from bson.codec_options import DatetimeConversion
from bson.json_util import JSONMode, JSONOptions, loads

from sluice.domain.datasource.mongo_source import MongoSource
from sluice.errors import RunError
from sluice.settings import Settings
from sluice.sources.address import AddressPolicy
from sluice.sources.mongo.connection import MongoTools
from sluice.sources.mongo.loop import VettedLoop
from sluice.sources.mongo.pages import MongoPage, Place
from sluice.sources.mongo.reader import read_pages
from support.mongo_server import PASSWORD, USER

LOOPBACK = AddressPolicy("127.0.0.0/8,::1/128")
READING = JSONOptions(json_mode=JSONMode.CANONICAL, datetime_conversion=DatetimeConversion.DATETIME_MS)


def uri_of(port: int, options: str = "tls=false", *, user: str = USER, password: str = PASSWORD) -> str:
    return f"mongodb://{user}:{quote(password, safe='')}@localhost:{port}/?{options}"


def open_uri(port: int, options: str = "tls=false") -> str:
    """The URI of a server that wants no password."""
    return f"mongodb://localhost:{port}/?{options}"


def source(**more: Any) -> MongoSource:
    return MongoSource.model_validate({"uri": "where", "database": "shop", "collection": "orders", **more})


def tools(uri: str, policy: AddressPolicy = LOOPBACK, seconds_left: Any = None, **settings: Any) -> MongoTools:
    quick = {"fetch_backoff_seconds": 0.0, "mongo_connect_seconds": 5.0, "fetch_attempts": 2, **settings}
    return MongoTools(Settings(**quick), policy, {"where": uri}.__getitem__, seconds_left or (lambda: 900.0))


async def all_pages(document: MongoSource, using: MongoTools, begin: Place = Place()) -> list[MongoPage]:  # noqa: B008
    async with aclosing(read_pages(document, using, begin)) as pages:
        return [page async for page in pages]


def in_loop(work: Any) -> Any:
    with asyncio.Runner(loop_factory=VettedLoop) as runner:
        return runner.run(work)


def read(document: MongoSource, using: MongoTools, begin: Place = Place()) -> list[MongoPage]:  # noqa: B008
    pages: list[MongoPage] = in_loop(all_pages(document, using, begin))
    return pages


def refused(document: MongoSource, using: MongoTools, kind: type[RunError], begin: Place = Place()) -> str:  # noqa: B008
    with pytest.raises(kind) as raised:
        read(document, using, begin)
    return raised.value.detail


def documents_of(pages: list[MongoPage]) -> list[dict[str, Any]]:
    return [loads(line, json_options=READING) for page in pages for line in page.body.splitlines()]


def many(rows: int) -> Iterator[dict[str, Any]]:
    """Documents of a kilobyte."""
    return ({"_id": number, "n": number, "name": f"{number:08} " * 110} for number in range(rows))


def measured(uri: str) -> tuple[int, int]:
    """How many documents a collection has, and the most megabytes that a process had resident to read them."""
    done = subprocess.run(
        [sys.executable, "-m", "support.mongo_reading", uri],
        cwd=Path(__file__).parents[1],
        check=True,
        capture_output=True,
        text=True,
    )
    rows, megabytes = done.stdout.split()
    return int(rows), int(megabytes)


async def count(uri: str) -> int:
    async with aclosing(read_pages(source(), tools(uri), Place())) as pages:
        return sum([page.rows async for page in pages])


def main() -> None:
    rows = in_loop(count(sys.argv[1]))
    status = Path("/proc/self/status").read_text()
    sys.stdout.write(f"{rows} {int(status.partition('VmHWM:')[2].split()[0]) // 1024}")


if __name__ == "__main__":
    main()
