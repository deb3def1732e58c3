"""Asking an upstream for a page until it comes: retries, pauses, and the receipts of failures."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from sluice.catalog.calls import Outcome
from sluice.catalog.runs import Pages, Runs
from sluice.domain.names import now, rfc3339
from sluice.domain.run import PageReceipt, Run
from sluice.errors import AddressForbidden, RunError, SourceBusy, SourceRefused, SourceUnreachable
from sluice.lake.store import Lake
from sluice.settings import Settings
from sluice.sources.auth import Credentials
from sluice.sources.client import Received, Request, SourceClient, connection_fault, full_url

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONNECTION_ERRORS = (httpx.TransportError, TimeoutError, OSError)
_ADVICE = {
    400: "check the parameters",
    401: "check the secret",
    403: "check the secret and what it is allowed to read",
    404: "check the address",
    405: "check the method",
}


class HandOver(Exception):
    """The time of this call is nearly over: the next one goes on from the receipts."""


@dataclass(frozen=True)
class Fetching:
    """What the fetch stage works with.

    Args:
        secret: gives a secret's value by its name.
        seconds_left: how long this call may still run.
        count: counts a call, by its outcome and how many milliseconds it took.
    """

    client: SourceClient
    lake: Lake
    pages: Pages
    runs: Runs
    settings: Settings
    secret: Callable[[str], str]
    seconds_left: Callable[[], float]
    count: Callable[[Outcome, int], None]
    pause: Callable[[float], Any] = asyncio.sleep


@dataclass(frozen=True)
class PageRequest:
    """A page that is asked for: where it belongs, how, and how asking has failed before."""

    number: int
    pass_number: int
    request: Request
    failures: list[dict[str, Any]]


# Makes the receipt of a page from its answer, the hash of its body, and the failures before.
Accept = Callable[[Received, str, list[dict[str, Any]]], PageReceipt]


class Requester:
    """Asks for the pages of one attempt of a run."""

    def __init__(self, run: Run, tools: Fetching) -> None:
        self._attempt = run.attempt
        self._run_id = run.id
        self._tools = tools
        self.credentials = Credentials()

    async def receive(self, page: PageRequest, accept: Accept) -> PageReceipt:
        """Ask for a page until it comes, and store its body, then its receipt.

        Raises:
            HandOver: there is not enough time left for another request.
            RunError: the page cannot be had.
        """
        failures = list(page.failures)
        final: RunError | None
        while True:
            mine = [failure for failure in failures if failure["attempt"] == self._attempt]
            tried = len(mine)
            await self._await_turn(page.request, mine[-1]["retry_at"] if mine else 0)
            try:
                received = await self._send(page.request)
                with received.body:
                    digest = await asyncio.to_thread(self._tools.lake.put_raw, received.body)
                    if 200 <= received.status < 300:
                        return self._accepted(page, received, digest, failures, accept)
                failure = self._failure(received.status, f"HTTP status {received.status}", digest)
                final = _refusal(received.status) if received.status not in _RETRIED else None
                wait = received.retry_after()
            except RunError as error:
                error.detail = self.credentials.masked(error.detail)
                if not error.noted:
                    self._note_failure(page, [*failures, self._failure(None, error.detail, None)])
                raise
            except _CONNECTION_ERRORS as error:
                failure, final, wait = (
                    self._failure(None, self.credentials.masked(connection_fault(error)), None),
                    None,
                    None,
                )
            failure["retry_at"] = int(1000 * (time.time() + self._backoff(tried, wait)))
            failures.append(failure)
            self._note_failure(page, failures)
            final = final or self._exhausted(page.request, failure, tried + 1)
            if final is not None:
                raise final

    def _accepted(
        self, page: PageRequest, received: Received, digest: str, failures: list[dict[str, Any]], accept: Accept
    ) -> PageReceipt:
        try:
            receipt = accept(received, digest, failures[-self._tools.settings.keep_failed_answers :])
        except RunError as error:
            self._note_failure(page, [*failures, self._failure(received.status, error.detail, digest)])
            error.noted = True
            raise
        self._tools.pages.put(self._run_id, receipt)
        return receipt

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
                self._tools.count(outcome, round(1000 * (time.monotonic() - begun)))

    async def _await_turn(self, request: Request, retry_at: int) -> None:
        """Wait until the moment, in epoch milliseconds, at which the page may be asked for again.

        The moment stands in the receipt, so that the next call keeps to it as well.

        Raises:
            HandOver: too little time is left for the wait and the request.
        """
        pause = max(0.0, retry_at / 1000 - time.time())
        needed = max(request.timeout_seconds, self._tools.settings.fetch_reserve_seconds)
        if self._tools.seconds_left() < pause + needed:
            await self._tools.pause(min(pause, max(0.0, self._tools.seconds_left() - needed / 2)))
            raise HandOver
        await self._tools.pause(pause)

    def _failure(self, status: int | None, reason: str, digest: str | None) -> dict[str, Any]:
        return {
            "attempt": self._attempt,
            "status": status,
            "reason": reason,
            "hash": digest,
            "at": rfc3339(now()),
            "retry_at": 0,
        }

    def _note_failure(self, page: PageRequest, failures: list[dict[str, Any]]) -> None:
        receipt = PageReceipt(
            number=page.number,
            pass_number=page.pass_number,
            attempt=self._attempt,
            ok=False,
            url=full_url(page.request),
            status=failures[-1]["status"],
            hash=failures[-1]["hash"],
            fetched_at=rfc3339(now()),
            failures=failures[-self._tools.settings.keep_failed_answers :],
        )
        self._tools.pages.put(self._run_id, receipt)

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
