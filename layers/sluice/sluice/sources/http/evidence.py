"""Evidence in the pages of a run that the upstream changed while they were fetched.

docs/explanation/completeness.md describes each finding for users; change both together.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from sluice.domain.counts import counted
from sluice.domain.datasource import Datasource
from sluice.domain.run import PageReceipt
from sluice.sources.http.identities import Identities, differences, repeats
from sluice.sources.http.page_reader import OPEN_ENDED
from sluice.sources.http.page_store import PageStore
from sluice.sources.http.pagination import End, Paginator
from sluice.sources.http.passes import Pass


@dataclass(frozen=True)
class Finding:
    """A reason to doubt that a pass has every record exactly once.

    Args:
        reason: the finding as a sentence for users.
        settles: whether another pass may remove the doubt.
        explained: whether the doubt is removed if the previous pass has the same records.
    """

    reason: str
    settles: bool = True
    explained: bool = False


class Examiner:
    """Examines the pages of a pass.

    Args:
        datasource: the datasource, with its primary key.
        paginator: its paginator.
        identities: the identities of the pages' records.
        max_records: the most records that are compared.
        store: the store of the pages, some of which may be on their way to the lake.
    """

    def __init__(
        self, datasource: Datasource, paginator: Paginator, identities: Identities, max_records: int, store: PageStore
    ) -> None:
        self._key = datasource.primary_key
        self._paginator = paginator
        self._identities = identities
        self._max_records = max_records
        self._store = store

    async def findings(self, current: Pass, end: End, previous: Pass | None, *, must_agree: bool) -> list[Finding]:
        """Return the evidence against the completeness of a pass.

        Args:
            current: the pass, whose last page was received.
            end: the end of its pages.
            previous: the pass before; None if this is the first one.
            must_agree: whether both passes must have the same records.
        """
        pages = [page for page in current.pages if not page.repeated]
        findings = self._of_counts(current)
        if len(current.pages) == 1:
            return findings
        compared_pages = [*pages, *([current.check] if current.check else []), *(previous.pages if previous else [])]
        if sum(page.rows or 0 for page in compared_pages) > self._max_records:
            reason = (
                f"the pages have more than {self._max_records} records, too many to compare; raise MAX_COMPARED_RECORDS"
            )
            return [*findings, Finding(reason, settles=False)]
        needed = [*compared_pages, *_earlier_receipts(pages)]
        if self._identities.lack(needed):
            await self._store.flush()  # what is not in memory is read from the lake
        await self._identities.load(needed)
        findings = [*self._of_records(current, pages), *findings]
        if previous is None or not (must_agree or findings):
            return findings
        changed = differences(pages, previous.pages, self._identities)
        if changed and must_agree:
            return [*findings, Finding(f"reading the pages again gave {changed} records that differ{self._advice()}")]
        # Short pages are no evidence if two passes agree and the total counts every record.
        has_total = self._paginator.counts == "records" and current.pages[-1].total is not None
        proven = has_total and end.completeness == "complete" and not changed
        return [finding for finding in findings if not (proven and finding.explained)]

    def _of_counts(self, current: Pass) -> list[Finding]:
        """Return findings about totals and the sizes of pages."""
        findings = []
        pages_with_total = [page for page in current.pages if page.total is not None]
        changes = [(before, after) for before, after in pairwise(pages_with_total) if before.total != after.total]
        if changes:
            before, after = changes[0]
            findings.append(
                Finding(
                    f"the total was {before.total} {self._paginator.counts} on page {before.number} and {after.total} "
                    f"on page {after.number}: the upstream changed while it was read"
                )
            )
        findings += [
            Finding(f"page {page.number}: {OPEN_ENDED}", settles=False)
            for page in current.pages[:-1]
            if page.open_ended
        ]
        if self._paginator.positional:
            findings += _of_sizes([page for page in current.pages if page.rows])
            findings += [
                Finding(f"page {page.number} repeats the one before") for page in current.pages if page.repeated
            ]
        return findings

    def _of_records(self, current: Pass, pages: list[PageReceipt]) -> list[Finding]:
        """Return findings about records that are on several pages, and about pages that changed."""
        findings = []
        repeated = repeats(pages, self._identities)
        if repeated is not None:
            first, second = repeated.pages
            key = f" (by the primary key {', '.join(self._key)})" if self._key else ""
            count = counted(repeated.count, f"record{key} is", f"records{key} are")
            advice = "" if self._key else "; if it has equal records, name a primary_key that tells them apart"
            findings.append(
                Finding(
                    f"{count} on more than one page, such as pages {first} and {second}: "
                    f"the upstream changed while it was read, or has no stable order{advice}"
                )
            )
        findings += [
            Finding(f"page {page.number} had other records in an earlier attempt of this run{self._advice()}")
            for page in pages
            if page.replaced and self._identities.of(page.replaced) - self._identities.of(page.hash)
        ]
        if current.check and self._identities.of(current.check.hash) != self._identities.of(pages[0].hash):
            findings.append(
                Finding(f"page {pages[0].number} had other records when it was requested again{self._advice()}")
            )
        return findings

    def _advice(self) -> str:
        return "" if self._key else "; name a primary_key if only values of the same records change"


def _of_sizes(pages: list[PageReceipt]) -> list[Finding]:
    """Return a finding if a page other than the last has fewer records than the largest page."""
    if not pages:
        return []
    largest = max(pages, key=lambda page: page.rows or 0)
    for page in pages[:-1]:
        if (page.rows or 0) < (largest.rows or 0):
            return [
                Finding(
                    f"page {page.number} has {page.rows} records and page {largest.number} has {largest.rows}, "
                    "although only the last page may have fewer",
                    explained=True,
                )
            ]
    return []


def _earlier_receipts(pages: list[PageReceipt]) -> list[PageReceipt]:
    """Return receipts of what an earlier attempt received for these pages."""
    return [page.model_copy(update={"hash": page.replaced}) for page in pages if page.replaced]
