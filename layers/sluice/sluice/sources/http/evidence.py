"""What the pages of a run say about the upstream having changed while they were read.

docs/completeness.md says what each finding means; keep the two in agreement.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from sluice.domain.datasource import Datasource
from sluice.domain.run import PageReceipt
from sluice.sources.http.identities import Identities, differences, repeats
from sluice.sources.http.page_reader import OPEN_ENDED
from sluice.sources.http.pagination import End, Paginator
from sluice.sources.http.passes import Pass


@dataclass(frozen=True)
class Finding:
    """A reason to doubt that a pass has every record once.

    Args:
        settles: whether reading the pages again may remove the doubt.
        explained: whether the doubt goes when the pass before has the same records.
    """

    reason: str
    settles: bool = True
    explained: bool = False


class Examiner:
    """Looks for evidence in the pages of a pass.

    Args:
        most: the most records that are compared.
    """

    def __init__(self, datasource: Datasource, pages: Paginator, identities: Identities, most: int) -> None:
        self._key = datasource.primary_key
        self._paginator = pages
        self._identities = identities
        self._most = most

    async def findings(self, read: Pass, end: End, before: Pass | None, *, must_agree: bool) -> list[Finding]:
        """The evidence against a pass.

        Args:
            before: the pass before; none if this is the first one.
            must_agree: whether both must have the same records.
        """
        pages = [page for page in read.pages if not page.repeated]
        findings = self._of_counts(read)
        if len(read.pages) == 1:
            return findings
        compared = [*pages, *([read.check] if read.check else []), *(before.pages if before else [])]
        if sum(page.rows or 0 for page in compared) > self._most:
            reason = f"the pages have more than {self._most} records, too many to compare; raise MAX_COMPARED_RECORDS"
            return [*findings, Finding(reason, settles=False)]
        await self._identities.load([*compared, *_replaced(pages)])
        findings = [*self._of_records(read, pages), *findings]
        if before is None or not (must_agree or findings):
            return findings
        changed = differences(pages, before.pages, self._identities)
        if changed and must_agree:
            return [*findings, Finding(f"reading the pages again gave {changed} records that differ{self._advice()}")]
        counted = self._paginator.counts == "records" and read.pages[-1].total is not None
        sure = counted and end.completeness == "complete" and not changed
        return [finding for finding in findings if not (sure and finding.explained)]

    def _of_counts(self, read: Pass) -> list[Finding]:
        """What totals and the pages' sizes say."""
        findings = []
        given = [page for page in read.pages if page.total is not None]
        changes = [(before, after) for before, after in pairwise(given) if before.total != after.total]
        if changes:
            before, after = changes[0]
            findings.append(
                Finding(
                    f"the upstream said {before.total} {self._paginator.counts} on page {before.number}, and "
                    f"{after.total} on page {after.number}: it changed while it was read"
                )
            )
        findings += [
            Finding(f"page {page.number}: {OPEN_ENDED}", settles=False) for page in read.pages[:-1] if page.open_ended
        ]
        if self._paginator.positional:
            findings += _of_sizes([page for page in read.pages if page.rows])
            findings += [Finding(f"page {page.number} repeats the one before") for page in read.pages if page.repeated]
        return findings

    def _of_records(self, read: Pass, pages: list[PageReceipt]) -> list[Finding]:
        """What the records say: those that are on several pages, and pages that changed."""
        findings = []
        repeated = repeats(pages, self._identities)
        if repeated is not None:
            first, second = repeated.pages
            noun = f"records (by the primary key {', '.join(self._key)})" if self._key else "records"
            advice = "" if self._key else "; if it has equal records, name a primary_key that tells them apart"
            findings.append(
                Finding(
                    f"{repeated.count} {noun} came on more than one page, as on pages {first} and {second}: "
                    f"the upstream changed while it was read, or has no stable order{advice}"
                )
            )
        findings += [
            Finding(f"page {page.number} had other records in an earlier attempt of this run{self._advice()}")
            for page in pages
            if page.replaced and self._identities.of(page.replaced) - self._identities.of(page.hash)
        ]
        if read.check and self._identities.of(read.check.hash) != self._identities.of(pages[0].hash):
            findings.append(
                Finding(f"page {pages[0].number} had other records when it was asked for again{self._advice()}")
            )
        return findings

    def _advice(self) -> str:
        return "" if self._key else "; name a primary_key if only values of the same records change"


def _of_sizes(pages: list[PageReceipt]) -> list[Finding]:
    """A page with fewer records than another one, and others after it."""
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


def _replaced(pages: list[PageReceipt]) -> list[PageReceipt]:
    """What an earlier attempt received for these pages."""
    return [page.model_copy(update={"hash": page.replaced}) for page in pages if page.replaced]
