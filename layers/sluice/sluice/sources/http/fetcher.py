"""The fetch stage of HTTP APIs: receive every page, detect changes of the upstream, and prove the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from sluice.domain.datasource import HttpDatasource
from sluice.domain.datasource.http_source import HttpSource, PagesLimits
from sluice.domain.run import Completeness, FetchIndex, PageReceipt, Run, cap_notes, count_requests, least_complete
from sluice.errors import RunError
from sluice.formats.limits import Limits
from sluice.sources.base import HandOver
from sluice.sources.http.auth import credentials
from sluice.sources.http.evidence import Examiner, Finding
from sluice.sources.http.identities import Identities
from sluice.sources.http.page_reader import Expected
from sluice.sources.http.pagination import End, Paginator
from sluice.sources.http.paginators import make_paginator
from sluice.sources.http.passes import Pass, stored_passes
from sluice.sources.http.receiver import Receiver
from sluice.sources.http.requester import FetchContext


@dataclass
class Verdict:
    """The verdict on a pass that has ended.

    Args:
        end: the end of its pages.
        failed: whether a page could not be fetched.
        stopped: whether the run has reached the limit of pages.
        findings: the evidence against its completeness.
    """

    end: End
    failed: bool = False
    stopped: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def completeness(self) -> Completeness:
        """The completeness of the end; at best `unproven` if there are findings."""
        return least_complete([self.end.completeness, "unproven" if self.findings else "complete"])

    @property
    def reasons(self) -> list[str]:
        """The reasons why the pass is not complete."""
        own = self.end.reason or ""
        return [*([own] if own else []), *(finding.reason for finding in self.findings if finding.reason not in own)]


class HttpFetcher:
    """Fetches one run's pages from an HTTP API, continuing after those that are stored.

    Args:
        run: the run.
        datasource: its datasource.
        tools: the services of this call.
    """

    def __init__(self, run: Run, datasource: HttpDatasource, tools: FetchContext) -> None:
        self._run = run
        self._datasource = datasource
        self._http: HttpSource = datasource.http
        self._tools = tools
        self._paginator: Paginator = make_paginator(datasource.http.pagination)
        max_records = tools.settings.max_compared_records
        pagination = datasource.http.pagination
        self._max_pages = pagination.max_pages or tools.settings.max_pages
        self._verify = pagination.verify if isinstance(pagination, PagesLimits) else "never"
        self._identities = Identities(run, datasource, tools.lake, Limits.of(tools.settings), max_records)
        self._receiver = Receiver(run, datasource, self._paginator, self._identities, tools, self._max_pages)
        self._examiner = Examiner(datasource, self._paginator, self._identities, max_records, self._receiver.store)
        self._passes = [Pass(1, 1)]

    async def fetch(self) -> FetchIndex:
        """Fetch all pages, up to the end or to the first that fails; repeat this if there is evidence of a change.

        Whatever ends the call, the pages that were received are stored.

        Raises:
            HandOver: too little time is left for another request.
            RunError: the first page cannot be fetched.
            RunStopped: the run was cancelled.
        """
        ended = asyncio.Event()
        reading = asyncio.create_task(self._fetch())
        reporting = asyncio.create_task(self._report_until(ended))
        # Both are tasks, so that a cancelled run ends the request that is pending, too.
        try:
            await asyncio.wait({reading, reporting}, return_when=asyncio.FIRST_COMPLETED)
            if reporting.done():
                reporting.result()  # raises: the task ends by itself only with an exception
            return await reading
        finally:
            reading.cancel()
            ended.set()
            await asyncio.gather(reading, reporting, return_exceptions=True)
            await self._receiver.cancel_prefetched()
            await self._receiver.store.flush()
            await self._store_tally()

    async def _fetch(self) -> FetchIndex:
        receipts = self._receiver.start(credentials(self._http.auth, self._tools.secret))
        failures = {receipt.number: receipt.failures for receipt in receipts if not receipt.ok}
        passes = self._passes = stored_passes(receipts, self._run.attempt, self._paginator)
        try:
            while True:
                verdict = await self._read(passes, failures)
                if not self._must_read_again(passes, verdict):
                    return await self._index(passes, verdict)
                passes.append(passes[-1].next_pass())
        except HandOver:
            await self._receiver.keep_pauses(passes[-1])
            await asyncio.to_thread(self._identities.store, passes[-1].next_number)
            raise

    async def _read(self, passes: list[Pass], failures: dict[int, list[dict[str, Any]]]) -> Verdict:
        """Receive the pages of the last pass up to its end, and examine them."""
        current = passes[-1]
        while True:
            step = current.step(self._paginator)
            if isinstance(step, End):
                await self._receiver.cancel_prefetched()
                return await self._examine(passes, step, failures)
            # The limit is for each pass, so that a second pass can confirm a first one of the same length.
            if len(current.pages) >= self._max_pages:
                end = End("partial", f"stopped after {self._max_pages} pages (max_pages), and more follow")
                return Verdict(end, stopped=True, findings=await self._findings(passes, end))
            number = current.next_number
            held = current.held[-1] if current.held else None
            earlier_failures = held.failures if held else failures.get(number, [])
            try:
                first = next(iter(passes[0].pages), held)
                expected = Expected(step, current.pages, first, held)
                page = await self._receiver.receive(current, expected, earlier_failures)
            except RunError as error:
                await self._receiver.cancel_prefetched()
                current.restore_held()
                if not current.pages and len(passes) == 1:
                    raise
                return Verdict(End("partial", f"page {number} cannot be fetched: {error.detail}"), failed=True)
            current.add(page)

    async def _examine(self, passes: list[Pass], end: End, failures: dict[int, list[dict[str, Any]]]) -> Verdict:
        """Return the verdict on the last pass; request its first page again if that is necessary."""
        current = passes[-1]
        verdict = Verdict(end, findings=await self._findings(passes, end))
        if verdict.completeness != "complete" or not self._needs_check(passes) or current.check is not None:
            return verdict
        first = self._paginator.first_state()
        try:
            expected = Expected(first, [], passes[0].pages[0], check=True)
            current.check = await self._receiver.receive(current, expected, failures.get(current.next_number, []))
        except RunError as error:
            number = current.first_number
            verdict.findings = [Finding(f"page {number} cannot be fetched again: {error.detail}", settles=False)]
            return verdict
        return Verdict(end, findings=await self._findings(passes, end))

    def _needs_check(self, passes: list[Pass]) -> bool:
        """Return whether the first page must be requested again and compared.

        Pages that are requested by position can shift unnoticed if no page states the number of records. With
        `verify: always` a second pass compares all pages anyway.
        """
        current = passes[-1]
        if self._verify == "never" or not self._paginator.positional or len(current.pages) == 1:
            return False
        has_total = self._paginator.counts == "records" and current.pages[-1].total is not None
        return not has_total and self._verify != "always"

    async def _findings(self, passes: list[Pass], end: End) -> list[Finding]:
        """Return the findings about the last pass."""
        if not self._paginator.many_pages:
            return []
        if len(passes[-1].pages) > 1 and self._tools.seconds_left() < self._tools.settings.fetch_reserve_seconds:
            raise HandOver
        previous = passes[-2] if len(passes) > 1 else None
        return await self._examiner.findings(passes[-1], end, previous, must_agree=self._verify == "always")

    def _must_read_again(self, passes: list[Pass], verdict: Verdict) -> bool:
        """Return whether another pass may prove what this one does not, and is allowed."""
        if verdict.failed or verdict.stopped or self._verify == "never" or len(passes[-1].pages) == 1:
            return False
        doubtful = any(finding.settles for finding in verdict.findings)
        unconfirmed = self._verify == "always" and len(passes) == 1 and verdict.completeness == "complete"
        passes_made = sum(1 for pass_ in passes[1:] if pass_.attempt == self._run.attempt)
        if unconfirmed and self._tools.settings.max_verification_passes == 0:
            verdict.findings = [Finding("verify is always, but MAX_VERIFICATION_PASSES is 0", settles=False)]
        return (doubtful or unconfirmed) and passes_made < self._tools.settings.max_verification_passes

    async def _index(self, passes: list[Pass], verdict: Verdict) -> FetchIndex:
        """Return the index of the run's pages: those of the last pass, or of the one before if that is better."""
        used, warnings = passes[-1], []
        if len(passes) > 1:
            earlier = await self._repeat_verdict(passes[:-1])
            if _is_better(earlier, verdict):
                reason = f"reading all pages again gave no proof: {verdict.reasons[0]}"
                earlier.findings.append(Finding(reason, settles=False))
                used, verdict = passes[-2], earlier
            else:
                warnings = [f"all pages were read again: {reason}" for reason in earlier.reasons]
        pages = [page for page in used.pages if not page.repeated]
        numbers = {page.number for page in pages}
        return FetchIndex(
            datasource=self._datasource.slug,
            run=self._run.id,
            attempt=self._run.attempt,
            fetched_at=pages[0].fetched_at,
            pages=pages,
            unused_pages=[page for page in _received_pages(passes) if page.number not in numbers],
            completeness=verdict.completeness,
            completeness_reasons=cap_notes(verdict.reasons),
            warnings=warnings,
            requests=count_requests(self._receiver.store.receipts),
        )

    async def _repeat_verdict(self, passes: list[Pass]) -> Verdict:
        """Return the verdict on an earlier pass again; it is not stored, and an earlier call may have made it."""
        step = passes[-1].step(self._paginator)
        assert isinstance(step, End)
        return Verdict(step, findings=await self._findings(passes, step))

    async def _report_until(self, ended: asyncio.Event) -> None:
        """Every few seconds, write receipts and the run's progress, until the pages have ended.

        Raises:
            RunStopped: the run was cancelled.
        """
        while not ended.is_set():
            try:
                await asyncio.wait_for(ended.wait(), self._tools.settings.tell_seconds)
            except TimeoutError:
                await self._receiver.store.write()
                await self._store_tally()
                self._run = await asyncio.to_thread(
                    self._tools.runs.advance,
                    self._run,
                    requests=count_requests(_received_pages(self._passes)),
                    progress={"stage": "fetch", "current": len(self._passes[-1].pages), "total": None},
                )

    async def _store_tally(self) -> None:
        await asyncio.to_thread(self._tools.count, self._receiver.take_tally())


def _received_pages(passes: list[Pass]) -> list[PageReceipt]:
    """Return all receipts of some passes, in the order in which the pages were received."""
    return [page for pass_ in passes for page in [*pass_.pages, *([pass_.check] if pass_.check else [])]]


def _is_better(earlier: Verdict, last: Verdict) -> bool:
    """Return whether the earlier pass is used; of two that are equally doubtful, the later one is, being newer."""
    return last.failed or (last.completeness == "partial" and earlier.completeness != "partial")
