"""Storing pages while further ones are asked for: the bytes first, then their receipts in batches."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import takewhile
from typing import IO

from sluice.catalog.runs import MOST_TOGETHER, Pages
from sluice.domain.run import PageReceipt
from sluice.lake.store import Lake

# Pages whose receipts are not written yet: what a process that is killed has asked for in vain.
MOST_UNWRITTEN = MOST_TOGETHER
# A batch begins before there is room for no further page, so that the upstream need not wait for it.
_BATCH = 15
_STORED_AT_ONCE = 4


@dataclass(frozen=True)
class _Unwritten:
    receipt: PageReceipt
    stored: asyncio.Task[None]


class PageStore:
    """The pages of one run: stored side by side, their receipts written in the order of the pages.

    So whoever is killed leaves the receipts of the first pages, each with its bytes in the lake,
    and a later call goes on from there.

    Args:
        most_bytes: the most bytes of pages that wait to be stored.
    """

    def __init__(self, run_id: str, lake: Lake, pages: Pages, most_bytes: int) -> None:
        self._run_id = run_id
        self._lake = lake
        self._pages = pages
        self._most_bytes = most_bytes
        self._receipts: dict[int, PageReceipt] = {}
        self._unwritten: deque[_Unwritten] = deque()
        self._turns = asyncio.Semaphore(_STORED_AT_ONCE)
        self._writing = asyncio.Lock()
        self._batch: asyncio.Task[None] | None = None

    def load(self) -> list[PageReceipt]:
        """The receipts that earlier calls have written, in the order of the pages."""
        receipts = self._pages.of_run(self._run_id)
        self._receipts = {receipt.number: receipt for receipt in receipts}
        return receipts

    @property
    def receipts(self) -> list[PageReceipt]:
        """All receipts of the run, written or not."""
        return list(self._receipts.values())

    async def keep(self, receipt: PageReceipt, body: IO[bytes]) -> None:
        """Begin to store a page that was received, and close its body then.

        Waits where too many pages are not written yet.

        Raises:
            Unavailable: an earlier page could not be stored.
        """
        self._receipts[receipt.number] = receipt
        same = next((page.stored for page in self._unwritten if page.receipt.hash == receipt.hash), None)
        if same is None:
            same = asyncio.create_task(self._store(receipt, body))
            same.add_done_callback(lambda task: task.cancelled() or task.exception())  # `write` raises it
        else:
            body.close()  # two writers of one object would be in each other's way
        self._unwritten.append(_Unwritten(receipt, same))
        if len(self._unwritten) >= _BATCH and (self._batch is None or self._batch.done()):
            await self._batch_written()
            self._batch = asyncio.create_task(self.write())
        while len(self._unwritten) >= MOST_UNWRITTEN or self._waiting_bytes() > self._most_bytes:
            await asyncio.wait([next(page.stored for page in self._unwritten)])
            await self.write()

    async def note(self, receipt: PageReceipt) -> None:
        """Write the receipt of a page that could not be had, at once: it says when to ask again."""
        self._receipts[receipt.number] = receipt
        await asyncio.to_thread(self._pages.put, self._run_id, receipt)

    async def write(self) -> None:
        """Write the receipts of the pages that are stored by now.

        Raises:
            Unavailable: the first of them could not be stored.
        """
        async with self._writing:
            if self._unwritten and self._unwritten[0].stored.done():
                self._unwritten[0].stored.result()
                ready = list(takewhile(lambda page: _is_stored(page.stored), self._unwritten))[:MOST_TOGETHER]
                await asyncio.to_thread(self._pages.put_all, self._run_id, [page.receipt for page in ready])
                for _ in ready:
                    self._unwritten.popleft()

    async def flush(self) -> None:
        """Store and write all that is left.

        Raises:
            Unavailable: a page could not be stored; the receipts of those before it are written.
        """
        await self._batch_written()
        while self._unwritten:
            await asyncio.wait({page.stored for page in self._unwritten})
            await self.write()

    async def _batch_written(self) -> None:
        if self._batch is not None:
            await self._batch

    async def _store(self, receipt: PageReceipt, body: IO[bytes]) -> None:
        with body:
            async with self._turns:
                await asyncio.to_thread(self._lake.put_raw, body, receipt.hash)

    def _waiting_bytes(self) -> int:
        return sum(page.receipt.bytes for page in self._unwritten if not page.stored.done())


def _is_stored(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
