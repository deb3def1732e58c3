"""Raw pages of documents: lines of Extended JSON, with the types of their columns, and where to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sluice.domain.page_columns import PageColumn
from sluice.errors import DataTooLarge
from sluice.sources.mongo.columns import ColumnTally
from sluice.sources.mongo.documents import lines_of, text_of

# Most bytes of the names of a page's columns, and of an `_id`: both are in the page's receipt.
_MOST_NAME_BYTES = 100_000
_MOST_ID_BYTES = 10_000


@dataclass(frozen=True)
class Place:
    """Where reading goes on: behind a document.

    Args:
        after: its `_id` as Extended JSON; none at the beginning.
        snapshot: the time of the snapshot in which it was read; none where there was none.
    """

    after: str | None = None
    snapshot: str | None = None


@dataclass(frozen=True)
class MongoPage:
    """One raw page.

    Args:
        body: a line for each document; empty where there are none.
        place: where the next page begins.
    """

    body: bytes
    rows: int
    columns: dict[str, PageColumn]
    place: Place


class PageMaker:
    """A page that grows by documents.

    Args:
        begin: where it begins.
        keeps_id: whether the records have their `_id`.
    """

    def __init__(self, begin: Place, *, keeps_id: bool) -> None:
        self._begin = begin
        self._keeps_id = keeps_id
        self._last: Any = None
        self._parts: list[bytes] = []
        self._tally = ColumnTally()
        self.rows = 0
        self.size = 0

    def add(self, documents: Sequence[dict[str, Any]]) -> int:
        """Add documents, which are changed; returns how many bytes their lines have.

        Raises:
            UnreadableData: a document has no `_id`, or is nested too deeply.
        """
        self._last = documents[-1]["_id"]
        if not self._keeps_id:
            for document in documents:
                del document["_id"]
        odd = self._tally.add(documents)
        body = lines_of(documents, odd=odd)
        self._parts.append(body)
        self.rows += len(documents)
        self.size += len(body)
        return len(body)

    def finished(self, snapshot: str | None) -> MongoPage:
        """The page as it is kept.

        Raises:
            DataTooLarge: its columns, or the last `_id`, are more than a receipt can hold.
        """
        columns = self._tally.columns()
        if sum(len(name.encode()) for name in columns) > _MOST_NAME_BYTES:
            raise DataTooLarge(
                f"The documents of a page have fields whose names are longer than {_MOST_NAME_BYTES} bytes together; "
                "name the fields that are wanted with `projection`, or set page_documents to a smaller number."
            )
        after = self._begin.after
        if self.rows:
            after = text_of(self._last)
            if len(after) > _MOST_ID_BYTES:
                raise DataTooLarge(f"An _id has more than {_MOST_ID_BYTES} bytes.")
        return MongoPage(b"".join(self._parts), self.rows, columns, Place(after, snapshot))
