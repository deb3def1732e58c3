"""Pushed records that wait for their run, batch by batch in the order of their arrival."""

from __future__ import annotations

from collections.abc import Sequence

from sluice.catalog.table import Item, Table, Write, transact
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
