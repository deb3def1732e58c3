"""Short-lived things that only one may hold: idempotent answers, single flights, seen events."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sluice.catalog.table import MOST_TOGETHER, ConditionFailed, Item, Table, Write, batch_get

_ALWAYS = "attribute_exists(#workspace_id) OR attribute_not_exists(#workspace_id)"


class Locks:
    """The table `Locks`: `workspace#id`, forgotten by TTL (and, since that lags, on reading)."""

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, lock: str) -> Item:
        return {"workspace_id": f"{self._workspace}#{lock}"}

    def acquire(self, lock: str, seconds: int, **attributes: Any) -> Item | None:
        """Take a lock that nobody holds, or whose time is over.

        Returns:
            none when it was taken; else what its holder wrote.
        """
        moment = int(time.time())
        item = {**self._key(lock), "expires_at": moment + seconds, **attributes}
        condition = "attribute_not_exists(#workspace_id) OR #expires_at < :now"
        try:
            self._table.do(self._table.put(item, condition, {"now": moment}))
        except ConditionFailed as failure:
            return failure.item or {}
        return None

    def taking(self, lock: str, seconds: int, **attributes: Any) -> Write:
        """The part of a transaction that takes a lock that nobody holds, or whose time is over."""
        moment = int(time.time())
        item = {**self._key(lock), "expires_at": moment + seconds, **attributes}
        condition = "attribute_not_exists(#workspace_id) OR #expires_at < :now"
        return self._table.put(item, condition, {"now": moment})

    def prolong(self, lock: str, seconds: int, condition: str, values: Item, **changes: Any) -> bool:
        """Keep a held lock for so long from now, with more to say; whether it was still held."""
        return self.change(lock, condition, values, expires_at=int(time.time()) + seconds, **changes)

    def change(self, lock: str, condition: str, values: Item, **changes: Any) -> bool:
        """Change what a held lock says, if the condition holds; whether it did."""
        try:
            self._table.do(self._table.update(self._key(lock), changes, condition, values))
        except ConditionFailed:
            return False
        return True

    def release(self, lock: str, condition: str, values: Item) -> bool:
        """Give a lock back, if the condition holds; whether it did."""
        try:
            self._table.do(self._table.delete(self._key(lock), condition, values))
        except ConditionFailed:
            return False
        return True

    def overwrite(self, lock: str, seconds: int, **attributes: Any) -> None:
        """Write what is known under a lock, whoever wrote before."""
        item = {**self._key(lock), "expires_at": int(time.time()) + seconds, **attributes}
        self._table.do(self._table.put(item, _ALWAYS))

    def admit(self, lock: str, most: int, seconds: int) -> float | None:
        """Let one more event through, if fewer than `most` were let through within the last `seconds`.

        Each event takes the next of `most` slots in turn, and a slot can be taken again only after
        so many seconds; so no window of that length, wherever it begins, sees more than `most`.

        Returns:
            null when the event may go on, else the seconds until its slot is free.
        """
        moment = time.time()
        counting = self._table.update(
            self._key(lock), {"expires_at": int(moment) + 2 * seconds}, _ALWAYS, add={"events": 1}
        )
        slot = f"slot_{int((self._table.do(counting) or {})['events']) % most}"
        condition = f"attribute_not_exists(#{slot}) OR #{slot} <= :free"
        taking = self._table.update(self._key(lock), {slot: moment}, condition, {"free": moment - seconds})
        try:
            self._table.do(taking)
        except ConditionFailed as failure:
            taken = float((failure.item or {}).get(slot, moment))
            return max(0.0, taken + seconds - moment)
        return None

    def held(self, locks: Sequence[str]) -> set[str]:
        """Which of these locks somebody holds."""
        found: set[str] = set()
        for begin in range(0, len(locks), MOST_TOGETHER):
            some = locks[begin : begin + MOST_TOGETHER]
            items = batch_get(self._table.client, [(self._table, self._key(lock)) for lock in some])
            found |= {lock for lock, item in zip(some, items, strict=True) if item and _lasts(item)}
        return found

    def read(self, lock: str) -> Item | None:
        """What the holder of a lock wrote; none when nobody holds it."""
        item = self._table.get(self._key(lock))
        return item if item and _lasts(item) else None


def _lasts(item: Item) -> bool:
    return bool(item["expires_at"] >= time.time())
