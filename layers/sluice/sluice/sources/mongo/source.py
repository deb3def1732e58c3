"""Datasources that are collections of MongoDB."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Coroutine
from contextlib import aclosing
from io import BytesIO
from typing import Any, TypeVar

import orjson

from sluice.domain.datasource import Datasource, MongoDatasource
from sluice.domain.datasource.mongo_source import hosts_of
from sluice.domain.names import now, rfc3339
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.errors import RunError
from sluice.formats.extended_json import MEDIA_TYPE
from sluice.sources.base import Call, CheckResult, HandOver, PageVisitor, Secret, Services
from sluice.sources.http.page_store import PageStore
from sluice.sources.mongo.connection import MongoTools
from sluice.sources.mongo.loop import VettedLoop
from sluice.sources.mongo.pages import Doubt, MongoPage, Place
from sluice.sources.mongo.reader import read_pages
from sluice.sources.progress import FetchProgress

_PREVIEWED_DOCUMENTS = 1_000
_NO_SNAPSHOT = (
    "the server offers no snapshot (it is no replica set, or older than MongoDB 5.0): documents that were written "
    "while the collection was read may be missing, or newer than others"
)
_REASONS = {
    Doubt.REPEATED_ID: (
        "several documents have the same _id, as in a view or a time series: all that the server sent are kept, but "
        "nothing shows whether it sent a document twice"
    ),
    Doubt.ORDER: (
        "the values of _id came in another order than without a collation, so nothing shows whether the server left "
        "documents out"
    ),
}
T = TypeVar("T")


class MongoCollectionSource:
    """Reads the collection in the order of `_id`; a page's receipt says behind which document the next one begins."""

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        """The documents that the filter selects."""
        tools = MongoTools(services.settings, services.address_policy(), call.secret, call.seconds_left)
        try:
            return _in_loop(_Fetch(run, _mongo(datasource), services, tools).fetch())
        finally:
            call.count(tools.tally)

    def check(self, datasource: Datasource, services: Services, secret: Secret) -> CheckResult:
        """Ask for the first documents."""
        begun = time.monotonic()
        records, reason = None, None
        try:
            records = _in_loop(_first(_mongo(datasource), services, secret, 1, lambda *_: None))[1]
        except RunError as error:
            reason = error.detail
        return CheckResult(reason is None, None, round(1000 * (time.monotonic() - begun)), records, reason)

    def preview(
        self, datasource: Datasource, services: Services, secret: Secret, max_pages: int, visit: PageVisitor
    ) -> int:
        """Look at the first documents."""
        return _in_loop(_first(_mongo(datasource), services, secret, max_pages, visit))[0]


def _mongo(datasource: Datasource) -> MongoDatasource:
    assert isinstance(datasource, MongoDatasource)
    return datasource


