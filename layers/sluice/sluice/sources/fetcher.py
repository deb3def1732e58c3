"""The fetch stage: ask for page after page, and keep each before anything reads it."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from sluice.catalog.calls import Outcome
from sluice.catalog.runs import Pages, Runs
from sluice.domain.datasource import Datasource
from sluice.domain.http_source import HttpSource
from sluice.domain.json_text import dumps
from sluice.domain.names import now, rfc3339
from sluice.domain.run import Completeness, FetchIndex, PageReceipt, Run, capped, requests_made
from sluice.errors import (
    AddressForbidden,
    RunError,
    RunStopped,
    SourceBusy,
    SourceRefused,
    SourceUnreachable,
    UnreadableData,
)
from sluice.formats.limits import Limits
from sluice.formats.page import ends_itself, open_page
from sluice.lake.store import Lake
from sluice.settings import Settings
from sluice.sources.asking import next_address, page_request
from sluice.sources.auth import Credentials, credentials
from sluice.sources.client import Received, Request, SourceClient, full_url
from sluice.sources.pagination import End, PageFacts, Paginator, State, paginator

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


class HttpFetcher:
    """Fetches one run's pages from an HTTP API, going on from what is stored already."""

    def __init__(self, run: Run, datasource: Datasource, tools: Fetching) -> None:
        assert datasource.http is not None
        self._run = run
        self._datasource = datasource
        self._http: HttpSource = datasource.http
        self._tools = tools
        self._paginator: Paginator = paginator(datasource.http.pagination)
        self._credentials = Credentials()
        self._limits = Limits.of(tools.settings)
        self._max_pages = datasource.http.pagination.max_pages or tools.settings.max_pages

    async def fetch(self) -> FetchIndex:
        """All pages, up to the end or to the first that cannot be had.

        Raises:
            HandOver: there is not enough time left for another request.
            RunError: not even the first page can be had.
            RunStopped: the run was cancelled.
        """
        self._credentials = credentials(self._http.auth, self._tools.secret)
        receipts = self._tools.pages.of_run(self._run.id)
        good = _kept(receipts, self._run.attempt)
        failures = {receipt.number: receipt.failures for receipt in receipts if not receipt.ok}
        while True:
            step = _step_after(good, self._paginator)
            if isinstance(step, End):
                return self._index(good, step.completeness, step.reason)
            if len(good) >= self._max_pages:
                return self._index(good, "partial", f"stopped after max_pages, {self._max_pages}, with more to come")
            number = len(good) + 1
            try:
                receipt = await self._page(number, step, failures.get(number, []), good)
            except (RunStopped, HandOver):
                raise
            except RunError as error:
                if not good:
                    raise
                return self._index(good, "partial", f"page {number} cannot be had: {error.detail}")
            good.append(receipt)
            self._run = self._tools.runs.advance(
                self._run,
                requests=requests_made(good),
                progress={"stage": "fetch", "current": number, "total": None},
            )

    async def _page(
        self, number: int, state: State, failures: list[dict[str, Any]], earlier: list[PageReceipt]
    ) -> PageReceipt:
        """Ask for one page until it comes, and store body, then receipt."""
        request = page_request(self._http, self._paginator.ask(state))
        failures = list(failures)
        final: RunError | None
        while True:
            mine = [failure for failure in failures if failure["attempt"] == self._run.attempt]
            tried = len(mine)
            await self._await_turn(request, mine[-1]["retry_at"] if mine else 0)
            try:
                received = await self._send(request)
                with received.body:
                    digest = await asyncio.to_thread(self._tools.lake.put_raw, received.body)
                    if 200 <= received.status < 300:
                        return self._accept(number, state, request, received, digest, failures, earlier)
                failure = self._failure(received.status, f"HTTP status {received.status}", digest)
                final = _refusal(received.status) if received.status not in _RETRIED else None
                wait = received.retry_after()
            except RunError as error:
                if not error.noted:
                    self._note_failure(number, request, [*failures, self._failure(None, error.detail, None)])
                raise
            except _CONNECTION_ERRORS as error:
                failure, final, wait = self._failure(None, _reason(error), None), None, None
            failure["retry_at"] = int(1000 * (time.time() + self._backoff(tried, wait)))
            failures.append(failure)
            self._note_failure(number, request, failures)
            final = final or self._exhausted(request, failure, tried + 1)
            if final is not None:
                raise final

    async def _send(self, request: Request) -> Received:
        """Ask the upstream, and count how it answers."""
        begun = time.monotonic()
        outcome: Outcome | None = "error"
        try:
            received = await self._tools.client.send(request, self._credentials)
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
            "attempt": self._run.attempt,
            "status": status,
            "reason": reason,
            "hash": digest,
            "at": rfc3339(now()),
            "retry_at": 0,
        }

    def _note_failure(self, number: int, request: Request, failures: list[dict[str, Any]]) -> None:
        receipt = PageReceipt(
            number=number,
            attempt=self._run.attempt,
            ok=False,
            url=full_url(request),
            status=failures[-1]["status"],
            hash=failures[-1]["hash"],
            fetched_at=rfc3339(now()),
            failures=failures[-self._tools.settings.keep_failed_answers :],
        )
        self._tools.pages.put(self._run.id, receipt)

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

    def _accept(
        self,
        number: int,
        state: State,
        request: Request,
        received: Received,
        digest: str,
        failures: list[dict[str, Any]],
        earlier: list[PageReceipt],
    ) -> PageReceipt:
        receipt = PageReceipt(
            number=number,
            attempt=self._run.attempt,
            ok=True,
            url=full_url(request),
            status=received.status,
            hash=digest,
            bytes=received.size,
            media_type=received.headers.get("content-type"),
            method=request.method,
            fetched_at=rfc3339(now()),
            etag=received.headers.get("etag"),
            last_modified=received.headers.get("last-modified"),
            failures=failures[-self._tools.settings.keep_failed_answers :],
        )
        facts = PageFacts(None, 0)
        if self._paginator.reads_pages:
            try:
                facts, receipt.records_hash = _facts(self._datasource, receipt, received, self._limits)
                following = self._following(state, facts, receipt.url)
            except RunError as error:
                refused = self._failure(received.status, error.detail, digest)
                self._note_failure(number, request, [*failures, refused])
                error.noted = True
                raise
            receipt.rows = facts.records
        else:
            following = self._following(state, facts, receipt.url)
        if following == End("complete") and not received.framed and not self._ends_itself(receipt, received):
            following = End("unproven", "the upstream does not say where its answer ends")
        # One record may well come twice, as the last one, too; a longer page does not.
        ended_well = isinstance(following, End) and following.completeness == "complete"
        if _repeats(earlier, receipt) and not (ended_well and facts.records == 1):
            following = End("partial", f"page {number} repeats the one before: the upstream ignores what is asked for")
            receipt.repeated = True
        if not isinstance(following, End) and _leads_back(following, [*earlier, receipt]):
            # Where the pages go round, this one may be the first again.
            receipt.repeated = receipt.repeated or _was_had(receipt, earlier)
            following = End("partial", f"page {number} leads back to a page that was had before")
        receipt.resume = _resume(following)
        self._tools.pages.put(self._run.id, receipt)
        return receipt

    def _following(self, state: State, facts: PageFacts, url: str) -> State | End:
        try:
            following = self._paginator.after(state, facts)
        except ValueError as error:
            raise UnreadableData(f"`pagination`: {error}.") from None
        if not isinstance(following, End) and "url" in following:
            return {"url": next_address(url, following["url"], self._credentials)}
        return following

    def _ends_itself(self, receipt: PageReceipt, received: Received) -> bool:
        """Whether a cut-off page would be noticed by its format, as JSON's brackets do."""
        received.body.seek(0)
        return ends_itself(self._datasource, receipt, received.body, self._limits)

    def _index(self, good: list[PageReceipt], completeness: Completeness, reason: str | None) -> FetchIndex:
        kept = [page for page in good if not page.repeated]
        return FetchIndex(
            datasource=self._datasource.slug,
            run=self._run.id,
            attempt=self._run.attempt,
            fetched_at=good[0].fetched_at,
            pages=kept,
            completeness=completeness,
            completeness_reasons=capped([reason] if reason else []),
            requests=requests_made(self._tools.pages.of_run(self._run.id)),
        )


