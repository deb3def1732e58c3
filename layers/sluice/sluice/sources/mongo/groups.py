"""Documents that share an `_id`: they stay together, so that reading can go on behind all of them.

`_id` is unique in a collection, but not in a view, a time series, or a collection whose shards have another key.
"""

from __future__ import annotations

from operator import lt
from typing import Any

import bson
from bson.int64 import Int64
from bson.objectid import ObjectId

from sluice.errors import DataTooLarge, UnreadableData
from sluice.sources.mongo.documents import Documents, value_of
from sluice.sources.mongo.order import is_order_certain, sort_key


class IdGroups:
    """Checks the order of documents, and keeps the last ones back until all that share their `_id` have arrived.

    Args:
        after: the `_id` behind which reading begins, as Extended JSON; none at the beginning.
        most_bytes: the most bytes of documents that may share an `_id`.
    """

    def __init__(self, after: str | None, most_bytes: int) -> None:
        self._before = [] if after is None else [value_of(after)]
        self._held: list[dict[str, Any]] = []
        self._held_bytes = 0
        self._most_bytes = most_bytes
        # Whether documents shared an `_id`, and whether the order of two could not be verified.
        self.has_repeats = False
        self.has_doubtful_order = False

    @property
    def held(self) -> int:
        """How many documents are kept back."""
        return len(self._held)

    def add(self, documents: Documents) -> Documents:
        """Add documents in the order in which the server sent them.

        Returns:
            Those that are known to have no more documents of their `_id` behind them.

        Raises:
            UnreadableData: they are not in the order of `_id`.
            DataTooLarge: too many share one `_id`.
        """
        ids = [
            *(self._before or [held["_id"] for held in self._held[-1:]]),
            *(document["_id"] for document in documents),
        ]
        repeats = self._repeats(ids)
        start = len(ids) - 1
        while start in repeats:
            start -= 1
        if self._before and 1 in repeats:
            raise _out_of_order()
        # From here on, an index into the documents: the first id is of those before them, if there are any.
        start += self._held_before(len(ids) - len(documents), start)
        together = [*self._held, *documents]
        complete, self._held = together[:start], together[start:]
        self._before = []
        # A large document may come alone.
        self._require_small(documents if not complete and len(self._held) > 1 else [])
        return complete

    def rest(self) -> Documents:
        """The documents that were kept back, at the end."""
        rest, self._held = self._held, []
        return rest

    def end_of_group(self, documents: Documents, at_least: int) -> int:
        """How many documents to take from the front, so that those of one `_id` are taken together."""
        end = min(at_least, len(documents))
        while self.has_repeats and end < len(documents) and _same(documents[end - 1], documents[end]):
            end += 1
        return end

    def _held_before(self, ids_before: int, start: int) -> int:
        if not self._held:
            return -ids_before
        return len(self._held) - 1 if start else 0

    def _require_small(self, documents: Documents) -> None:
        """Count the documents of an `_id` that has filled all that the server sent."""
        self._held_bytes = (
            self._held_bytes + sum(len(bson.encode(document)) for document in documents) if documents else 0
        )
        if self._held_bytes > self._most_bytes:
            raise DataTooLarge(
                f"More than {self._most_bytes} bytes of documents share one _id, which are read together; give the "
                "documents of a view an _id of their own."
            )

    def _repeats(self, ids: list[Any]) -> set[int]:
        """The indexes of ids that are equal to the one before."""
        if _ascends(ids):
            return set()
        keys = list(map(sort_key, ids))
        repeats = {index for index in range(1, len(keys)) if keys[index - 1] == keys[index]}
        self.has_repeats = self.has_repeats or bool(repeats)
        for index in range(1, len(keys)):
            if keys[index - 1] > keys[index]:
                if is_order_certain(ids[index - 1], ids[index]):
                    raise _out_of_order()
                self.has_doubtful_order = True
        return repeats


def _ascends(ids: list[Any]) -> bool:
    """Whether ids of one common type ascend; false where that takes more than a quick look."""
    kinds = set(map(type, ids))
    if kinds == {ObjectId}:
        ids = [identity.binary for identity in ids]
    elif kinds != {str} and not kinds <= {int, Int64}:
        return False
    return all(map(lt, ids, ids[1:]))


def _same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return sort_key(first["_id"]) == sort_key(second["_id"])


def _out_of_order() -> UnreadableData:
    return UnreadableData(
        "The server sent documents that are not in the order of their _id, so reading cannot go on behind one of them."
    )
