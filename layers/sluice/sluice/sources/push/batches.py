"""The fetch stage of pushed records: the batches that wait for a run become its pages."""

from __future__ import annotations

from sluice.catalog.batches import Batch, Batches
from sluice.catalog.runs import Pages
from sluice.catalog.table import ConditionFailed
from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, PageReceipt, Run

# A DynamoDB transaction has at most 100 writes, and each batch needs two.
_AT_ONCE = 40


def fetch_batches(run: Run, datasource: Datasource, batches: Batches, pages: Pages) -> FetchIndex | None:
    """Turn the batches that wait for a run into its pages.

    One transaction deletes a batch and stores the receipt of its page, so that a crash neither loses a batch
    nor takes it twice. No batch is added to a run that has started.

    Args:
        run: the run.
        datasource: its datasource.
        batches: the waiting batches.
        pages: receives the receipts.

    Returns:
        The index of the pages; None if the run has no batches.
    """
    while waiting := batches.waiting(run.id, _AT_ONCE):
        writes = []
        for number, batch in enumerate(waiting, start=len(pages.of_run(run.id)) + 1):
            writes += [batches.delete_write(run.id, batch), pages.create_write(run.id, _receipt(run, batch, number))]
        try:
            batches.transact(writes)
        except ConditionFailed:
            continue  # another execution of this step took some of them: read the queue again
    receipts = pages.of_run(run.id)
    if not receipts:
        return None
    return FetchIndex(
        datasource=datasource.slug,
        run=run.id,
        attempt=run.attempt,
        fetched_at=receipts[-1].fetched_at,
        pages=receipts,
        completeness="complete",
        requests=0,
    )


def _receipt(run: Run, batch: Batch, number: int) -> PageReceipt:
    return PageReceipt(
        number=number,
        attempt=run.attempt,
        ok=True,
        url=f"push:{batch.id}",
        method="POST",
        status=202,
        hash=batch.hash,
        bytes=batch.bytes,
        media_type=batch.media_type,
        rows=batch.records,
        fetched_at=batch.received_at,
        erased=batch.erased,
        gaps=batch.gaps,
    )
