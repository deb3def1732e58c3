"""The fetch stage: ask for page after page, keep each before anything reads it, and prove the end."""

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
from sluice.sources.http.pagination import End, Paginator, paginator
from sluice.sources.http.passes import Pass, stored_passes
from sluice.sources.http.receiver import Receiver
from sluice.sources.http.requester import Fetching


@dataclass
class Verdict:
    """What is known of a pass that has ended.

    Args:
        failed: whether a page could not be had.
        stopped: whether the run may not ask for more pages.
    """

    end: End
    failed: bool = False
    stopped: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def completeness(self) -> Completeness:
        """That of the end, or `unproven` where something speaks against it."""
        return least_complete([self.end.completeness, "unproven" if self.findings else "complete"])

    @property
    def reasons(self) -> list[str]:
        """Why it is not complete."""
        own = self.end.reason or ""
        return [*([own] if own else []), *(finding.reason for finding in self.findings if finding.reason not in own)]


class HttpFetcher:
    """Fetches one run's pages from an HTTP API, going on from what is stored already."""

    def __init__(self, run: Run, datasource: HttpDatasource, tools: Fetching) -> None:
        self._run = run
        self._datasource = datasource
        self._http: HttpSource = datasource.http
        self._tools = tools
        self._paginator: Paginator = paginator(datasource.http.pagination)
        most = tools.settings.max_compared_records
        pagination = datasource.http.pagination
        self._max_pages = pagination.max_pages or tools.settings.max_pages
        self._verify = pagination.verify if isinstance(pagination, PagesLimits) else "never"
        self._identities = Identities(run, datasource, tools.lake, Limits.of(tools.settings), most)
        self._examiner = Examiner(datasource, self._paginator, self._identities, most)
        self._receiver = Receiver(run, datasource, self._paginator, self._identities, tools, self._max_pages)
        self._passes = [Pass(1, 1)]

    async def fetch(self) -> FetchIndex:
        """All pages, up to the end or to the first that cannot be had; again, if they may have changed meanwhile.

        However it ends, what was received until then is stored.

        Raises:
            HandOver: there is not enough time left for another request.
            RunError: not even the first page can be had.
            RunStopped: the run was cancelled.
        """
        ended = asyncio.Event()
        reading = asyncio.create_task(self._fetch())
        telling = asyncio.create_task(self._tell_until(ended))
        try:
            await asyncio.wait({reading, telling}, return_when=asyncio.FIRST_COMPLETED)
            if telling.done():
                telling.result()  # it ends by itself only by what it raises
            return await reading
        finally:
            reading.cancel()
            ended.set()
            await asyncio.gather(reading, telling, return_exceptions=True)
            await self._receiver.forget()
            await self._receiver.store.flush()
            await self._count_calls()

    async def _fetch(self) -> FetchIndex:
        receipts = self._receiver.begin(credentials(self._http.auth, self._tools.secret))
        failures = {receipt.number: receipt.failures for receipt in receipts if not receipt.ok}
        passes = self._passes = stored_passes(receipts, self._run.attempt, self._paginator)
        try:
            while True:
                verdict = await self._read(passes, failures)
                if not self._must_read_again(passes, verdict):
                    return await self._index(passes, verdict)
                passes.append(passes[-1].following())
        except HandOver:
            await self._receiver.keep_pauses(passes[-1])
            await asyncio.to_thread(self._identities.keep, passes[-1].next_number)
            raise

    async def _read(self, passes: list[Pass], failures: dict[int, list[dict[str, Any]]]) -> Verdict:
        """Read the last pass to its end, and examine it."""
        present = passes[-1]
        while True:
            step = present.step(self._paginator)
            if isinstance(step, End):
                await self._receiver.forget()
                return await self._examined(passes, step, failures)
            if len(present.pages) >= self._max_pages:
                end = End("partial", f"stopped after max_pages, {self._max_pages}, with more to come")
                return Verdict(end, stopped=True, findings=await self._findings(passes, end))
            number = present.next_number
            held = present.held[-1] if present.held else None
            before = held.failures if held else failures.get(number, [])
            try:
                first = next(iter(passes[0].pages), held)
                expected = Expected(step, present.pages, first, held)
                page = await self._receiver.receive(present, expected, before)
            except RunError as error:
                await self._receiver.forget()
                present.take_back_held()
                if not present.pages and len(passes) == 1:
                    raise
                return Verdict(End("partial", f"page {number} cannot be had: {error.detail}"), failed=True)
            present.add(page)

    async def _examined(self, passes: list[Pass], end: End, failures: dict[int, list[dict[str, Any]]]) -> Verdict:
        """The verdict on a pass whose last page was received."""
        present = passes[-1]
        verdict = Verdict(end, findings=await self._findings(passes, end))
        if verdict.completeness != "complete" or not self._needs_check(passes) or present.check is not None:
            return verdict
        first = self._paginator.first()
        try:
            expected = Expected(first, [], passes[0].pages[0], check=True)
            present.check = await self._receiver.receive(present, expected, failures.get(present.next_number, []))
        except RunError as error:
            number = present.first_number
            verdict.findings = [Finding(f"page {number} cannot be had again: {error.detail}", settles=False)]
            return verdict
        return Verdict(end, findings=await self._findings(passes, end))

    def _needs_check(self, passes: list[Pass]) -> bool:
        """Whether the first page is compared with what it is now.

        Pages that are asked for by position shift unseen where no page says how many records there are.
        """
        present = passes[-1]
        if self._verify == "never" or not self._paginator.positional or len(present.pages) == 1:
            return False
        counted = self._paginator.counts == "records" and present.pages[-1].total is not None
        return not counted and self._verify != "always"

    async def _findings(self, passes: list[Pass], end: End) -> list[Finding]:
        """What speaks against the last pass."""
        if not self._paginator.many_pages:
            return []
        if len(passes[-1].pages) > 1 and self._tools.seconds_left() < self._tools.settings.fetch_reserve_seconds:
            raise HandOver
        before = passes[-2] if len(passes) > 1 else None
        return await self._examiner.findings(passes[-1], end, before, must_agree=self._verify == "always")

    def _must_read_again(self, passes: list[Pass], verdict: Verdict) -> bool:
        """Whether another pass may prove what this one does not."""
        if verdict.failed or verdict.stopped or self._verify == "never" or len(passes[-1].pages) == 1:
            return False
        doubtful = any(finding.settles for finding in verdict.findings)
        unconfirmed = self._verify == "always" and len(passes) == 1 and verdict.completeness == "complete"
        passes_made = sum(1 for read in passes[1:] if read.attempt == self._run.attempt)
        if unconfirmed and self._tools.settings.max_verification_passes == 0:
            verdict.findings = [Finding("verify is always, but MAX_VERIFICATION_PASSES is 0", settles=False)]
        return (doubtful or unconfirmed) and passes_made < self._tools.settings.max_verification_passes

    async def _index(self, passes: list[Pass], verdict: Verdict) -> FetchIndex:
        """What the run has fetched: the last pass, or the one before where the last one failed."""
        used, warnings = passes[-1], []
        if len(passes) > 1:
            earlier = await self._verdict_again(passes[:-1])
            if _is_better(earlier, verdict):
                note = f"reading all pages again gave no proof: {verdict.reasons[0]}"
                earlier.findings.append(Finding(note, settles=False))
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
            unused_pages=[page for page in _received(passes) if page.number not in numbers],
            completeness=verdict.completeness,
            completeness_reasons=cap_notes(verdict.reasons),
            warnings=warnings,
            requests=count_requests(self._receiver.store.receipts),
        )

    async def _verdict_again(self, passes: list[Pass]) -> Verdict:
        """The verdict on a pass that was read before the last one."""
        step = passes[-1].step(self._paginator)
        assert isinstance(step, End)
        return Verdict(step, findings=await self._findings(passes, step))

    async def _tell_until(self, ended: asyncio.Event) -> None:
        """Every few seconds write what has come and how far the run is, until the pages have ended.

        Raises:
            RunStopped: the run was cancelled.
        """
        while not ended.is_set():
            try:
                await asyncio.wait_for(ended.wait(), self._tools.settings.tell_seconds)
            except TimeoutError:
                await self._receiver.store.write()
                await self._count_calls()
                self._run = await asyncio.to_thread(
                    self._tools.runs.advance,
                    self._run,
                    requests=count_requests(_received(self._passes)),
                    progress={"stage": "fetch", "current": len(self._passes[-1].pages), "total": None},
                )

    async def _count_calls(self) -> None:
        await asyncio.to_thread(self._tools.count, self._receiver.take_tally())


def _received(passes: list[Pass]) -> list[PageReceipt]:
    """All pages of some passes, in the order in which they were received."""
    return [page for read in passes for page in [*read.pages, *([read.check] if read.check else [])]]


def _is_better(earlier: Verdict, last: Verdict) -> bool:
    """Whether the pass before the last one is to be kept; of two that are equally doubtful, the last one is fresher."""
    return last.failed or (last.completeness == "partial" and earlier.completeness != "partial")
