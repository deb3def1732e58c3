"""Queues: pushed records that wait for their run, and runs of dropped files that wait for a slot."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pydantic import Field

from sluice.catalog.table import ConditionFailed, Item, Table, Write
from sluice.catalog.transactions import transact
from sluice.domain.base import Record


class Batch(Record):
    """The records of one push, whose bytes are stored in the lake.

    Args:
        id: a ULID; batches are ordered by it.
        hash: the SHA-256 of the bytes, in hexadecimal.
        records: the number of records.
        received_from: the principal that pushed them.
        erased: the positions of records that were erased while it waits; see `PageReceipt`.
        gaps: see `PageReceipt`.
    """

    id: str
    hash: str
    bytes: int
    media_type: str
    records: int
    received_at: str
    received_from: str
    erased: list[int] = Field(default_factory=list)
    gaps: list[int] = Field(default_factory=list)


class Batches:
    """The table `Batches`: `workspace#run` / `batch`.

    It has only batches that no run has taken: taking one deletes it.
    """

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, run_id: str, batch: str) -> Item:
        return {"workspace_run": f"{self._workspace}#{run_id}", "batch": batch}

    def put_write(self, run_id: str, batch: Batch) -> Write:
        """A write that adds a batch to those that wait for a run."""
        item = {**self._key(run_id, batch.id), **batch.model_dump(exclude={"id"})}
        return self._table.put(item, "attribute_not_exists(#batch)")

    def waiting(self, run_id: str, limit: int) -> list[Batch]:
        """The oldest batches that wait for a run, at most `limit`."""
        condition, values = "#workspace_run = :pk", {"pk": f"{self._workspace}#{run_id}"}
        page = self._table.query(condition, values, limit=limit)
        return [Batch.model_validate({**item, "id": item["batch"]}) for item in page.items]

    def delete_write(self, run_id: str, batch: Batch) -> Write:
        """A write that deletes a batch; it fails if another process has taken the batch."""
        return self._table.delete(self._key(run_id, batch.id), "attribute_exists(#batch)")

    def transact(self, writes: Sequence[Write]) -> None:
        """Execute all writes or none.

        Raises:
            ConditionFailed: another process has changed one of the items.
        """
        transact(self._table.client, writes)


class WaitingRuns:
    """The runs of dropped files that wait for a slot: `workspace#drops` / `run`, in the table `Batches`."""

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._partition = f"{workspace}#drops"

    def _key(self, run_id: str) -> Item:
        return {"workspace_run": self._partition, "batch": run_id}

    def put_write(self, run_id: str) -> Write:
        """A write that adds a run to the queue, if it is not there."""
        return self._table.put(self._key(run_id), "attribute_exists(#batch) OR attribute_not_exists(#batch)")

    def remove_write(self, run_id: str) -> Write:
        """A write that removes a run from the queue; it fails if another process has removed it."""
        return self._table.delete(self._key(run_id), "attribute_exists(#batch)")

    def remove(self, run_id: str) -> None:
        """Remove a run that will not be started; nothing happens if it is not in the queue."""
        with suppress(ConditionFailed):  # another process has started or removed it
            self._table.execute(self.remove_write(run_id))

    def oldest(self) -> str | None:
        """The id of the run that has waited longest; None if no run waits."""
        page = self._table.query("#workspace_run = :pk", {"pk": self._partition}, limit=1)
        return str(page.items[0]["batch"]) if page.items else None
