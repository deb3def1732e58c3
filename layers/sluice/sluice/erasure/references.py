"""Re-pointing what refers to rewritten pages: indexes, receipts and pushes that wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sluice.container import Container
from sluice.domain.run import FetchIndex, PageReceipt
from sluice.erasure.plan import Plan, Use
from sluice.erasure.quotations import Quotations


@dataclass(frozen=True)
class References:
    """What refers to pages that were rewritten or removed.

    Args:
        services: the catalog and the lake.
        plan: the plan.
        hashes: the new hashes of pages.
        quotations: recognizes texts of the record.
    """

    services: Container
    plan: Plan
    hashes: Mapping[str, str]
    quotations: Quotations

    def update(self) -> list[str]:
        """Re-point everything. It is safe to repeat.

        Returns:
            The keys of the indexes, whose older versions still name the old pages.
        """
        uses = {(use.run, use.number, use.hash): use for use in self.plan.uses if use.hash}
        keys = self._update_indexes(uses)
        for run, receipt in list(self.services.erasures.receipts()):
            changed = self._changed(run, receipt, uses)
            if changed != receipt:
                self.services.erasures.update_receipt(run, changed)
        for run, batch in list(self.services.erasures.batches()):
            use = uses.get((run, 0, batch.hash))
            if use is not None:
                changes = {"hash": self.hashes[batch.hash], "erased": use.erased, "gaps": use.gaps}
                self.services.erasures.update_batch(run, batch.model_copy(update=changes))
        return keys

    def _update_indexes(self, uses: Mapping[tuple[str, int, str], Use]) -> list[str]:
        lake, keys = self.services.lake, []
        for key in lake.list_keys("raw-index"):
            index = FetchIndex.model_validate_json(lake.get(key))
            changes = {
                "pages": [self._changed(index.run, page, uses) for page in index.pages],
                "unused_pages": [self._changed(index.run, page, uses) for page in index.unused_pages],
                "warnings": self.quotations.without(index.warnings),
                "completeness_reasons": self.quotations.without(index.completeness_reasons),
            }
            changed = index.model_copy(update=changes)
            if changed != index:
                lake.put_json(key, changed.model_dump(mode="json"))
            if index.datasource in self.plan.datasources:
                keys.append(key)
        return keys

    def _changed(self, run: str, receipt: PageReceipt, uses: Mapping[tuple[str, int, str], Use]) -> PageReceipt:
        gone = {*self.plan.pages, *self.plan.unusable}
        changes: dict[str, object] = {}
        use = uses.get((run, receipt.number, receipt.hash or ""))
        if use is not None:
            # The hash of the page's records only tells pages apart while a run fetches them.
            new_hash = self.hashes[use.hash]
            changes |= {"hash": new_hash, "erased": use.erased, "gaps": use.gaps, "records_hash": None}
        elif receipt.hash in gone:
            changes["hash"] = None
        if receipt.replaced in gone:
            changes["replaced"] = None
        if any(failure.get("hash") in gone for failure in receipt.failures):
            changes["failures"] = [
                failure | {"hash": None} if failure.get("hash") in gone else failure for failure in receipt.failures
            ]
        if self.quotations.has(receipt.url):
            changes["url"] = self.quotations.cut(receipt.url)
        if self.quotations.has(receipt.filename):
            changes["filename"] = None
        if self.quotations.has(receipt.resume):
            changes["resume"] = {}
        return receipt.model_copy(update=changes)