def _in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run something in a loop that connects to vetted addresses only."""
    with asyncio.Runner(loop_factory=VettedLoop) as runner:
        return runner.run(work)


class _Fetch:
    """The pages of one run, going on from the receipts of earlier calls and attempts."""

    def __init__(self, run: Run, datasource: MongoDatasource, services: Services, tools: MongoTools) -> None:
        self._run = run
        self._datasource = datasource
        self._services = services
        self._tools = tools
        self._store = PageStore(run.id, services.lake, services.pages, services.settings.max_pending_bytes)
        self._selection = ""
        self._pages: list[PageReceipt] = []
        self._unused: list[PageReceipt] = []
        self._progress = FetchProgress(run, services.runs, services.settings.tell_seconds)

    async def fetch(self) -> FetchIndex:
        """All pages, up to the end; however it ends, what was read until then is stored.

        Raises:
            HandOver: there is not enough time left for more.
            RunError: the documents cannot be had.
            RunStopped: the run was cancelled.
        """
        self._selection = _selection(self._datasource, self._tools.secret)
        for receipt in self._store.load():
            # The datasource may have been edited since an earlier call: pages of another selection do not count.
            is_of_selection = receipt.resume.get("selection") == self._selection
            (self._pages if is_of_selection else self._unused).append(receipt)
        place = _place_behind(self._pages)
        try:
            async with aclosing(read_pages(self._datasource.mongo, self._tools, place)) as pages:
                async for page in pages:
                    await self._keep(page)
            if not self._pages:
                await self._keep(MongoPage(b"", 0, {}, Place()))
        finally:
            await self._store.flush()
        return self._index()

    async def _keep(self, page: MongoPage) -> None:
        body = _body(page)
        receipt = _receipt(self._datasource, page, len(self._pages) + len(self._unused) + 1)
        receipt.attempt = self._run.attempt
        receipt.resume["selection"] = self._selection
        receipt.hash = await asyncio.to_thread(_sha256, body)
        self._pages.append(receipt)
        await self._store.keep(receipt, BytesIO(body))
        await self._progress.report(len(self._pages), self._requests())
        if self._tools.seconds_left() < self._services.settings.fetch_reserve_seconds:
            raise HandOver

    def _requests(self) -> int:
        return max(self._tools.tally.sums["calls"], len(self._pages))

    def _index(self) -> FetchIndex:
        snapshots = {page.resume.get("snapshot") for page in self._pages if page.rows}
        reasons = [_NO_SNAPSHOT] if None in snapshots else []
        if len(snapshots - {None}) > 1:
            reasons.append(
                f"the documents were read in {len(snapshots - {None})} snapshots of different times, since the server "
                "no longer had the first one: what was written in between may be in some of them only"
            )
        doubts = {doubt for page in self._pages for doubt in page.resume.get("doubts", ())}
        reasons += [text for doubt, text in _REASONS.items() if doubt in doubts]
        return FetchIndex(
            datasource=self._datasource.slug,
            run=self._run.id,
            attempt=self._run.attempt,
            fetched_at=self._pages[0].fetched_at,
            pages=self._pages,
            unused_pages=self._unused,
            completeness="unproven" if reasons else "complete",
            completeness_reasons=reasons,
            requests=self._requests(),
        )


def _selection(datasource: MongoDatasource, secret: Secret) -> str:
    """A hash of what decides which documents are read: the hosts, the collection, the filter and the projection."""
    source = datasource.mongo
    hosts = hosts_of(secret(source.uri))
    selects = [hosts, source.database, source.collection, source.filter, source.projection]
    return _sha256(orjson.dumps(selects))


def _place_behind(pages: list[PageReceipt]) -> Place:
    return Place(pages[-1].resume["after"], pages[-1].resume["snapshot"]) if pages else Place()


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


async def _first(
    datasource: MongoDatasource, services: Services, secret: Secret, max_pages: int, visit: PageVisitor
) -> tuple[int, int]:
    """Look at the first pages; how many there were, and how many documents the first one has."""
    settings = services.settings
    begun = time.monotonic()
    tools = MongoTools(
        settings.model_copy(update={"fetch_attempts": 1, "fetch_reserve_seconds": 0.0}),
        services.address_policy(),
        secret,
        lambda: settings.probe_seconds - (time.monotonic() - begun),
    )
    few = {
        "page_documents": min(datasource.mongo.page_documents, _PREVIEWED_DOCUMENTS),
        "max_time_seconds": max(1, min(datasource.mongo.max_time_seconds, int(settings.probe_seconds))),
    }
    count = rows = 0
    try:
        async with aclosing(read_pages(datasource.mongo.model_copy(update=few), tools, Place())) as pages:
            async for page in pages:
                visit(_receipt(datasource, page, count + 1), BytesIO(_body(page)))
                count, rows = count + 1, rows or page.rows
                if count == max_pages:
                    break
    except HandOver:
        if not count:
            raise RunError(f"The server sent no document within {settings.probe_seconds:g} s.") from None
    if not count:
        visit(_receipt(datasource, MongoPage(b"", 0, {}, Place()), 1), BytesIO(b"[]"))
        count = 1
    return count, rows


def _body(page: MongoPage) -> bytes:
    """A page as it is stored; one without documents is an empty list, as no lines may be a page that was lost."""
    return page.body or b"[]"


def _receipt(datasource: MongoDatasource, page: MongoPage, number: int) -> PageReceipt:
    source = datasource.mongo
    return PageReceipt(
        number=number,
        ok=True,
        url=f"mongo:{source.database}/{source.collection}",  # the host belongs to the secret
        media_type=MEDIA_TYPE if page.rows else "application/json",
        bytes=len(_body(page)),
        rows=page.rows,
        fetched_at=rfc3339(now()),
        columns=page.columns,
        resume={"after": page.place.after, "snapshot": page.place.snapshot, "doubts": sorted(page.doubts)},
    )


SOURCE = MongoCollectionSource()
