"""Store pages while further ones are requested: each page's bytes first, then receipts in batches."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import takewhile
from typing import IO

from sluice.catalog.runs import MAX_RECEIPTS, Pages
from sluice.domain.run import PageReceipt
from sluice.lake.store import Lake

# The most pages without a written receipt: a process that is killed has requested them in vain.
MOST_UNWRITTEN = MAX_RECEIPTS
# A batch is written before MOST_UNWRITTEN is reached, so that requests need not wait for it.
_BATCH = 15
_STORED_AT_ONCE = 4


@dataclass(frozen=True)
class _Unwritten:
    receipt: PageReceipt
    stored: asyncio.Task[None]


class PageStore:
    """The pages of one run, stored concurrently; their receipts are written in the order of the pages.

    A receipt is written after the page's bytes and after all earlier receipts. So a process that is killed leaves
    receipts without gaps, each with its bytes in the lake, and a later call continues after them.

    Args:
        run_id: the run.
        lake: receives the pages.
        pages: receives the receipts.
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
        """Read the receipts that earlier calls have written, in the order of the pages."""
        receipts = self._pages.of_run(self._run_id)
        self._receipts = {receipt.number: receipt for receipt in receipts}
        return receipts

    @property
    def receipts(self) -> list[PageReceipt]:
        """All receipts of the run, whether or not they are written yet."""
        return list(self._receipts.values())

    async def keep(self, receipt: PageReceipt, body: IO[bytes]) -> None:
        """Start to store a page; wait first if too many pages are not written yet.

        Args:
            receipt: the page's receipt.
            body: the page's bytes; the store closes it.

        Raises:
            Unavailable: an earlier page could not be stored.
        """
        self._receipts[receipt.number] = receipt
        store_task = next((page.stored for page in self._unwritten if page.receipt.hash == receipt.hash), None)
        if store_task is None:
            store_task = asyncio.create_task(self._store(receipt, body))
            # Marks the exception as retrieved, so that asyncio does not log it; `write` raises it.
            store_task.add_done_callback(lambda task: task.cancelled() or task.exception())
        else:
            body.close()  # the same content is being stored already, under the same key
        self._unwritten.append(_Unwritten(receipt, store_task))
        if len(self._unwritten) >= _BATCH and (self._batch is None or self._batch.done()):
            await self._finish_batch()
            self._batch = asyncio.create_task(self.write())
        while len(self._unwritten) >= MOST_UNWRITTEN or self._waiting_bytes() > self._most_bytes:
            await asyncio.wait([next(page.stored for page in self._unwritten)])
            await self.write()

    async def note(self, receipt: PageReceipt) -> None:
        """Write the receipt of a failed page at once, since it says when the page may be requested again."""
        self._receipts[receipt.number] = receipt
        await asyncio.to_thread(self._pages.put, self._run_id, receipt)

    async def write(self) -> None:
        """Write the receipts of the pages that are stored by now, up to the first that is not.

        Raises:
            Unavailable: the first page without a receipt could not be stored.
        """
        async with self._writing:
            if self._unwritten and self._unwritten[0].stored.done():
                self._unwritten[0].stored.result()
                ready = list(takewhile(lambda page: _is_stored(page.stored), self._unwritten))[:MAX_RECEIPTS]
                await asyncio.to_thread(self._pages.put_all, self._run_id, [page.receipt for page in ready])
                for _ in ready:
                    self._unwritten.popleft()

    async def flush(self) -> None:
        """Store all remaining pages and write their receipts.

        Raises:
            Unavailable: a page could not be stored; the receipts of the pages before it are written.
        """
        await self._finish_batch()
        while self._unwritten:
            await asyncio.wait({page.stored for page in self._unwritten})
            await self.write()

    async def _finish_batch(self) -> None:
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
