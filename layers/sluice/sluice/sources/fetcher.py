"""The fetch stage: ask for page after page, and keep each before anything reads it."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

import httpx
import orjson

from sluice.catalog.runs import Pages, Runs
from sluice.domain.datasource import Datasource, HttpSource
from sluice.domain.names import now, rfc3339
from sluice.domain.run import Completeness, FetchIndex, PageReceipt, Run, capped
from sluice.errors import RunError, RunStopped, SourceBusy, SourceRefused, SourceUnreachable
from sluice.formats import page as formats
from sluice.lake.store import Lake
from sluice.settings import Settings
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
    """

    client: SourceClient
    lake: Lake
    pages: Pages
    runs: Runs
    settings: Settings
    secret: Callable[[str], str]
    seconds_left: Callable[[], float]
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
        good = [receipt for receipt in receipts if receipt.ok]
        failures = {receipt.number: receipt.failures for receipt in receipts if not receipt.ok}
        while True:
            step = _step_after(good, self._paginator)
            if isinstance(step, End):
                return self._index(good, step.completeness, step.reason)
            if len(good) >= self._max_pages:
                return self._index(good, "partial", f"stopped after max_pages, {self._max_pages}, with more to come")
            number = len(good) + 1
            try:
                receipt = await self._page(number, step, failures.get(number, []), good[-1] if good else None)
            except (RunStopped, HandOver):
                raise
            except RunError as error:
                if not good:
                    raise
                return self._index(good, "partial", f"page {number} cannot be had: {error.detail}")
            good.append(receipt)
            self._run = self._tools.runs.advance(
                self._run,
                requests=sum(1 + len(page.failures) for page in good),
                progress={"stage": "fetch", "current": number, "total": None},
            )

    async def _page(
        self, number: int, state: State, failures: list[dict[str, Any]], before: PageReceipt | None
    ) -> PageReceipt:
        """Ask for one page until it comes, and store body, then receipt."""
        request = self._request(state)
        failures = list(failures)
        final: RunError | None
        while True:
            tried = sum(1 for failure in failures if failure["attempt"] == self._run.attempt)
            self._require_time(request)
            try:
                received = await self._tools.client.send(request, self._credentials)
                with received.body:
                    digest = await asyncio.to_thread(self._tools.lake.put_raw, received.body)
                    if 200 <= received.status < 300:
                        return self._accept(number, state, request, received, digest, failures, before)
                failure = self._failure(received.status, f"HTTP status {received.status}", digest)
                final = _refusal(received.status) if received.status not in _RETRIED else None
                wait = received.retry_after()
            except _CONNECTION_ERRORS as error:
                failure, final, wait = self._failure(None, _reason(error), None), None, None
            failures.append(failure)
            self._note_failure(number, request, failures)
            final = final or self._exhausted(request, failure, tried + 1)
            if final is not None:
                raise final
            await self._tools.pause(self._backoff(tried, wait))

    def _request(self, state: State) -> Request:
        params = {name: _query_text(value) for name, value in self._http.params.items()}
        return Request(
            method=self._http.method,
            url=self._http.url,
            params=params | dict(self._paginator.params(state)),
            headers=self._http.headers,
            json=self._http.body,
            timeout_seconds=self._http.timeout_seconds,
        )

    def _require_time(self, request: Request) -> None:
        if self._tools.seconds_left() < max(request.timeout_seconds, self._tools.settings.fetch_reserve_seconds):
            raise HandOver

    def _failure(self, status: int | None, reason: str, digest: str | None) -> dict[str, Any]:
        return {"attempt": self._run.attempt, "status": status, "reason": reason, "hash": digest, "at": rfc3339(now())}

    def _note_failure(self, number: int, request: Request, failures: list[dict[str, Any]]) -> None:
        receipt = PageReceipt(
            number=number,
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
        before: PageReceipt | None,
    ) -> PageReceipt:
        receipt = PageReceipt(
            number=number,
            ok=True,
            url=full_url(request),
            status=received.status,
            hash=digest,
            bytes=received.size,
            media_type=received.headers.get("content-type"),
            fetched_at=rfc3339(now()),
            etag=received.headers.get("etag"),
            last_modified=received.headers.get("last-modified"),
            failures=failures[-self._tools.settings.keep_failed_answers :],
        )
        facts = PageFacts(None, 0)
        if self._paginator.reads_pages:
            facts, receipt.records_hash = _facts(self._datasource, receipt, received.body)
            receipt.rows = facts.records
        following = self._paginator.after(state, facts)
        # One record may well come twice, as the last one, too; a longer page does not.
        ended_well = isinstance(following, End) and following.completeness == "complete"
        if _repeats(before, receipt) and not (ended_well and facts.records == 1):
            following = End("partial", f"page {number} repeats the one before: the upstream ignores the offset")
            receipt.repeated = True
        receipt.resume = _resume(following)
        self._tools.pages.put(self._run.id, receipt)
        return receipt

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
            requests=sum(1 + len(page.failures) for page in good),
        )


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


def _facts(datasource: Datasource, receipt: PageReceipt, body: IO[bytes]) -> tuple[PageFacts, str]:
    """What the paginator may know of a page, and a hash of its records alone."""
    body.seek(0)
    if formats.page_format(datasource, receipt, body) == "json":
        document = formats.json_document(datasource, body)
        found = formats.select(datasource, document)
    else:
        document, found = None, list(formats.records(datasource, receipt, io.BytesIO(body.read())))
    digest = hashlib.sha256(orjson.dumps(found, default=str)).hexdigest()
    return PageFacts(document, len(found)), digest


def _repeats(before: PageReceipt | None, page: PageReceipt) -> bool:
    return before is not None and bool(page.rows) and before.records_hash == page.records_hash


def _query_text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "no answer in time"
    return str(error) or type(error).__name__


def _refusal(status: int) -> SourceRefused:
    advice = _ADVICE.get(status, "see the page's content for what it says")
    return SourceRefused(f"The upstream answered {status}; {advice}.")
