"""The cache of endpoints' answers: in the memory of each process, and in a table that all processes share."""

from __future__ import annotations

import base64
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson

from sluice.catalog.locks import Locks
from sluice.lake.store import Lake

# How long one process may compute an answer while others wait for it.
_FLIGHT_SECONDS = 20
_POLL_SECONDS = 0.05
# A DynamoDB item has at most 400 KB, and base64 adds a third. Larger answers are stored in the lake.
_MOST_ITEM_BYTES = 200_000
# A body, and what is known about its data.
Computed = tuple[bytes, dict[str, Any]]


@dataclass(frozen=True)
class CachedAnswer:
    """An answer, from the cache or computed just now.

    Args:
        content: the body.
        about: the versions and the completeness of its data, as JSON: formats without a place for them need headers.
        made_at: the time of the computation, in epoch seconds.
        hit: whether the answer is from the cache.
    """

    content: bytes
    about: dict[str, Any]
    made_at: float
    hit: bool

    @property
    def age(self) -> int:
        """Its age in whole seconds."""
        return max(0, int(time.time() - self.made_at))


class AnswerCache:
    """Caches answers by keys that hash everything that the answers depend on.

    Of several processes that need the same answer, one computes it and the others wait (a lock in the table).

    Args:
        locks: the table of locks, which has the shared answers, too.
        lake: receives large answers.
        most_bytes: the size of the cache in this process; the table has no limit.
    """

    def __init__(self, locks: Locks, lake: Lake, most_bytes: int) -> None:
        self._locks = locks
        self._lake = lake
        self._most_bytes = most_bytes
        self._local: OrderedDict[str, CachedAnswer] = OrderedDict()
        self._bytes = 0

    def get(self, key: str, seconds: int, compute: Callable[[], Computed]) -> CachedAnswer:
        """Return the answer of a key, from the cache or computed.

        If another process computes the same answer, wait for it; after 20 seconds compute it here.

        Args:
            key: a hash of everything that the answer depends on.
            seconds: the maximum age of a cached answer; 0: do not use the cache.
            compute: computes the body, and what is known about its data.
        """
        if seconds == 0:
            return CachedAnswer(*compute(), time.time(), hit=False)
        local = self._local.get(key)
        if local is not None and time.time() - local.made_at < seconds:
            self._local.move_to_end(key)
            return local
        deadline = time.monotonic() + _FLIGHT_SECONDS
        while True:
            shared = self._read_shared(key, seconds)
            if shared is not None:
                self._remember(key, shared)
                return shared
            if self._locks.acquire(f"flight#{key}", _FLIGHT_SECONDS) is None:
                return self._compute(key, seconds, compute)
            if time.monotonic() > deadline:
                return CachedAnswer(*compute(), time.time(), hit=False)
            time.sleep(_POLL_SECONDS)

    def _compute(self, key: str, seconds: int, compute: Callable[[], Computed]) -> CachedAnswer:
        try:
            # Another process may have stored the answer and released the lock after the table was read.
            shared = self._read_shared(key, seconds)
            if shared is not None:
                self._remember(key, shared)
                return shared
            answer = CachedAnswer(*compute(), time.time(), hit=False)
            self._share(key, seconds, answer)
            self._remember(key, replace(answer, hit=True))
            return answer
        finally:
            self._locks.release(f"flight#{key}", "attribute_exists(#workspace_id)", {})

    def _read_shared(self, key: str, seconds: int) -> CachedAnswer | None:
        item = self._locks.read(f"answer#{key}")
        # An earlier release stored no `about`.
        if item is None or "about" not in item or time.time() - item["made_at"] >= seconds:
            return None
        content = self._lake.get(item["body_key"]) if "body_key" in item else base64.b64decode(item["body"])
        return CachedAnswer(content, orjson.loads(item["about"]), float(item["made_at"]), hit=True)

    def _share(self, key: str, seconds: int, answer: CachedAnswer) -> None:
        item: dict[str, str | float] = {"made_at": answer.made_at, "about": orjson.dumps(answer.about).decode()}
        if len(answer.content) > _MOST_ITEM_BYTES:
            item["body_key"] = self._lake.put_answer(answer.content)
        else:
            item["body"] = base64.b64encode(answer.content).decode()
        self._locks.overwrite(f"answer#{key}", seconds, **item)

    def _remember(self, key: str, answer: CachedAnswer) -> None:
        replaced = self._local.pop(key, None)
        self._bytes += len(answer.content) - (len(replaced.content) if replaced else 0)
        self._local[key] = answer
        while self._bytes > self._most_bytes and self._local:
            _, dropped = self._local.popitem(last=False)
            self._bytes -= len(dropped.content)
