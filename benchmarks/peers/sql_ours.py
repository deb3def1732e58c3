"""The SQL source into raw pages, compressed as the lake keeps them: `sql_ours.py PORT USER PASSWORD TABLE FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from pathlib import Path

from benchmarks.peers.measuring import report
from sluice.domain.datasource.sql_source import SqlSource
from sluice.lake.gzipped import compress
from sluice.settings import Settings
from sluice.sources.address import AddressPolicy
from sluice.sources.sql import postgresql  # noqa: F401 - what is imported is not measured
from sluice.sources.sql.pages import SqlPage
from sluice.sources.sql.reader import SqlTools, read_pages

# As many as a run stores at a time.
_WAITING = 4


async def ingest(source: SqlSource, tools: SqlTools, folder: Path) -> int:
    """Read all pages, and write each while the next ones are read."""
    rows, waiting = 0, deque[asyncio.Task[None]]()
    async for page in read_pages(source, tools):
        rows += page.rows
        waiting.append(asyncio.create_task(asyncio.to_thread(_keep, page, folder)))
        if len(waiting) >= _WAITING:
            await waiting.popleft()
    await asyncio.gather(*waiting)
    return rows


def _keep(page: SqlPage, folder: Path) -> None:
    (folder / f"{page.number:06}.jsonl.gz").write_bytes(compress(page.body))


def main() -> None:
    """Measure it."""
    port, user, password, table, folder = sys.argv[1:]
    document = {"engine": "postgresql", "host": "127.0.0.1", "port": int(port), "database": "postgres", "tls": False}
    document |= {"user": "user", "password": "password", "query": f"SELECT * FROM {table}"}
    secrets = {"user": user, "password": password}
    tools = SqlTools(Settings(), AddressPolicy("127.0.0.0/8"), secrets.__getitem__, Path)
    report(lambda: asyncio.run(ingest(SqlSource.model_validate(document), tools, Path(folder))))


if __name__ == "__main__":
    main()
