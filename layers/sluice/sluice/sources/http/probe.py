"""Asking an upstream once without keeping anything: check and preview."""

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
from sluice.sources.base import Checked, Look
from sluice.sources.http.auth import Credentials, credentials
from sluice.sources.http.client import Received, Request, SourceClient, connection_fault, full_url
from sluice.sources.http.pagination import End, PageFacts, State, paginator
from sluice.sources.http.request_builder import next_address, page_request


@dataclass(frozen=True)
class ProbedPage:
    """A page that was asked for, with the receipt it would have; its body is open while it is looked at."""

    receipt: PageReceipt
    received: Received


class Probe:
    """Asks an HTTP datasource for a few pages, each once.

    Args:
        secret: gives a secret's value by its name.
        transport: makes a fresh transport.
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

    def check(self) -> Checked:
        """Ask for the first page, and say how that went; nothing is raised for what an upstream does."""
        begun = time.monotonic()

        async def ask() -> int:
            async for page in self._pages(1):
                return self._facts(page).records
            raise AssertionError("there is always a first page")

        records, reason = None, None
        try:
            records = asyncio.run(ask())
        except RunError as error:
            reason = error.detail
        return Checked(reason is None, self._status, round(1000 * (time.monotonic() - begun)), records, reason)

    def preview(self, most: int, look: Look) -> int:
        """Look at the first pages.

        Returns:
            How many there were.

        Raises:
            RunError: the upstream cannot be had, or is not what the datasource says.
        """

        async def ask() -> int:
            count = 0
            async for page in self._pages(most):
                page.received.body.seek(0)
                look(page.receipt, page.received.body)
                count += 1
            return count

        return asyncio.run(ask())

    async def _pages(self, most: int) -> AsyncIterator[ProbedPage]:
        known = credentials(self._http.auth, self._secret)
        pages = paginator(self._http.pagination)
        client = SourceClient(self._transport(), self._settings.max_page_bytes)
        state: State | End = pages.first()
        try:
            for number in range(1, most + 1):
                if isinstance(state, End):
                    return
                request = page_request(self._http, pages.ask(state))
                received = await self._ask(client, request, known)
                with received.body:
                    page = ProbedPage(self._receipt(number, request, received), received)
                    yield page
                    facts = self._facts(page) if pages.reads_pages else PageFacts(None, 0)
                try:
                    state = pages.after(state, facts)
                except ValueError as error:
                    raise UnreadableData(f"`pagination`: {error}.") from None
                if not isinstance(state, End) and "url" in state:
                    state = {"url": next_address(full_url(request), state["url"], known)}
        except RunError as error:
            error.detail = known.masked(error.detail)
            raise
        finally:
            await client.aclose()

    async def _ask(self, client: SourceClient, request: Request, known: Credentials) -> Received:
        left = max(0.1, self._deadline - time.monotonic())
        try:
            async with asyncio.timeout(left):
                received = await client.send(request, known)
        except (httpx.TransportError, TimeoutError, OSError) as error:
            fault = known.masked(connection_fault(error))
            raise SourceUnreachable(f"{full_url(request)} cannot be reached: {fault}; check the address.") from None
        self._status = received.status
        if not 200 <= received.status < 300:
            received.body.close()
            raise SourceRefused(f"The upstream answered {received.status}.")
        return received

    def _receipt(self, number: int, request: Request, received: Received) -> PageReceipt:
        return PageReceipt(
            number=number,
            ok=True,
            url=full_url(request),
            method=request.method,
            status=received.status,
            media_type=received.headers.get("content-type"),
            fetched_at=rfc3339(now()),
        )

    def _facts(self, page: ProbedPage) -> PageFacts:
        page.received.body.seek(0)
        with open_page(self._datasource, page.receipt, page.received.body, self._limits) as opened:
            document = opened.document()
            return PageFacts(document, sum(1 for _ in opened.records()), dict(page.received.headers))
