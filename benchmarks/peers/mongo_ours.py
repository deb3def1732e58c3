"""The mongo source into raw pages, compressed as the lake keeps them: `mongo_ours.py PORT FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from pathlib import Path

from benchmarks.peers.measuring import report
from sluice.domain.datasource.mongo_source import MongoSource
from sluice.lake.gzipped import compress
from sluice.settings import Settings
from sluice.sources.address import AddressPolicy
from sluice.sources.mongo.connection import MongoTools
from sluice.sources.mongo.loop import VettedLoop
from sluice.sources.mongo.pages import MongoPage, Place
from sluice.sources.mongo.reader import read_pages

# As many as a run stores at a time.
_WAITING = 4


async def ingest(source: MongoSource, tools: MongoTools, folder: Path) -> int:
    """Read all pages, and write each while the next ones are read."""
    rows, waiting = 0, deque[asyncio.Task[None]]()
    async for page in read_pages(source, tools, Place()):
        waiting.append(asyncio.create_task(asyncio.to_thread(_keep, page, folder, rows)))
        rows += page.rows
        if len(waiting) >= _WAITING:
            await waiting.popleft()
    await asyncio.gather(*waiting)
    return rows


def _keep(page: MongoPage, folder: Path, number: int) -> None:
    (folder / f"{number:09}.jsonl.gz").write_bytes(compress(page.body))


def main() -> None:
    """Measure it."""
    port, folder = sys.argv[1:]
    source = MongoSource.model_validate({"uri": "where", "database": "shop", "collection": "orders"})
    secrets = {"where": f"mongodb://127.0.0.1:{port}/?tls=false"}
    tools = MongoTools(Settings(), AddressPolicy("127.0.0.0/8"), secrets.__getitem__, lambda: 3600.0)
    with asyncio.Runner(loop_factory=VettedLoop) as runner:
        report(lambda: runner.run(ingest(source, tools, Path(folder))))


if __name__ == "__main__":
    main()
