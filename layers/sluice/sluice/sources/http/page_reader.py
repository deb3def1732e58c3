"""Reading a page that was received: its receipt, what follows it, and whether it can be believed."""

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
from sluice.sources.http.client import Received, full_url
from sluice.sources.http.identities import Identities
from sluice.sources.http.pagination import End, PageFacts, Paginator, State
from sluice.sources.http.request_builder import next_address
from sluice.sources.http.requester import Answer, PageRequest

OPEN_ENDED = "the upstream does not say where its answer ends"


@dataclass(frozen=True)
class Expected:
    """A page that is asked for: the pagination's state, and the pages of its pass before it.

    Args:
        first: the first page that the run has received, whose like it must be; none if there is none.
        replaced: the receipt that an earlier attempt has for the page.
        check: whether it is the first page, asked for again to compare it.
    """

    state: State
    earlier: list[PageReceipt]
    first: PageReceipt | None = None
    replaced: PageReceipt | None = None
    check: bool = False


class PageReader:
    """Makes the receipts of one run's pages."""

    def __init__(
        self, run: Run, datasource: Datasource, pages: Paginator, identities: Identities, lake: Lake, limits: Limits
    ) -> None:
        self._run = run
        self._datasource = datasource
        self._paginator = pages
        self._identities = identities
        self._lake = lake
        self._limits = limits
        self._first_shape: Shape | None = None
        self.credentials = Credentials()

    def receipt(self, page: PageRequest, expected: Expected, answer: Answer, digest: str) -> PageReceipt:
        """The receipt of a page, with the state of the pagination after it.

        Args:
            digest: the hash of its body.

        Raises:
            UnreadableData: the page is not what the datasource says, or an error.
        """
        with _cycles_left_alone():
            return self._read(page, expected, answer, digest)

    def _read(self, page: PageRequest, expected: Expected, answer: Answer, digest: str) -> PageReceipt:
        received = answer.received
        receipt = self._received(page, expected, answer, digest)
        facts = PageFacts(None, 0)
        identities = b""
        if self._paginator.reads_pages:
            facts, identities = self._facts(receipt, expected, received)
            receipt.rows = facts.records
        receipt.open_ended = not received.framed and not self._ends_itself(receipt, received)
        following = self._following(expected.state, facts, receipt)
        if isinstance(following, End):
            following = self._doubted(following, expected, receipt, facts)
        part = received.missing_part(paged=self._paginator.many_pages)
        if part is not None:
            following = End("partial", part)
        receipt.resume = _resume(_unless_repeated(following, expected, receipt))
        last = "end" in receipt.resume
        if self._paginator.many_pages and not (last and not expected.earlier):  # a single page is not compared
            self._identities.remember(digest, identities)
        return receipt

    def _received(self, page: PageRequest, expected: Expected, answer: Answer, digest: str) -> PageReceipt:
        received = answer.received
        return PageReceipt(
            number=page.number,
            pass_number=page.pass_number,
            check=expected.check,
            replaced=expected.replaced.hash if expected.replaced is not None else None,
            attempt=self._run.attempt,
            ok=True,
            url=full_url(page.request),
            status=received.status,
            hash=digest,
            bytes=received.size,
            media_type=received.headers.get("content-type"),
            method=page.request.method,
            fetched_at=rfc3339(now()),
            etag=received.headers.get("etag"),
            last_modified=received.headers.get("last-modified"),
            failures=answer.failures,
        )

    def _facts(self, receipt: PageReceipt, expected: Expected, received: Received) -> tuple[PageFacts, bytes]:
        """What the paginator may know of a page, and its records' identities; the receipt gets their hash."""
        received.body.seek(0)
        with open_page(self._datasource, receipt, received.body, self._limits) as page:
            document = page.document()
            selected = page.selection()
            listed = isinstance(selected, list | Iterator)
            records = list(selected) if listed else [] if selected is None else [selected]
            shape = shape_of(page, records, listed=listed)
        look = self._identities.look(records)
        receipt.records_hash = look.content
        if expected.first is None:
            self._first_shape = shape
            if not self._datasource.allow_missing:
                require_no_error(shape, len(records))
        elif is_suspect(shape, len(records)):
            require_same_shape(self._shape_of_first(expected.first), shape, len(records))
        facts = PageFacts(document, len(records), dict(received.headers), missing=selected is None)
        return facts, look.identities

    def _shape_of_first(self, first: PageReceipt) -> Shape:
        if self._first_shape is None:
            with (
                self._lake.raw(first.hash or "") as content,
                open_page(self._datasource, first, content, self._limits) as page,
            ):
                listed = isinstance(page.selection(), list | Iterator)
                self._first_shape = shape_of(page, list(page.records()), listed=listed)
        return self._first_shape

    def _following(self, state: State, facts: PageFacts, receipt: PageReceipt) -> State | End:
        """What follows the page; the receipt gets the total that the page says."""
        try:
            receipt.total = self._paginator.total(facts.document)
            following = self._paginator.after(state, facts)
        except ValueError as error:
            raise UnreadableData(f"`pagination`: {error}.") from None
        if not isinstance(following, End) and "url" in following:
            return {"url": next_address(receipt.url, following["url"], self.credentials)}
        return following

    def _doubted(self, end: End, expected: Expected, receipt: PageReceipt, facts: PageFacts) -> End:
        """An end that the page claims, unless the page itself gives reason for doubt."""
        if end != End("complete"):
            return end
        if receipt.open_ended:
            return End("unproven", OPEN_ENDED)
        counted = receipt.total is not None and self._paginator.counts == "records"
        if facts.missing and expected.earlier and not counted:
            return End(
                "unproven",
                f"page {receipt.number}, the last one, has nothing where `records` ({self._datasource.records}) "
                "says; it may be an error",
            )
        return end

    def _ends_itself(self, receipt: PageReceipt, received: Received) -> bool:
        """Whether a cut-off page would be noticed by its format, as JSON's brackets do."""
        received.body.seek(0)
        return has_end_marker(self._datasource, receipt, received.body, self._limits)


