"""What waits: pushed records for their run, and runs of dropped files for their turn."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from sluice.catalog.table import ConditionFailed, Item, Table, Write, transact
from sluice.domain.base import Record


class Batch(Record):
    """One push: its bytes are in the lake already.

    Args:
        id: a ULID, by which batches are ordered.
        hash: the SHA-256 of the bytes.
    """

    id: str
    hash: str
    bytes: int
    media_type: str
    records: int
    received_at: str
    received_from: str


class Batches:
    """The table `Batches`: `workspace#run` / `batch`; it holds only what waits for that run to begin."""

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, run_id: str, batch: str) -> Item:
        return {"workspace_run": f"{self._workspace}#{run_id}", "batch": batch}

    def putting(self, run_id: str, batch: Batch) -> Write:
        """The part of a transaction that lets a batch wait for a run."""
        item = {**self._key(run_id, batch.id), **batch.model_dump(exclude={"id"})}
        return self._table.put(item, "attribute_not_exists(#batch)")

    def waiting(self, run_id: str, limit: int) -> list[Batch]:
        """The batches that have waited longest for a run."""
        condition, values = "#workspace_run = :pk", {"pk": f"{self._workspace}#{run_id}"}
        page = self._table.query(condition, values, limit=limit)
        return [Batch.model_validate({**item, "id": item["batch"]}) for item in page.items]

    def taking(self, run_id: str, batch: Batch) -> Write:
        """The part of a transaction that ends a batch's wait."""
        return self._table.delete(self._key(run_id, batch.id), "attribute_exists(#batch)")

    def move(self, writes: Sequence[Write]) -> None:
        """Do the parts of a transaction: all of it, or nothing.

        Raises:
            ConditionFailed: somebody else was first.
        """
        transact(self._table.client, writes)


class WaitingRuns:
    """The runs of dropped files that wait to be started: `workspace#drops` / `run`, in the table `Batches`."""

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._partition = f"{workspace}#drops"

    def _key(self, run_id: str) -> Item:
        return {"workspace_run": self._partition, "batch": run_id}

    def putting(self, run_id: str) -> Write:
        """The part of a transaction that lets a run wait."""
        return self._table.put(self._key(run_id), "attribute_exists(#batch) OR attribute_not_exists(#batch)")

    def removing(self, run_id: str) -> Write:
        """The part of a transaction that ends a run's wait."""
        return self._table.delete(self._key(run_id), "attribute_exists(#batch)")

    def remove(self, run_id: str) -> None:
        """End the wait of a run that will not be started."""
        with suppress(ConditionFailed):
            self._table.do(self.removing(run_id))

    def oldest(self) -> str | None:
        """The id of the run that has waited longest; none when no run waits."""
        page = self._table.query("#workspace_run = :pk", {"pk": self._partition}, limit=1)
        return str(page.items[0]["batch"]) if page.items else None