def _kept(receipts: list[PageReceipt], attempt: int) -> list[PageReceipt]:
    """The good pages to go on from.

    A page of an earlier attempt that ended the run as partial is asked for again: the upstream
    may have come to its senses since.
    """
    good = [receipt for receipt in receipts if receipt.ok]
    if good and good[-1].resume.get("end") == "partial" and good[-1].attempt < attempt:
        good.pop()
    return good


def _step_after(good: list[PageReceipt], pages: Paginator) -> State | End:
    if not good:
        return pages.first()
    resume = good[-1].resume
    if "end" in resume:
        return End(resume["end"], resume.get("reason"))
    return dict(resume["state"])


def _resume(following: State | End) -> dict[str, Any]:
    if isinstance(following, End):
        return {"end": following.completeness, "reason": following.reason}
    return {"state": following}


def _facts(datasource: Datasource, receipt: PageReceipt, received: Received, limits: Limits) -> tuple[PageFacts, str]:
    """What the paginator may know of a page, and a hash of its records alone."""
    received.body.seek(0)
    with open_page(datasource, receipt, received.body, limits) as page:
        document = page.document()
        found = list(page.records())
    digest = hashlib.sha256(dumps(found)).hexdigest()
    return PageFacts(document, len(found), dict(received.headers)), digest


def _repeats(earlier: list[PageReceipt], page: PageReceipt) -> bool:
    return bool(earlier) and bool(page.rows) and earlier[-1].records_hash == page.records_hash


def _was_had(page: PageReceipt, earlier: list[PageReceipt]) -> bool:
    return bool(page.rows) and any(one.records_hash == page.records_hash for one in earlier)


def _leads_back(following: State, pages: list[PageReceipt]) -> bool:
    """Whether the next page is one that was asked for before: numbers grow, addresses may not."""
    if "url" in following and any(page.url == following["url"] and page.method == "GET" for page in pages):
        return True
    return ("url" in following or "cursor" in following) and any(
        page.resume.get("state") == following for page in pages
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.LocalProtocolError):
        return "the request cannot be sent"  # the library's text may hold a header's value
    return str(error) or type(error).__name__


def _refusal(status: int) -> SourceRefused:
    advice = _ADVICE.get(status, "see the page's content for what it says")
    return SourceRefused(f"The upstream answered {status}; {advice}.")