@contextmanager
def _cycles_left_alone() -> Iterator[None]:
    """Keep Python from looking for cycles among the values of a page, which are many and have none.

    It would look through the whole process several times a page, for longer than reading takes.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _unless_repeated(following: State | End, expected: Expected, receipt: PageReceipt) -> State | End:
    """What follows, unless the pages turn in a circle; a page that was had before is marked as such."""
    earlier, number = expected.earlier, receipt.number
    # One record may well come twice, as the last one, too; a longer page does not.
    ended_well = isinstance(following, End) and following.completeness == "complete"
    if _repeats(earlier, receipt) and not (ended_well and receipt.rows == 1):
        following = End("partial", f"page {number} repeats the one before: the upstream ignores what is asked for")
        receipt.repeated = True
    if not isinstance(following, End) and _leads_back(following, [*earlier, receipt]):
        # Where the pages go round, this one may be the first again.
        receipt.repeated = receipt.repeated or _was_had(receipt, earlier)
        following = End("partial", f"page {number} leads back to a page that was had before")
    return following


def _resume(following: State | End) -> dict[str, Any]:
    if isinstance(following, End):
        return {"end": following.completeness, "reason": following.reason}
    return {"state": following}


def _repeats(earlier: list[PageReceipt], page: PageReceipt) -> bool:
    return bool(earlier) and bool(page.rows) and earlier[-1].records_hash == page.records_hash


def _was_had(page: PageReceipt, earlier: list[PageReceipt]) -> bool:
    return bool(page.rows) and any(other.records_hash == page.records_hash for other in earlier)


def _leads_back(following: State, pages: list[PageReceipt]) -> bool:
    """Whether the next page is one that was asked for before: numbers grow, addresses may not."""
    if "url" in following and any(page.url == following["url"] and page.method == "GET" for page in pages):
        return True
    return ("url" in following or "cursor" in following) and any(
        page.resume.get("state") == following for page in pages
    )
