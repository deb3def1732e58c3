"""Asking an upstream for a page until it comes: retries, pauses, and the receipts of failures."""

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
from sluice.sources.http.client import Received, Request, SourceClient, connection_fault, full_url
from sluice.sources.http.pace import Pace

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
# The upstream wants fewer requests, whichever page it says so for.
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
class Fetching:
    """What the fetch stage works with.

    Args:
        secret: gives a secret's value by its name.
        seconds_left: how long this call may still run.
        count: stores how calls were answered.
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
    """A page that is asked for: where it belongs, how, and how asking has failed before."""

    number: int
    pass_number: int
    request: Request
    failures: list[dict[str, Any]]


@dataclass(frozen=True)
class Try:
    """What asking for a page once has given: its answer, or the failure for its receipt.

    Args:
        error: why asking again would not help.
    """

    received: Received | None = None
    failure: dict[str, Any] = field(default_factory=dict)
    error: RunError | None = None


@dataclass(frozen=True)
class Answer:
    """A page that came, and the failures before."""

    received: Received
    failures: list[dict[str, Any]]


class Requester:
    """Asks for the pages of one attempt of a run.

    Args:
        note: writes the receipt of a page that could not be had.
    """

    def __init__(self, run: Run, tools: Fetching, pace: Pace, note: Callable[[PageReceipt], Awaitable[None]]) -> None:
        self._attempt = run.attempt
        self._tools = tools
        self._pace = pace
        self._note = note
        self.credentials = Credentials()
        self.tally = Tally()

    async def receive(self, page: PageRequest, first: Try | None = None) -> Answer:
        """Ask for a page until it comes; each failure is in the page's receipt before it is asked for again.

        Args:
            first: what asking for it has given already.

        Raises:
            HandOver: there is not enough time left for another request.
            RunError: the page cannot be had.
        """
        failures = list(page.failures)
        while True:
            outcome, first = first or await self._ask_in_turn(page.request, failures), None
            if outcome.received is not None:
                return Answer(outcome.received, self._listed(failures))
            failures.append(outcome.failure)
            await self.note_failures(page, failures)
            error = outcome.error or self._exhausted(page.request, outcome.failure, len(self._mine(failures)))
            if error is not None:
                raise error

    async def ask_early(self, request: Request) -> Try | None:
        """Ask once for a page whose turn has not come; none when the upstream wants a pause, or little time is left."""
        if self._pace.pausing or self._tools.seconds_left() < self._needed(request):
            return None
        return await self._ask(request, 0)

    async def refuse(self, page: PageRequest, answer: Answer, digest: str, reason: str) -> None:
        """Keep a page that came and is not what was asked for, and say so in its receipt."""
        await asyncio.to_thread(self._tools.lake.put_raw, answer.received.body, digest)
        failure = self._failure(answer.received.status, reason, digest)
        await self.note_failures(page, [*answer.failures, failure])

    async def note_failures(self, page: PageRequest, failures: list[dict[str, Any]]) -> None:
        """Write the receipt of a page that could not be had."""
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
            failures=self._listed(failures),
        )
        await self._note(receipt)

    def keep_pause(self, receipts: list[PageReceipt]) -> None:
        """Keep to the pause that an earlier call of this attempt was asked for."""
        failures = [failure for receipt in receipts if not receipt.ok for failure in self._mine(receipt.failures)]
        for failure in failures:
            if failure["status"] in _BUSY and failure["retry_at"] > 1000 * time.time():
                self._pace.slow_down(failure["retry_at"])

    async def _ask_in_turn(self, request: Request, failures: list[dict[str, Any]]) -> Try:
        mine = self._mine(failures)
        await self._await_turn(request, mine[-1]["retry_at"] if mine else 0)
        return await self._ask(request, len(mine))

    async def _ask(self, request: Request, tried: int) -> Try:
        wait: float | None = None
        error: RunError | None = None
        try:
            received = await self._send(request)
        except RunError as refused:
            refused.detail = self.credentials.masked(refused.detail)
            return Try(failure=self._failure(None, refused.detail, None), error=refused)
        except _CONNECTION_ERRORS as fault:
            failure = self._failure(None, self.credentials.masked(connection_fault(fault)), None)
        else:
            if 200 <= received.status < 300:
                return Try(received)
            with received.body:
                digest = await asyncio.to_thread(self._tools.lake.put_raw, received.body)
            failure = self._failure(received.status, f"HTTP status {received.status}", digest)
            error = _refusal(received.status) if received.status not in _RETRIED else None
            wait = received.retry_after()
        failure["retry_at"] = int(1000 * (time.time() + self._backoff(tried, wait)))
        if failure["status"] in _BUSY:
            self._pace.slow_down(failure["retry_at"])
        return Try(failure=failure, error=error)

    def _mine(self, failures: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [failure for failure in failures if failure["attempt"] == self._attempt]

    def _listed(self, failures: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return failures[-self._tools.settings.keep_failed_answers :]

    def _needed(self, request: Request) -> float:
        """The seconds that a request may take, with what must follow it."""
        return max(request.timeout_seconds, self._tools.settings.fetch_reserve_seconds)

    async def _send(self, request: Request) -> Received:
        """Ask the upstream, and count how it answers."""
        begun = time.monotonic()
        outcome: Outcome | None = "error"
        try:
            received = await self._tools.client.send(request, self.credentials)
            outcome = "success" if 200 <= received.status < 300 else "error"
            return received
        except (TimeoutError, httpx.TimeoutException):
            outcome = "timeout"
            raise
        except AddressForbidden:
            outcome = None  # nobody was asked
            raise
        finally:
            if outcome is not None:
                self.tally.count(outcome, round(1000 * (time.monotonic() - begun)))

    async def _await_turn(self, request: Request, retry_at: int) -> None:
        """Wait until the moment, in epoch milliseconds, at which the page may be asked for again.

        The moment stands in the receipt, so that the next call keeps to it as well. A pause that
        the upstream has asked for holds for all pages, and may grow meanwhile.

        Raises:
            HandOver: too little time is left for the wait and the request.
        """
        while True:
            awaited = max(retry_at, self._pace.not_before)
            pause = max(0.0, awaited / 1000 - time.time())
            needed = self._needed(request)
            if self._tools.seconds_left() < pause + needed:
                await self._tools.pause(min(pause, max(0.0, self._tools.seconds_left() - needed / 2)))
                raise HandOver
            if pause:
                await self._tools.pause(pause)
            if self._pace.not_before <= awaited:
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

    def _exhausted(self, request: Request, failure: dict[str, Any], tries: int) -> RunError | None:
        if tries < self._tools.settings.fetch_attempts:
            return None
        if failure["status"] is None:
            return SourceUnreachable(
                f"{full_url(request)} cannot be reached after {tries} tries: {failure['reason']}; check the address."
            )
        return SourceBusy(
            f"{full_url(request)} answered {failure['status']} to {tries} tries; try again later, or ask less often."
        )

    def _backoff(self, tried: int, wait: float | None) -> float:
        """Full jitter over a doubling pause; an upstream that says how long gets at least that."""
        settings = self._tools.settings
        longest = min(settings.fetch_backoff_seconds * 2**tried, settings.fetch_max_backoff_seconds)
        jitter = random.uniform(0, longest)  # noqa: S311 - spreads load, guards nothing
        return jitter if wait is None else min(wait, settings.fetch_max_retry_after_seconds) + jitter / 4


def _refusal(status: int) -> SourceRefused:
    advice = _ADVICE.get(status, "see the page's content for what it says")
    return SourceRefused(f"The upstream answered {status}; {advice}.")
