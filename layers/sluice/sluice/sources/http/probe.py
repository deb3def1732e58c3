"""Check and preview an HTTP API: request pages once, without storing anything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx

from sluice.domain.datasource import HttpDatasource
from sluice.domain.datasource.http_source import HttpSource
from sluice.domain.names import now, rfc3339
from sluice.domain.run import PageReceipt
from sluice.errors import RunError, SourceRefused, SourceUnreachable, UnreadableData
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import open_page
from sluice.settings import Settings
from sluice.sources.base import CheckResult, PageVisitor
from sluice.sources.http.auth import Credentials, credentials
from sluice.sources.http.client import Request, Response, SourceClient, connection_fault, full_url
from sluice.sources.http.pagination import End, PageFacts, State
from sluice.sources.http.paginators import make_paginator
from sluice.sources.http.request_builder import next_address, page_request


@dataclass(frozen=True)
class ProbedPage:
    """A page with the receipt that it would have; its body is closed when the next page is requested."""

    receipt: PageReceipt
    response: Response


class Probe:
    """Requests a few pages of an HTTP datasource, without retries.

    Args:
        datasource: the datasource; it need not be stored.
        settings: limits.
        secret: returns a secret's value by its name.
        transport: makes a new transport.
    """

    def __init__(
        self,
        datasource: HttpDatasource,
        settings: Settings,
        secret: Callable[[str], str],
        transport: Callable[[], httpx.AsyncBaseTransport],
    ) -> None:
        self._datasource = datasource
        self._http: HttpSource = datasource.http
        self._settings = settings
        self._secret = secret
        self._transport = transport
        self._limits = Limits.of(settings)
        self._status: int | None = None
        self._deadline = time.monotonic() + settings.probe_seconds

    def check(self) -> CheckResult:
        """Request the first page; errors of the upstream are part of the result and are not raised."""
        start = time.monotonic()

        async def ask() -> int:
            async for page in self._pages(1):
                return self._facts(page).records
            raise AssertionError("there is always a first page")

        records, reason = None, None
        try:
            records = asyncio.run(ask())
        except RunError as error:
            reason = error.detail
        return CheckResult(reason is None, self._status, round(1000 * (time.monotonic() - start)), records, reason)

    def preview(self, max_pages: int, visit: PageVisitor) -> int:
        """Request the first pages and pass each to `visit`.

        Args:
            max_pages: the most pages.
            visit: is called with the receipt and the body of each page.

        Returns:
            The number of pages.

        Raises:
            RunError: a page cannot be fetched or read.
        """

        async def ask() -> int:
            count = 0
            async for page in self._pages(max_pages):
                page.response.body.seek(0)
                visit(page.receipt, page.response.body)
                count += 1
            return count

        return asyncio.run(ask())

    async def _pages(self, max_pages: int) -> AsyncIterator[ProbedPage]:
        known_credentials = credentials(self._http.auth, self._secret)
        paginator = make_paginator(self._http.pagination)
        client = SourceClient(self._transport(), self._settings.max_page_bytes)
        state: State | End = paginator.first_state()
        try:
            for number in range(1, max_pages + 1):
                if isinstance(state, End):
                    return
                request = page_request(self._http, paginator.parameters(state))
                response = await self._ask(client, request, known_credentials)
                with response.body:
                    page = ProbedPage(page_receipt(number, request, response), response)
                    yield page
                    facts = self._facts(page) if paginator.reads_pages else PageFacts(None, 0)
                try:
                    state = paginator.next_state(state, facts)
                except ValueError as error:
                    raise UnreadableData(f"`pagination`: {error}.") from None
                if not isinstance(state, End) and "url" in state:
                    state = {"url": next_address(full_url(request), state["url"], known_credentials)}
        except RunError as error:
            error.detail = known_credentials.mask(error.detail)
            raise
        finally:
            await client.aclose()

    async def _ask(self, client: SourceClient, request: Request, known_credentials: Credentials) -> Response:
        seconds_left = max(0.1, self._deadline - time.monotonic())
        try:
            async with asyncio.timeout(seconds_left):
                response = await client.send(request, known_credentials)
        except (httpx.TransportError, TimeoutError, OSError) as error:
            fault = known_credentials.mask(connection_fault(error))
            raise SourceUnreachable(f"{full_url(request)} cannot be reached: {fault}. Check the address.") from None
        self._status = response.status
        if not 200 <= response.status < 300:
            response.body.close()
            raise SourceRefused(f"The upstream answered {response.status}.")
        return response

    def _facts(self, page: ProbedPage) -> PageFacts:
        page.response.body.seek(0)
        with open_page(self._datasource, page.receipt, page.response.body, self._limits) as parsed:
            document = parsed.document()
            return PageFacts(document, sum(1 for _ in parsed.records()), dict(page.response.headers))


def page_receipt(number: int, request: Request, response: Response) -> PageReceipt:
    """The receipt of a page that is tried and not stored.

    Args:
        number: the page's number, from 1.
        request: what was sent.
        response: the answer, a success.
    """
    return PageReceipt(
        number=number,
        ok=True,
        url=full_url(request),
        method=request.method,
        status=response.status,
        media_type=response.headers.get("content-type"),
        fetched_at=rfc3339(now()),
    )
