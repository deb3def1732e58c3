"""Locks that expire: for idempotent answers, single runs, and events that are handled once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sluice.catalog.table import ConditionFailed, Item, Table, Write
from sluice.catalog.transactions import MAX_BATCH_ITEMS, batch_get

# A condition that always holds, since every write of `Table` has one.
_ALWAYS = "attribute_exists(#workspace_id) OR attribute_not_exists(#workspace_id)"


class Locks:
    """The table `Locks`: `workspace#id`.

    A lock is held until its `expires_at`, in epoch seconds. TTL deletes expired items up to two days
    late, so every read and condition checks `expires_at` itself.
    """

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, lock: str) -> Item:
        return {"workspace_id": f"{self._workspace}#{lock}"}

    def acquire(self, lock: str, seconds: int, **attributes: Any) -> Item | None:
        """Take a lock that is free or has expired.

        Args:
            seconds: how long it is held.
            attributes: what to store with it.

        Returns:
            None if the lock was taken; otherwise the item of its holder.
        """
        try:
            self._table.execute(self.acquire_write(lock, seconds, **attributes))
        except ConditionFailed as failure:
            return failure.item or {}
        return None

    def acquire_write(self, lock: str, seconds: int, **attributes: Any) -> Write:
        """A write that takes a lock that is free or has expired; see `acquire`."""
        moment = int(time.time())
        item = {**self._key(lock), "expires_at": moment + seconds, **attributes}
        condition = "attribute_not_exists(#workspace_id) OR #expires_at < :now"
        return self._table.put(item, condition, {"now": moment})

    def extend(self, lock: str, seconds: int, condition: str, values: Item, **changes: Any) -> bool:
        """Hold a lock for `seconds` from now, and change its attributes.

        Returns:
            Whether the condition held; otherwise nothing was changed.
        """
        return self.update(lock, condition, values, expires_at=int(time.time()) + seconds, **changes)

    def update(self, lock: str, condition: str, values: Item, **changes: Any) -> bool:
        """Change the attributes of a lock.

        Returns:
            Whether the condition held; otherwise nothing was changed.
        """
        try:
            self._table.execute(self._table.update(self._key(lock), changes, condition, values))
        except ConditionFailed:
            return False
        return True

    def release(self, lock: str, condition: str, values: Item) -> bool:
        """Release a lock.

        Args:
            condition: usually that the caller still holds it.

        Returns:
            Whether the condition held; otherwise nothing was changed.
        """
        try:
            self._table.execute(self._table.delete(self._key(lock), condition, values))
        except ConditionFailed:
            return False
        return True

    def overwrite(self, lock: str, seconds: int, **attributes: Any) -> None:
        """Store attributes under a lock's name, whoever holds it."""
        item = {**self._key(lock), "expires_at": int(time.time()) + seconds, **attributes}
        self._table.execute(self._table.put(item, _ALWAYS))

    def admit(self, lock: str, limit: int, seconds: int) -> float | None:
        """Admit an event, if fewer than `limit` were admitted within the last `seconds`.

        This is a sliding window: each event takes the next of `limit` slots in turn, and a slot can be
        taken again after `seconds`. So no window of that length has more than `limit` events.

        Returns:
            None if the event is admitted; otherwise the seconds until its slot is free.
        """
        moment = time.time()
        # Counting and taking the slot are two writes. A process that is killed between them wastes one slot, so the
        # limit still holds.
        count_write = self._table.update(
            self._key(lock), {"expires_at": int(moment) + 2 * seconds}, _ALWAYS, add={"events": 1}
        )
        slot = f"slot_{int((self._table.execute(count_write) or {})['events']) % limit}"
        condition = f"attribute_not_exists(#{slot}) OR #{slot} <= :free"
        slot_write = self._table.update(self._key(lock), {slot: moment}, condition, {"free": moment - seconds})
        try:
            self._table.execute(slot_write)
        except ConditionFailed as failure:
            taken_at = float((failure.item or {}).get(slot, moment))
            return max(0.0, taken_at + seconds - moment)
        return None

    def take(self, lock: str, tokens: int, rate: float, burst: int, moment: float) -> float | None:
        """Take tokens from a bucket that fills at a rate; one write, or two for a bucket that was full.

        The bucket is stored as the time at which it is full again, see the generic cell rate algorithm.

        Args:
            tokens: how many to take, at most `burst`.
            rate: the tokens that are added in a second.
            burst: the tokens of a full bucket.
            moment: the time in epoch seconds.

        Returns:
            None if they were taken; otherwise the seconds until the bucket has so many.
        """
        filling = tokens / rate
        latest = moment + burst / rate - filling
        expires_at = int(moment + burst / rate) + 60
        drain = self._table.update(
            self._key(lock),
            {"expires_at": expires_at},
            "#full_at > :moment AND #full_at <= :latest",
            {"moment": moment, "latest": latest},
            add={"full_at": filling},
        )
        begin = self._table.update(
            self._key(lock),
            {"expires_at": expires_at, "full_at": moment + filling},
            "attribute_not_exists(#full_at) OR #full_at <= :moment",
            {"moment": moment},
        )
        # Another process may begin the bucket between the two, or its clock may be ahead of ours.
        for write in (drain, begin, drain):
            try:
                self._table.execute(write)
            except ConditionFailed as failure:
                full_at = float((failure.item or {}).get("full_at", 0))
                if full_at > latest:
                    return full_at - latest
            else:
                return None
        return filling

    def held(self, locks: Sequence[str]) -> set[str]:
        """Those of these locks that are held."""
        held: set[str] = set()
        for begin in range(0, len(locks), MAX_BATCH_ITEMS):
            batch = locks[begin : begin + MAX_BATCH_ITEMS]
            items = batch_get(self._table.client, [(self._table, self._key(lock)) for lock in batch])
            held |= {lock for lock, item in zip(batch, items, strict=True) if item and _is_held(item)}
        return held

    def read(self, lock: str) -> Item | None:
        """The item of a lock's holder; None if nobody holds it."""
        item = self._table.get(self._key(lock))
        return item if item and _is_held(item) else None


def _is_held(item: Item) -> bool:
    return bool(item["expires_at"] >= time.time())
