"""Request a page until it arrives: retries, pauses, and the receipts of failures."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from sluice.catalog.calls import Outcome, Tally
from sluice.catalog.runs import Pages, Runs
from sluice.domain.names import now, rfc3339
from sluice.domain.run import PageReceipt, Run
from sluice.errors import AddressForbidden, RunError, SourceBusy, SourceRefused, SourceUnreachable
from sluice.lake.store import Lake
from sluice.settings import Settings
from sluice.sources.base import HandOver
from sluice.sources.http.auth import Credentials
from sluice.sources.http.client import Request, Response, SourceClient, connection_fault, full_url
from sluice.sources.http.pace import Pace

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
# The upstream asks for fewer requests of any page.
_BUSY = frozenset({429, 503})
_CONNECTION_ERRORS = (httpx.TransportError, TimeoutError, OSError)
_ADVICE = {
    400: "check the parameters",
    401: "check the secret",
    403: "check the secret and what it is allowed to read",
    404: "check the address",
    405: "check the method",
}


@dataclass(frozen=True)
class FetchContext:
    """The services of one call of the fetch stage.

    Args:
        client: sends requests.
        lake: receives the pages.
        pages: receives the receipts.
        runs: receives the run's progress.
        settings: limits and pauses.
        secret: returns a secret's value by its name.
        seconds_left: returns the seconds until this call must end.
        count: stores the numbers and durations of requests.
        pause: waits for some seconds.
    """

    client: SourceClient
    lake: Lake
    pages: Pages
    runs: Runs
    settings: Settings
    secret: Callable[[str], str]
    seconds_left: Callable[[], float]
    count: Callable[[Tally], None]
    pause: Callable[[float], Any] = asyncio.sleep


@dataclass(frozen=True)
class PageRequest:
    """A page to request.

    Args:
        number: the number of its receipt.
        pass_number: the number of its pass.
        request: the request.
        failures: the failures of earlier calls, as receipts have them.
    """

    number: int
    pass_number: int
    request: Request
    failures: list[dict[str, Any]]


@dataclass(frozen=True)
class RequestOutcome:
    """The outcome of one request: a response, or a failure.

    Args:
        response: the response, if its status is 2xx.
        failure: else the failure, for the page's receipt.
        error: the error of the run if another attempt would fail as well; None if the request can be retried.
    """

    response: Response | None = None
    failure: dict[str, Any] = field(default_factory=dict)
    error: RunError | None = None


@dataclass(frozen=True)
class FetchedPage:
    """A page that was received, and the failed attempts before."""

    response: Response
    failures: list[dict[str, Any]]


class Requester:
    """Requests the pages of one attempt of a run.

    Args:
        run: the run.
        tools: the services of this call.
        pace: the request rate, which all requests of the run share.
        note: writes the receipt of a failed page.
    """

    def __init__(
        self, run: Run, tools: FetchContext, pace: Pace, note: Callable[[PageReceipt], Awaitable[None]]
    ) -> None:
        self._attempt = run.attempt
        self._tools = tools
        self._pace = pace
        self._note = note
        self.credentials = Credentials()
        self.tally = Tally()

    async def receive(self, page: PageRequest, first: RequestOutcome | None = None) -> FetchedPage:
        """Request a page until it arrives. Each failure is stored in the page's receipt before the next attempt.

        Args:
            page: the page.
            first: the outcome of a request that was sent ahead.

        Raises:
            HandOver: too little time is left for another request.
            RunError: the page cannot be fetched.
        """
        failures = list(page.failures)
        while True:
            outcome, first = first or await self._ask_in_turn(page.request, failures), None
            if outcome.response is not None:
                return FetchedPage(outcome.response, self._latest(failures))
            failures.append(outcome.failure)
            await self.note_failures(page, failures)
            error = outcome.error or self._error_if_exhausted(page.request, outcome.failure, len(self._own(failures)))
            if error is not None:
                raise error

    async def ask_early(self, request: Request) -> RequestOutcome | None:
        """Request a page ahead of its turn, once; return None during a pause, or if too little time is left."""
        if self._pace.pausing or self._tools.seconds_left() < self._needed_seconds(request):
            return None
        return await self._ask(request, 0)

    async def reject(self, page: PageRequest, fetched: FetchedPage, digest: str, reason: str) -> None:
        """Store a page that cannot be used, and write its receipt as a failure.

        Args:
            page: the page.
            fetched: the response.
            digest: the hash of its body.
            reason: why it cannot be used.
        """
        await asyncio.to_thread(self._tools.lake.put_raw, fetched.response.body, digest)
        failure = self._failure(fetched.response.status, reason, digest)
        await self.note_failures(page, [*fetched.failures, failure])

    async def note_failures(self, page: PageRequest, failures: list[dict[str, Any]]) -> None:
        """Write the receipt of a page that failed.

        Args:
            page: the page.
            failures: all failures, the latest one last.
        """
        receipt = PageReceipt(
            number=page.number,
            pass_number=page.pass_number,
            attempt=self._attempt,
            ok=False,
            url=full_url(page.request),
            method=page.request.method,
            status=failures[-1]["status"],
            hash=failures[-1]["hash"],
            fetched_at=rfc3339(now()),
            failures=self._latest(failures),
        )
        await self._note(receipt)

    def keep_pause(self, receipts: list[PageReceipt]) -> None:
        """Continue the pause that an upstream asked an earlier call of this attempt for."""
        failures = [failure for receipt in receipts if not receipt.ok for failure in self._own(receipt.failures)]
        for failure in failures:
            if failure["status"] in _BUSY and failure["retry_at"] > 1000 * time.time():
                self._pace.slow_down(failure["retry_at"])

    async def _ask_in_turn(self, request: Request, failures: list[dict[str, Any]]) -> RequestOutcome:
        own_failures = self._own(failures)
        await self._await_turn(request, own_failures[-1]["retry_at"] if own_failures else 0)
        return await self._ask(request, len(own_failures))

    async def _ask(self, request: Request, earlier_attempts: int) -> RequestOutcome:
        retry_after: float | None = None
        error: RunError | None = None
        try:
            response = await self._send(request)
        except RunError as run_error:
            run_error.detail = self.credentials.mask(run_error.detail)
            return RequestOutcome(failure=self._failure(None, run_error.detail, None), error=run_error)
        except _CONNECTION_ERRORS as fault:
            failure = self._failure(None, self.credentials.mask(connection_fault(fault)), None)
        else:
            if 200 <= response.status < 300:
                return RequestOutcome(response)
            with response.body:
                # What the upstream says about the error is kept, and the receipt of the page names it.
                digest = await asyncio.to_thread(self._tools.lake.put_raw, response.body)
            failure = self._failure(response.status, f"HTTP status {response.status}", digest)
            error = _refusal(response.status) if response.status not in _RETRIED else None
            retry_after = response.retry_after()
        failure["retry_at"] = int(1000 * (time.time() + self._backoff(earlier_attempts, retry_after)))
        if failure["status"] in _BUSY:
            self._pace.slow_down(failure["retry_at"])
        return RequestOutcome(failure=failure, error=error)

    def _own(self, failures: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the failures of this attempt: a redrive has all of its retries again."""
        return [failure for failure in failures if failure["attempt"] == self._attempt]

    def _latest(self, failures: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the latest failures: a receipt keeps `keep_failed_answers` of them."""
        return failures[-self._tools.settings.keep_failed_answers :]

    def _needed_seconds(self, request: Request) -> float:
        """Return the seconds that a request and the work after it may take."""
        return max(request.timeout_seconds, self._tools.settings.fetch_reserve_seconds)

    async def _send(self, request: Request) -> Response:
        """Send a request, and count its outcome and duration."""
        start = time.monotonic()
        outcome: Outcome | None = "error"
        try:
            response = await self._tools.client.send(request, self.credentials)
            outcome = "success" if 200 <= response.status < 300 else "error"
            return response
        except (TimeoutError, httpx.TimeoutException):
            outcome = "timeout"
            raise
        except AddressForbidden:
            outcome = None  # no request was sent
            raise
        finally:
            if outcome is not None:
                self.tally.count(outcome, round(1000 * (time.monotonic() - start)))

    async def _await_turn(self, request: Request, retry_at: int) -> None:
        """Wait until a request may be sent.

        The time is in the page's receipt, so that the next call waits for it as well. A pause that the upstream
        asks for applies to all pages, and another response may extend it meanwhile.

        Args:
            request: the request.
            retry_at: when the page may be requested again, in epoch milliseconds; 0: at once.

        Raises:
            HandOver: too little time is left for the wait and the request.
        """
        while True:
            resume_at = max(retry_at, self._pace.not_before)
            pause = max(0.0, resume_at / 1000 - time.time())
            needed = self._needed_seconds(request)
            if self._tools.seconds_left() < pause + needed:
                # Use up the time of this call, or the workflow would call again at once and wait nevertheless.
                await self._tools.pause(min(pause, max(0.0, self._tools.seconds_left() - needed / 2)))
                raise HandOver
            if pause:
                await self._tools.pause(pause)
            if self._pace.not_before <= resume_at:
                return

    def _failure(self, status: int | None, reason: str, digest: str | None) -> dict[str, Any]:
        return {
            "attempt": self._attempt,
            "status": status,
            "reason": reason,
            "hash": digest,
            "at": rfc3339(now()),
            "retry_at": 0,
        }

    def _error_if_exhausted(self, request: Request, failure: dict[str, Any], attempts: int) -> RunError | None:
        if attempts < self._tools.settings.fetch_attempts:
            return None
        if failure["status"] is None:
            return SourceUnreachable(
                f"{full_url(request)}: {attempts} attempts failed ({failure['reason']}). Check the address."
            )
        return SourceBusy(
            f"{full_url(request)}: {attempts} attempts failed (HTTP {failure['status']}). Try again later, or send "
            "fewer requests."
        )

    def _backoff(self, earlier_attempts: int, retry_after: float | None) -> float:
        """Return the pause before the next attempt, in seconds: exponential backoff with full jitter.

        With `Retry-After` the pause is that time and a quarter of the jitter, so that several runs do not return at
        the same moment.
        """
        settings = self._tools.settings
        longest = min(settings.fetch_backoff_seconds * 2**earlier_attempts, settings.fetch_max_backoff_seconds)
        jitter = random.uniform(0, longest)  # noqa: S311 - spreads load, guards nothing
        return jitter if retry_after is None else min(retry_after, settings.fetch_max_retry_after_seconds) + jitter / 4


def _refusal(status: int) -> SourceRefused:
    advice = _ADVICE.get(status, "the stored response may say why")
    return SourceRefused(f"The upstream answered {status}; {advice}.")
