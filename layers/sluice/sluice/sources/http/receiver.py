"""Receive the pages of a run in order: request them ahead, read each once, and store them in the background."""

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
from sluice.sources.http.auth import Credentials
from sluice.sources.http.client import Response
from sluice.sources.http.identities import Identities
from sluice.sources.http.pace import Pace
from sluice.sources.http.page_reader import Expected, PageReader
from sluice.sources.http.page_store import PageStore
from sluice.sources.http.pagination import Paginator, State
from sluice.sources.http.passes import Pass
from sluice.sources.http.prefetcher import Prefetcher
from sluice.sources.http.request_builder import page_request
from sluice.sources.http.requester import FetchContext, FetchedPage, PageRequest, Requester, RequestOutcome

# A larger page is hashed in a thread, so that pending requests continue meanwhile.
_HASHED_AT_ONCE = 8 << 20


class Receiver:
    """Receives a run's pages one after the other, whatever the number of concurrent requests.

    Args:
        run: the run.
        datasource: its datasource.
        paginator: the datasource's paginator.
        identities: the identities of the pages' records.
        tools: the services of this call.
        max_pages: the most pages of a pass.
    """

    def __init__(
        self,
        run: Run,
        datasource: HttpDatasource,
        paginator: Paginator,
        identities: Identities,
        tools: FetchContext,
        max_pages: int,
    ) -> None:
        self._http: HttpSource = datasource.http
        self._paginator = paginator
        self._max_pages = max_pages
        self._most_bytes = tools.settings.max_pending_bytes
        self._pace = Pace(min(datasource.http.concurrency, tools.settings.max_concurrency))
        self._prefetcher = Prefetcher(self._ask_early)
        self._reader = PageReader(run, datasource, paginator, identities, tools.lake, Limits.of(tools.settings))
        self.store = PageStore(run.id, tools.lake, tools.pages, self._most_bytes)
        self._requester = Requester(run, tools, self._pace, self.store.note)

    def start(self, credentials: Credentials) -> list[PageReceipt]:
        """Continue after earlier calls of the run.

        Args:
            credentials: the credentials of all requests.

        Returns:
            The receipts that earlier calls have written.
        """
        self._requester.credentials = self._reader.credentials = credentials
        receipts = self.store.load()
        self._requester.keep_pause(receipts)
        return receipts

    async def receive(self, current: Pass, expected: Expected, failures: list[dict[str, Any]]) -> PageReceipt:
        """Receive the next page and start to store it.

        Args:
            current: the pass that the page belongs to.
            expected: the page.
            failures: the page's failures in earlier calls.

        Returns:
            The page's receipt.

        Raises:
            HandOver: too little time is left for another request.
            RunError: the page cannot be fetched.
            Unavailable: an earlier page could not be stored.
        """
        page = self._request(current, expected.state, current.next_number, failures)
        if not self._prefetcher.expects(expected.state):
            current.surprised = True
            await self._prefetcher.cancel()
        prefetched = await self._prefetcher.next_outcome()
        self._prefetch(current, expected, page.number, other_requests=1)
        fetched = await self._requester.receive(page, prefetched)
        self._pace.count_page()
        self._prefetch(current, expected, page.number, other_requests=0)
        return await self._accept(page, expected, fetched)

    def take_tally(self) -> Tally:
        """Return the numbers of requests since the last call of this method."""
        tally, self._requester.tally = self._requester.tally, Tally()
        return tally

    async def cancel_prefetched(self) -> None:
        """Cancel the requests for pages ahead: the pass has ended, or no more pages are received."""
        await self._prefetcher.cancel()

    async def keep_pauses(self, current: Pass) -> None:
        """Cancel the requests ahead, and store the pauses that their responses asked for, for the next call."""
        for number, (state, failure) in (await self._prefetcher.cancel()).items():
            if failure["retry_at"] > 1000 * time.time():
                await self._requester.note_failures(self._request(current, state, number, []), [failure])

    def _request(self, current: Pass, state: State, number: int, failures: list[dict[str, Any]]) -> PageRequest:
        request = page_request(self._http, self._paginator.parameters(state))
        return PageRequest(number, current.number, request, failures)

    async def _ask_early(self, state: State) -> RequestOutcome | None:
        return await self._requester.ask_early(page_request(self._http, self._paginator.parameters(state)))

    def _prefetch(self, current: Pass, expected: Expected, number: int, other_requests: int) -> None:
        """Request the pages after the current one, if a page of this pass has stated the total.

        Args:
            current: the pass.
            expected: the current page.
            number: the number of the current page.
            other_requests: the number of pending requests for pages whose turn has come.
        """
        if not current.pages or current.surprised or current.held or expected.check or self._pace.width == 1:
            return
        first, last = current.pages[0], current.pages[-1]
        states = self._paginator.states_ahead(expected.state, first.rows or 0, last.total)
        # Responses wait in memory or on disk until their turn, so their expected size limits the requests, too.
        width = min(self._pace.width, self._most_bytes // max(1, first.bytes))
        pages_left = self._max_pages - len(current.pages) - 1
        self._prefetcher.request(states, number + 1, max(0, min(width - other_requests, pages_left)))

    async def _accept(self, page: PageRequest, expected: Expected, fetched: FetchedPage) -> PageReceipt:
        body = fetched.response.body
        try:
            digest = await _digest(fetched.response)
            receipt = self._reader.receipt(page, expected, fetched, digest)
        except RunError as error:
            error.detail = self._requester.credentials.mask(error.detail)
            with body:
                await self._requester.reject(page, fetched, digest, error.detail)
            raise
        except BaseException:
            body.close()
            raise
        await self.store.keep(receipt, body)
        return receipt


async def _digest(response: Response) -> str:
    response.body.seek(0)
    if response.size <= _HASHED_AT_ONCE:
        return sha256_of(response.body)
    return await asyncio.to_thread(sha256_of, response.body)
