"""A source of pages of JSON on loopback, in a process of its own: `pages_server.py PORT PAGES RECORDS`.

Answers `GET /?offset=N&limit=N` with `{"total": …, "data": […]}`. All pages are made before the
first request, so that the server takes next to no time of the processor.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys

OFFSET = re.compile(rb"offset=(\d+)")


def record(number: int) -> dict[str, object]:
    """A nested record of about 225 bytes."""
    return {
        "id": number,
        "name": f"item {number}",
        "price": number * 7 / 100,
        "active": number % 2 == 0,
        "owner": {"login": f"user{number % 977}", "kind": "user", "address": {"city": "Berlin", "zip": "10115"}},
        "tags": ["a", f"t{number % 13}"],
        "updated_at": f"2026-01-{1 + number % 28:02d}T00:00:00Z",
        "note": None,
    }


def main() -> None:
    port, pages, records = map(int, sys.argv[1:])
    bodies = []
    for page in range(pages):
        data = [record(number) for number in range(page * records, (page + 1) * records)]
        bodies.append(json.dumps({"total": pages * records, "data": data}).encode())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = OFFSET.search(head)
                body = bodies[int(found[1]) // records if found else 0]
                lines = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                writer.write(lines + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        print("ready", flush=True)
        async with server:
            await server.serve_forever()

    asyncio.run(run())


if __name__ == "__main__":
    main()
