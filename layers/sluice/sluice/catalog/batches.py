"""Pushed records that wait to be drained, batch by batch in the order of their arrival."""

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
    """The table `Batches`: `workspace#datasource` / `batch`; it holds only what waits."""

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, datasource: str, batch: str) -> Item:
        return {"workspace_datasource": f"{self._workspace}#{datasource}", "batch": batch}

    def put(self, datasource: str, batch: Batch) -> None:
        """Let a batch wait."""
        item = {**self._key(datasource, batch.id), **batch.model_dump(exclude={"id"})}
        self._table.do(self._table.put(item, "attribute_not_exists(#batch)"))

    def waiting(self, datasource: str, limit: int) -> list[Batch]:
        """The batches that have waited longest."""
        condition, values = "#workspace_datasource = :pk", {"pk": f"{self._workspace}#{datasource}"}
        page = self._table.query(condition, values, limit=limit)
        return [Batch.model_validate({**item, "id": item["batch"]}) for item in page.items]

    def taking(self, datasource: str, batch: Batch) -> Write:
        """The part of a transaction that ends a batch's wait."""
        return self._table.delete(self._key(datasource, batch.id), "attribute_exists(#batch)")

    def move(self, writes: Sequence[Write]) -> None:
        """End the wait of batches and store what they become: all of it, or nothing.

        Raises:
            ConditionFailed: somebody else was first.
        """
        transact(self._table.client, writes)
