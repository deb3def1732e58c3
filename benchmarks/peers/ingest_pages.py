"""The upstream of benchmarks/ingest.py, in a process of its own: pages of nested records on loopback.

`ingest_pages.py PAGES SALT` prints its address when all pages are rendered, and answers
`GET /records?offset=N&limit=1000` from memory until it is ended. The salt is in each record, so
that no round asks for bytes that an earlier one has stored.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

RECORDS = 1_000
_OFFSET = re.compile(rb"GET /records\?(?:[^ ]*&)?offset=(\d+)")
_HEAD = "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


def record(number: int, salt: int) -> dict[str, Any]:
    """A record of about 225 bytes."""
    return {
        "id": number,
        "name": f"Item {number} of the catalogue",
        "owner": {"kind": "team" if number % 3 else "user", "id": number % 977},
        "tags": [f"t{number % 13}", f"t{number % 7}"],
        "price": number % 10_000 / 100,
        "active": number % 2 == 0,
        "updated_at": f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T{number % 24:02d}:00:00Z",
        "note": None if number % 5 else f"batch {salt}",
        "revision": f"{(number * 2_654_435_761 + salt) % 2**32:08x}",
    }


def render(page: int, pages: int, salt: int) -> bytes:
    """The whole answer for one page; the one after the last has no records."""
    numbers = range(page * RECORDS, min(page + 1, pages) * RECORDS)
    body = json.dumps({"total": pages * RECORDS, "items": [record(number, salt) for number in numbers]})
    return (_HEAD.format("200 OK", len(body)) + body).encode()


class Connection(asyncio.Protocol):
    """One client, who asks for one page after the other."""

    def __init__(self, pages: list[bytes]) -> None:
        self._pages = pages
        self._received = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        asked = _OFFSET.match(head)
        page, rest = divmod(int(asked[1]), RECORDS) if asked else (-1, 0)
        if page < 0 or rest:
            return _HEAD.format("404 Not Found", 2).encode() + b"{}"
        return self._pages[min(page, len(self._pages) - 1)]


async def serve(pages: list[bytes]) -> None:
    """Answer until this process is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(pages), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    count, salt = int(sys.argv[1]), int(sys.argv[2])
    asyncio.run(serve([render(page, count, salt) for page in range(count + 1)]))
