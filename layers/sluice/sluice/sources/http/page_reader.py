"""Read a page that was received: make its receipt, find the next page, and check whether the page is valid."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sluice.domain.datasource import Datasource
from sluice.domain.names import now, rfc3339
from sluice.domain.run import PageReceipt, Run
from sluice.errors import UnreadableData
from sluice.formats.error_pages import Shape, is_suspect, require_no_error, require_same_shape, shape_of
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import has_end_marker, open_page
from sluice.lake.store import Lake
from sluice.sources.http.auth import Credentials
from sluice.sources.http.client import Response, full_url
from sluice.sources.http.identities import Identities
from sluice.sources.http.pagination import End, PageFacts, Paginator, State
from sluice.sources.http.request_builder import next_address
from sluice.sources.http.requester import FetchedPage, PageRequest

OPEN_ENDED = "the upstream does not say where its answer ends"


@dataclass(frozen=True)
class Expected:
    """A page that is requested.

    Args:
        state: the state of the pagination.
        earlier: the receipts of the pages of the same pass before it.
        first: the receipt of the first page of the run, to which the page must be similar; None for the first page.
        replaced: the receipt that an earlier attempt has for the page.
        check: whether it is the first page, requested again for comparison.
    """

    state: State
    earlier: list[PageReceipt]
    first: PageReceipt | None = None
    replaced: PageReceipt | None = None
    check: bool = False


class PageReader:
    """Makes the receipts of one run's pages.

    Args:
        run: the run.
        datasource: its datasource.
        paginator: the datasource's paginator.
        identities: receives the identities of the pages' records.
        lake: where the first page is read again if another call has received it.
        limits: limits of the parsers.
    """

    def __init__(
        self, run: Run, datasource: Datasource, paginator: Paginator, identities: Identities, lake: Lake, limits: Limits
    ) -> None:
        self._run = run
        self._datasource = datasource
        self._paginator = paginator
        self._identities = identities
        self._lake = lake
        self._limits = limits
        self._first_shape: Shape | None = None
        self.credentials = Credentials()

    def receipt(self, page: PageRequest, expected: Expected, fetched: FetchedPage, digest: str) -> PageReceipt:
        """Make the receipt of a page, with the state of the next one.

        Args:
            page: the page.
            expected: its place in the pass.
            fetched: the response.
            digest: the hash of its body.

        Raises:
            UnreadableData: the page does not have the datasource's format, or it is an error message.
        """
        with _without_garbage_collection():
            return self._read(page, expected, fetched, digest)

    def _read(self, page: PageRequest, expected: Expected, fetched: FetchedPage, digest: str) -> PageReceipt:
        response = fetched.response
        receipt = self._new_receipt(page, expected, fetched, digest)
        facts = PageFacts(None, 0)
        identities = b""
        if self._paginator.reads_pages:
            facts, identities = self._facts(receipt, expected, response)
            receipt.rows = facts.records
        receipt.open_ended = not response.framed and not self._ends_itself(receipt, response)
        following = self._next_state(expected.state, facts, receipt)
        if isinstance(following, End):
            following = self._checked_end(following, expected, receipt, facts)
        # A partial response outweighs whatever the page says about its end.
        missing_part = response.missing_part(paged=self._paginator.many_pages)
        if missing_part is not None:
            following = End("partial", missing_part)
        receipt.resume = _resume(_check_repetition(following, expected, receipt))
        last = "end" in receipt.resume
        if self._paginator.many_pages and not (last and not expected.earlier):  # an only page has nothing to compare
            self._identities.remember(digest, identities)
        return receipt

    def _new_receipt(self, page: PageRequest, expected: Expected, fetched: FetchedPage, digest: str) -> PageReceipt:
        response = fetched.response
        return PageReceipt(
            number=page.number,
            pass_number=page.pass_number,
            check=expected.check,
            replaced=expected.replaced.hash if expected.replaced is not None else None,
            attempt=self._run.attempt,
            ok=True,
            url=full_url(page.request),
            status=response.status,
            hash=digest,
            bytes=response.size,
            media_type=response.headers.get("content-type"),
            method=page.request.method,
            fetched_at=rfc3339(now()),
            etag=response.headers.get("etag"),
            last_modified=response.headers.get("last-modified"),
            failures=fetched.failures,
        )

    def _facts(self, receipt: PageReceipt, expected: Expected, response: Response) -> tuple[PageFacts, bytes]:
        """Return what the paginator needs, and the records' identities; set the receipt's hash of the records."""
        response.body.seek(0)
        with open_page(self._datasource, receipt, response.body, self._limits) as page:
            document = page.document()
            selected = page.selection()
            is_list = isinstance(selected, list | Iterator)
            records = list(selected) if is_list else [] if selected is None else [selected]
            shape = shape_of(page, records, listed=is_list)
            compared = list(page.compared_records()) if self._datasource.reads_context else records
        hashes = self._identities.compute(compared)
        receipt.records_hash = hashes.content
        if expected.first is None:
            self._first_shape = shape
            if not self._datasource.allow_missing:
                require_no_error(shape, len(records))
        elif is_suspect(shape, len(records)):
            require_same_shape(self._shape_of_first(expected.first), shape, len(records))
        facts = PageFacts(document, len(records), dict(response.headers), missing=selected is None)
        return facts, hashes.identities

    def _shape_of_first(self, first: PageReceipt) -> Shape:
        if self._first_shape is None:
            with (
                self._lake.raw(first.hash or "") as content,
                open_page(self._datasource, first, content, self._limits) as page,
            ):
                is_list = isinstance(page.selection(), list | Iterator)
                self._first_shape = shape_of(page, list(page.records()), listed=is_list)
        return self._first_shape

    def _next_state(self, state: State, facts: PageFacts, receipt: PageReceipt) -> State | End:
        """Return the next state or the end; set the receipt's total."""
        try:
            receipt.total = self._paginator.total(facts.document)
            following = self._paginator.next_state(state, facts)
        except ValueError as error:
            raise UnreadableData(f"`pagination`: {error}.") from None
        if not isinstance(following, End) and "url" in following:
            return {"url": next_address(receipt.url, following["url"], self.credentials)}
        return following

    def _checked_end(self, end: End, expected: Expected, receipt: PageReceipt, facts: PageFacts) -> End:
        """Return the end; `unproven` instead of `complete` if the page gives reason for doubt."""
        if end != End("complete"):
            return end
        if receipt.open_ended:
            return End("unproven", OPEN_ENDED)
        has_total = receipt.total is not None and self._paginator.counts == "records"
        if facts.missing and expected.earlier and not has_total:
            return End(
                "unproven",
                f"`records` ({self._datasource.records}) selects nothing in page {receipt.number}, the last one; "
                "the page may be an error",
            )
        return end

    def _ends_itself(self, receipt: PageReceipt, response: Response) -> bool:
        """Return whether the page's format reveals truncation, as the brackets of JSON do."""
        response.body.seek(0)
        return has_end_marker(self._datasource, receipt, response.body, self._limits)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Switch off the cyclic garbage collector while a page is parsed.

    The many values of a page trigger it several times, and each full collection looks at all objects of the process:
    together they take longer than parsing. Parsed values have no cycles.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _check_repetition(following: State | End, expected: Expected, receipt: PageReceipt) -> State | End:
    """Return what follows, or a partial end if the pages repeat; mark a repeated page in its receipt."""
    earlier, number = expected.earlier, receipt.number
    # The last two pages can have one equal record each by chance; longer pages cannot.
    ended_well = isinstance(following, End) and following.completeness == "complete"
    if _repeats(earlier, receipt) and not (ended_well and receipt.rows == 1):
        following = End("partial", f"page {number} repeats the one before: the upstream ignores the pagination")
        receipt.repeated = True
    if not isinstance(following, End) and _leads_back(following, [*earlier, receipt]):
        # If the pages form a cycle, this one may be the first page again.
        receipt.repeated = receipt.repeated or _was_received(receipt, earlier)
        following = End("partial", f"page {number} leads back to an earlier page")
    return following


def _resume(following: State | End) -> dict[str, Any]:
    if isinstance(following, End):
        return {"end": following.completeness, "reason": following.reason}
    return {"state": following}


def _repeats(earlier: list[PageReceipt], page: PageReceipt) -> bool:
    return bool(earlier) and bool(page.rows) and earlier[-1].records_hash == page.records_hash


def _was_received(page: PageReceipt, earlier: list[PageReceipt]) -> bool:
    return bool(page.rows) and any(other.records_hash == page.records_hash for other in earlier)


def _leads_back(following: State, pages: list[PageReceipt]) -> bool:
    """Return whether the next page was requested before; this can happen with links and cursors only."""
    if "url" in following and any(page.url == following["url"] and page.method == "GET" for page in pages):
        return True
    return ("url" in following or "cursor" in following) and any(
        page.resume.get("state") == following for page in pages
    )
