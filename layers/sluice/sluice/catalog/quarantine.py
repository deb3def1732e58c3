"""Refused readings, in the table `Readings`: `workspace#/quarantine` / the record's id.

An id is that of the record in its stream or file, so that a record that is delivered again is here once.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from sluice.catalog.table import ConditionFailed, Item, Table
from sluice.domain.base import Record


class Quarantined(Record):
    """A refused record.

    Args:
        id: where it came from, such as `kinesis/shardId-000000000000/4960…`.
        reason: why it was refused.
        record: the record as text, shortened if it is long.
        page: the hash of the batch as received, which has the whole record.
        position: where in the batch the record is.
        arrived_at: when it arrived, as its stream says; null if the stream does not.
    """

    id: str
    reason: str
    record: str
    page: str
    position: int
    arrived_at: str | None = None


class Quarantine:
    """The refused readings of a workspace."""

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._partition = f"{workspace}#/quarantine"

    def _key(self, name: str) -> Item:
        return {"workspace_series": self._partition, "time": name}

    def add(self, records: Iterable[Quarantined]) -> None:
        """Store refused records; one that is stored already is replaced."""
        self._table.put_many([self._key(record.id) | record.model_dump(exclude={"id"}) for record in records])

    def find(self, name: str) -> Quarantined | None:
        """A refused record; None if there is none of this id."""
        item = self._table.get(self._key(name))
        return Quarantined(id=name, **_fields(item)) if item else None

    def page(self, limit: int, after: str | None) -> tuple[list[Quarantined], str | None]:
        """Some refused records, by id.

        Args:
            after: an id; the page begins after it.

        Returns:
            The records, and the id that the next page begins after; None if there is none.
        """
        condition, values = "#workspace_series = :pk", {"pk": self._partition}
        page = self._table.query(condition, values, limit=limit, after=self._key(after) if after is not None else None)
        records = [Quarantined(id=item["time"], **_fields(item)) for item in page.items]
        return records, records[-1].id if page.last_key and records else None

    def remove(self, names: Iterable[str]) -> None:
        """Remove records, as far as they are there."""
        for name in names:
            with suppress(ConditionFailed):
                self._table.execute(self._table.delete(self._key(name), "attribute_exists(#time)"))


def _fields(item: Item) -> Item:
    return {name: value for name, value in item.items() if name in Quarantined.model_fields}
