"""Receiving the pages of a run in their order: asked for ahead, read once, stored behind."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from sluice.catalog.calls import Tally
from sluice.domain.datasource import HttpDatasource
from sluice.domain.datasource.http_source import HttpSource
from sluice.domain.run import PageReceipt, Run
from sluice.errors import RunError
from sluice.formats.limits import Limits
from sluice.lake.store import sha256_of
from sluice.sources.http.ahead import Ahead
from sluice.sources.http.auth import Credentials
from sluice.sources.http.client import Received
from sluice.sources.http.identities import Identities
from sluice.sources.http.pace import Pace
from sluice.sources.http.page_reader import Expected, PageReader
from sluice.sources.http.page_store import PageStore
from sluice.sources.http.pagination import Paginator, State
from sluice.sources.http.passes import Pass
from sluice.sources.http.request_builder import page_request
from sluice.sources.http.requester import Answer, Fetching, PageRequest, Requester, Try

# A longer page is hashed in a thread, so that what is under way goes on.
_HASHED_AT_ONCE = 8 << 20


class Receiver:
    """Gives a run's pages one after the other, however many requests are under way.

    Args:
        max_pages: the most pages of a pass.
    """

    def __init__(
        self,
        run: Run,
        datasource: HttpDatasource,
        pages: Paginator,
        identities: Identities,
        tools: Fetching,
        max_pages: int,
    ) -> None:
        self._http: HttpSource = datasource.http
        self._paginator = pages
        self._max_pages = max_pages
        self._most_bytes = tools.settings.max_pending_bytes
        self._pace = Pace(min(datasource.http.concurrency, tools.settings.max_concurrency))
        self._ahead = Ahead(self._ask_early)
        self._reader = PageReader(run, datasource, pages, identities, tools.lake, Limits.of(tools.settings))
        self.store = PageStore(run.id, tools.lake, tools.pages, self._most_bytes)
        self._requester = Requester(run, tools, self._pace, self.store.note)

    def begin(self, credentials: Credentials) -> list[PageReceipt]:
        """Take up what earlier calls have left.

        Returns:
            The receipts that they have written.
        """
        self._requester.credentials = self._reader.credentials = credentials
        receipts = self.store.load()
        self._requester.keep_pause(receipts)
        return receipts

    async def receive(self, present: Pass, expected: Expected, failures: list[dict[str, Any]]) -> PageReceipt:
        """The receipt of the next page, which is being stored.

        Args:
            failures: how asking for the page has failed in earlier calls.

        Raises:
            HandOver: there is not enough time left for another request.
            RunError: the page cannot be had.
            Unavailable: an earlier page could not be stored.
        """
        page = self._request(present, expected.state, present.next_number, failures)
        if not self._ahead.foresees(expected.state):
            present.surprised = True
            await self._ahead.drop()
        asked = await self._ahead.take()
        self._look_ahead(present, expected, page.number, besides=1)
        answer = await self._requester.receive(page, asked)
        self._pace.page_came()
        self._look_ahead(present, expected, page.number, besides=0)
        return await self._accepted(page, expected, answer)

    def take_tally(self) -> Tally:
        """The calls since this was asked for last."""
        taken, self._requester.tally = self._requester.tally, Tally()
        return taken

    async def forget(self) -> None:
        """Drop what was asked for ahead: the pass has ended, or nothing more is received."""
        await self._ahead.drop()

    async def keep_pauses(self, present: Pass) -> None:
        """Write down, for the next call, what the upstream wants a pause for; nothing is under way afterwards."""
        for number, (state, failure) in (await self._ahead.drop()).items():
            if failure["retry_at"] > 1000 * time.time():
                await self._requester.note_failures(self._request(present, state, number, []), [failure])

    def _request(self, present: Pass, state: State, number: int, failures: list[dict[str, Any]]) -> PageRequest:
        request = page_request(self._http, self._paginator.ask(state))
        return PageRequest(number, present.number, request, failures)

    async def _ask_early(self, state: State) -> Try | None:
        return await self._requester.ask_early(page_request(self._http, self._paginator.ask(state)))

    def _look_ahead(self, present: Pass, expected: Expected, number: int, besides: int) -> None:
        """Ask for the pages after the present one, where a page of this attempt has said how many there are.

        Args:
            besides: how many requests are under way for pages whose turn has come.
        """
        if not present.pages or present.surprised or present.held or expected.check or self._pace.width == 1:
            return
        first, last = present.pages[0], present.pages[-1]
        states = self._paginator.ahead(expected.state, first.rows or 0, last.total)
        width = min(self._pace.width, self._most_bytes // max(1, first.bytes))
        left = self._max_pages - len(present.pages) - 1
        self._ahead.look(states, number + 1, max(0, min(width - besides, left)))

    async def _accepted(self, page: PageRequest, expected: Expected, answer: Answer) -> PageReceipt:
        body = answer.received.body
        try:
            digest = await _digest(answer.received)
            receipt = self._reader.receipt(page, expected, answer, digest)
        except RunError as error:
            error.detail = self._requester.credentials.masked(error.detail)
            with body:
                await self._requester.refuse(page, answer, digest, error.detail)
            raise
        except BaseException:
            body.close()
            raise
        await self.store.keep(receipt, body)
        return receipt


async def _digest(received: Received) -> str:
    received.body.seek(0)
    if received.size <= _HASHED_AT_ONCE:
        return sha256_of(received.body)
    return await asyncio.to_thread(sha256_of, received.body)
