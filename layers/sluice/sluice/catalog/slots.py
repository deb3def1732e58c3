"""Counting semaphores: slots that only so many may hold at a time, each holder by its name."""

from __future__ import annotations

from sluice.catalog.table import ConditionFailed, Item, Table, Write

_ALWAYS = "attribute_exists(#workspace_id) OR attribute_not_exists(#workspace_id)"
_HAS_ROOM = "attribute_not_exists(#holders) OR size(#holders) < :most OR contains(#holders, :holder)"


class Slots:
    """One item of the table `Locks` for each semaphore, with the set of its holders.

    Because holders are named, whoever notices that a holder is gone can free its slot. The
    items have no end: they are never removed by TTL.
    """

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, name: str) -> Item:
        return {"workspace_id": f"{self._workspace}#slots#{name}"}

    def taking(self, name: str, holder: str, most: int) -> Write:
        """The part of a transaction that takes a slot; a holder that has one already keeps it."""
        values = {"most": most, "holder": holder}
        return self._table.update(self._key(name), {}, _HAS_ROOM, values, add={"holders": {holder}})

    def take(self, name: str, holder: str, most: int) -> bool:
        """Take a slot; whether there was one."""
        try:
            self._table.do(self.taking(name, holder, most))
        except ConditionFailed:
            return False
        return True

    def freeing(self, name: str, *holders: str) -> Write:
        """The part of a transaction that frees the slots of these holders, if they have any."""
        return self._table.update(self._key(name), {}, _ALWAYS, discard={"holders": set(holders)})

    def free(self, name: str, *holders: str) -> None:
        """Free the slots of these holders; freeing a slot twice changes nothing."""
        if holders:
            self._table.do(self.freeing(name, *holders))

    def holders(self, name: str) -> set[str]:
        """Who holds a slot now."""
        return set((self._table.get(self._key(name)) or {}).get("holders", ()))
