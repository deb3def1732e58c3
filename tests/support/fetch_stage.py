"""The fetch stage alone, on a lake and a catalog in memory: fast enough for properties."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import httpx
import orjson

from sluice.domain.datasource import HttpDatasource
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.errors import NotFound
from sluice.settings import Settings
from sluice.sources.base import HandOver
from sluice.sources.http.client import SourceClient
from sluice.sources.http.fetcher import HttpFetcher
from sluice.sources.http.requester import FetchContext

SETTINGS = Settings(fetch_backoff_seconds=0, fetch_max_retry_after_seconds=0)


class MemoryLake:
    """What the fetch stage needs of the lake."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, body: bytes) -> None:
        self.objects[key] = body

    def get(self, key: str) -> bytes:
        if key not in self.objects:
            raise NotFound(key)
        return self.objects[key]

    def list_keys(self, folder: str) -> list[str]:
        return sorted(key for key in self.objects if key.startswith(f"{folder}/"))

    def put_raw(self, content: IO[bytes], digest: str | None = None) -> str:
        content.seek(0)
        body = content.read()
        digest = hashlib.sha256(body).hexdigest()
        self.objects[f"raw/{digest}"] = body
        return digest

    @contextmanager
    def raw(self, digest: str) -> Iterator[IO[bytes]]:
        yield io.BytesIO(self.get(f"raw/{digest}"))


class MemoryPages:
    """Receipts, by the rules of `Pages.put`."""

    def __init__(self) -> None:
        self.receipts: dict[int, PageReceipt] = {}

    def put(self, run_id: str, receipt: PageReceipt) -> None:
        stored = self.receipts.get(receipt.number)
        if stored is None or not stored.ok or (receipt.ok and stored.attempt < receipt.attempt):
            self.receipts[receipt.number] = receipt.model_copy(deep=True)

    def put_all(self, run_id: str, receipts: list[PageReceipt]) -> None:
        for receipt in receipts:
            self.put(run_id, receipt)

    def of_run(self, run_id: str) -> list[PageReceipt]:
        return [self.receipts[number].model_copy(deep=True) for number in sorted(self.receipts)]


class MemoryRuns:
    """Takes note of nothing."""

    def advance(self, run: Run, **changes: Any) -> Run:
        return run


class FetchStage:
    """One run's fetch stage, which may be interrupted and redriven.

    `hand_overs` says at which requests a call's time is over.
    """

    def __init__(self, document: dict[str, Any], transport: httpx.AsyncBaseTransport, **settings: Any) -> None:
        self.datasource = HttpDatasource.model_validate_json(orjson.dumps(document))
        self.transport = transport
        self.settings = SETTINGS.model_copy(update=settings)
        self.lake, self.pages, self.runs = MemoryLake(), MemoryPages(), MemoryRuns()
        self.run = Run(id=new_run_id(), kind="ingest", datasource="d", created_at=rfc3339(now()), created_by="test")
        self.hand_overs: set[int] = set()
        self._turn = 0

    def fetch(self) -> FetchIndex:
        """All calls of the stage, one after the other, until it has ended."""
        while True:
            try:
                return asyncio.run(self._call())
            except HandOver:
                continue

    def redrive(self) -> FetchIndex:
        """The next attempt of the run."""
        self.run = self.run.model_copy(update={"attempt": self.run.attempt + 1})
        return self.fetch()

    async def _call(self) -> FetchIndex:
        client = SourceClient(self.transport, self.settings.max_page_bytes)
        tools: Any = FetchContext(
            client,
            self.lake,  # type: ignore[arg-type]
            self.pages,  # type: ignore[arg-type]
            self.runs,  # type: ignore[arg-type]
            self.settings,
            lambda name: "",
            self._seconds_left,
            lambda tally: None,
            self._pause,
        )
        return await HttpFetcher(self.run, self.datasource, tools).fetch()

    def _seconds_left(self) -> float:
        self._turn += 1
        return 0.0 if self._turn in self.hand_overs else 900.0

    async def _pause(self, seconds: float) -> None:
        return

    def records(self, index: FetchIndex) -> list[Any]:
        """The records of the pages that make the version."""
        bodies = [orjson.loads(self.lake.objects[f"raw/{page.hash}"]) for page in index.pages]
        return [record for body in bodies for record in body["data"]]
