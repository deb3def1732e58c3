"""Answers of endpoints, kept: in this process, and in a table that all processes share."""

from __future__ import annotations

import base64
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from sluice.catalog.locks import Locks
from sluice.lake.store import Lake

_FLIGHT_SECONDS = 20
_POLL_SECONDS = 0.05
# An item of the table may have 400 KB.
_MOST_ITEM_BYTES = 200_000


@dataclass(frozen=True)
class Kept:
    """An answer that was computed before, or just now.

    Args:
        made_at: when, in epoch seconds.
        hit: whether it was there already.
    """

    content: bytes
    made_at: float
    hit: bool

    @property
    def age(self) -> int:
        """Its age in whole seconds."""
        return max(0, int(time.time() - self.made_at))


class AnswerCache:
    """Keeps answers by keys that name all that they depend on, and has each computed once at a time.

    Args:
        most_bytes: how much this process keeps; the table keeps more.
    """

    def __init__(self, locks: Locks, lake: Lake, most_bytes: int) -> None:
        self._locks = locks
        self._lake = lake
        self._most_bytes = most_bytes
        self._mine: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0

    def get(self, key: str, seconds: int, compute: Callable[[], bytes]) -> Kept:
        """The answer of a key: a kept one if it is not older than so many seconds.

        Whoever comes while another process computes the same waits for it.
        """
        if seconds == 0:
            return Kept(compute(), time.time(), hit=False)
        mine = self._mine.get(key)
        if mine is not None and time.time() - mine.made_at < seconds:
            self._mine.move_to_end(key)
            return mine
        deadline = time.monotonic() + _FLIGHT_SECONDS
        while True:
            shared = self._shared(key, seconds)
            if shared is not None:
                self._remember(key, shared)
                return shared
            if self._locks.acquire(f"flight#{key}", _FLIGHT_SECONDS) is None:
                return self._computed(key, seconds, compute)
            if time.monotonic() > deadline:
                return Kept(compute(), time.time(), hit=False)
            time.sleep(_POLL_SECONDS)

    def _computed(self, key: str, seconds: int, compute: Callable[[], bytes]) -> Kept:
        try:
            # Another one may have computed and let go between the look at the table and the lock.
            shared = self._shared(key, seconds)
            if shared is not None:
                self._remember(key, shared)
                return shared
            kept = Kept(compute(), time.time(), hit=False)
            self._share(key, seconds, kept)
            self._remember(key, Kept(kept.content, kept.made_at, hit=True))
            return kept
        finally:
            self._locks.release(f"flight#{key}", "attribute_exists(#workspace_id)", {})

    def _shared(self, key: str, seconds: int) -> Kept | None:
        item = self._locks.read(f"answer#{key}")
        if item is None or time.time() - item["made_at"] >= seconds:
            return None
        content = self._lake.get(item["body_key"]) if "body_key" in item else base64.b64decode(item["body"])
        return Kept(content, float(item["made_at"]), hit=True)

    def _share(self, key: str, seconds: int, kept: Kept) -> None:
        stored: dict[str, str | float] = {"made_at": kept.made_at}
        if len(kept.content) > _MOST_ITEM_BYTES:
            stored["body_key"] = self._lake.put_answer(kept.content)
        else:
            stored["body"] = base64.b64encode(kept.content).decode()
        self._locks.overwrite(f"answer#{key}", seconds, **stored)

    def _remember(self, key: str, kept: Kept) -> None:
        before = self._mine.pop(key, None)
        self._bytes += len(kept.content) - (len(before.content) if before else 0)
        self._mine[key] = kept
        while self._bytes > self._most_bytes and self._mine:
            _, dropped = self._mine.popitem(last=False)
            self._bytes -= len(dropped.content)
