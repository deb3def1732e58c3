"""The fetch stage of pushed records: the batches that wait for a run become its pages."""

from __future__ import annotations

from sluice.catalog.batches import Batch, Batches
from sluice.catalog.runs import Pages
from sluice.catalog.table import ConditionFailed
from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, PageReceipt, Run

# A transaction has room for a hundred writes, and each batch needs two.
_AT_ONCE = 40


def fetch_pushed(run: Run, datasource: Datasource, batches: Batches, pages: Pages) -> FetchIndex | None:
    """Take what waits for the run: each batch stops waiting in the very transaction that makes it a page.

    So no batch is ever lost or taken twice, whoever dies in between. Since the run has begun, no
    further batch is given to it.

    Returns:
        What the run has; none when nothing waits and nothing was taken before.
    """
    while waiting := batches.waiting(run.id, _AT_ONCE):
        writes = []
        for number, batch in enumerate(waiting, start=len(pages.of_run(run.id)) + 1):
            writes += [batches.taking(run.id, batch), pages.putting(run.id, _receipt(run, batch, number))]
        try:
            batches.move(writes)
        except ConditionFailed:
            continue  # another process of this run was at it: look again
    taken = pages.of_run(run.id)
    if not taken:
        return None
    return FetchIndex(
        datasource=datasource.slug,
        run=run.id,
        attempt=run.attempt,
        fetched_at=taken[-1].fetched_at,
        pages=taken,
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
    )
