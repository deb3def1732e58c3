"""Counting semaphores whose holders are named."""

from __future__ import annotations

from sluice.catalog.table import ConditionFailed, Item, Table, Write

# A condition that always holds, since every write of `Table` has one.
_ALWAYS = "attribute_exists(#workspace_id) OR attribute_not_exists(#workspace_id)"
_HAS_ROOM = "attribute_not_exists(#holders) OR size(#holders) < :most OR contains(#holders, :holder)"


class Slots:
    """One item of the table `Locks` for each semaphore, with the set of its holders.

    Since holders are named, a process that finds that a holder has ended can free its slot. The items
    have no `expires_at`, so TTL never removes them.
    """

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, name: str) -> Item:
        return {"workspace_id": f"{self._workspace}#slots#{name}"}

    def take_write(self, name: str, holder: str, limit: int) -> Write:
        """A write that takes a slot, or keeps the slot that the holder has.

        Args:
            name: the semaphore.
            limit: the most holders; the write fails if there are as many.
        """
        values = {"most": limit, "holder": holder}
        return self._table.update(self._key(name), {}, _HAS_ROOM, values, add={"holders": {holder}})

    def take(self, name: str, holder: str, limit: int) -> bool:
        """Take a slot.

        Returns:
            Whether there was a free slot, or the holder had one.
        """
        try:
            self._table.execute(self.take_write(name, holder, limit))
        except ConditionFailed:
            return False
        return True

    def free_write(self, name: str, *holders: str) -> Write:
        """A write that frees the slots of these holders; it changes nothing for holders without a slot."""
        return self._table.update(self._key(name), {}, _ALWAYS, discard={"holders": set(holders)})

    def free(self, name: str, *holders: str) -> None:
        """Free the slots of these holders; it is safe to repeat."""
        if holders:
            self._table.execute(self.free_write(name, *holders))

    def holders(self, name: str) -> set[str]:
        """The names of those that hold a slot now."""
        return set((self._table.get(self._key(name)) or {}).get("holders", ()))
