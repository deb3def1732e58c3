"""The requests of one detection: few, within a time limit, and with the protections of every fetch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx

from sluice.domain.datasource.http_source import HttpSource
from sluice.domain.run import PageReceipt
from sluice.errors import SourceRefused, SourceUnreachable
from sluice.settings import Settings
from sluice.sources.http.auth import Credentials
from sluice.sources.http.client import Request, RequestDeclinedError, Response, SourceClient, connection_fault, full_url
from sluice.sources.http.pagination import PageParameters
from sluice.sources.http.probe import page_receipt
from sluice.sources.http.request_builder import page_request

_ADVICE = {
    400: "check the parameters in the address",
    403: "check what the credentials are allowed to read",
    404: "check the address",
    405: "the address does not take GET; write the datasource by hand, with `http.method`",
    406: "write the datasource by hand, with the header `Accept` that the upstream wants",
    410: "the address is gone; check the upstream's documentation",
    429: "try again later",
}


class RequestsExhaustedError(RequestDeclinedError):
    """The detection has no request left, or no time; the text says which."""


class BoundedTransport(httpx.AsyncBaseTransport):
    """Sends at most a number of requests; each redirect is one.

    Args:
        transport: sends the requests.
        most: the most requests.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, most: int) -> None:
        self._transport = transport
        self._most = most
        self.count = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            RequestsExhaustedError: no request is left.
        """
        if self.count >= self._most:
            raise RequestsExhaustedError("more requests than DETECT_REQUESTS allows are needed")
        self.count += 1
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


class Session:
    """Sends the requests of one detection.

    Args:
        transport: makes a new transport.
        settings: the limits.
        credentials: the credentials of every request.
        seconds: the longest duration of all requests together.
    """

    def __init__(
        self,
        transport: Callable[[], httpx.AsyncBaseTransport],
        settings: Settings,
        credentials: Credentials,
        seconds: float,
    ) -> None:
        self._transport = BoundedTransport(transport(), settings.detect_requests)
        self._client = SourceClient(self._transport, settings.max_page_bytes)
        self._deadline = time.monotonic() + seconds
        self.credentials = credentials

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._transport.count

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(self, http: HttpSource, parameters: PageParameters) -> tuple[PageReceipt, Response]:
        """Request a page.

        Args:
            http: the datasource's `http`.
            parameters: the page's parameters.

        Returns:
            The receipt that the page would have, and the response with a status of 2xx; the caller closes its body.

        Raises:
            RequestsExhaustedError: no request or no time is left.
            RunError: the upstream cannot be reached, refuses the request, or answers too much.
        """
        request = page_request(http, parameters)
        response = await self._send(request)
        if not 200 <= response.status < 300:
            response.body.close()
            raise _refusal(response.status, authenticated=bool(self.credentials.values))
        return page_receipt(1, request, response), response

    async def _send(self, request: Request) -> Response:
        seconds_left = self._deadline - time.monotonic()
        if seconds_left <= 0:
            raise RequestsExhaustedError("more time than PROBE_SECONDS is needed")
        try:
            async with asyncio.timeout(seconds_left):
                return await self._client.send(request, self.credentials)
        except (httpx.TransportError, TimeoutError, OSError) as error:
            fault = self.credentials.mask(connection_fault(error))
            address = self.credentials.mask(full_url(request))
            raise SourceUnreachable(f"{address} cannot be reached: {fault}. Check the address.") from None


def _refusal(status: int, *, authenticated: bool) -> SourceRefused:
    advice = _ADVICE.get(status)
    if status == 401:
        advice = "check the secret" if authenticated else "add `auth`, which names the secret that holds the credential"
    if status == 403 and not authenticated:
        advice = "perhaps it needs credentials: add `auth`, which names the secret that holds them"
    if status >= 500:
        advice = "try again later"
    return SourceRefused(f"The upstream answered {status}; {advice or 'check the address'}.")
