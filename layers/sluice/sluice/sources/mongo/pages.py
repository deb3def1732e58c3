"""Raw pages of documents: lines of Extended JSON, with the types of their columns, and where to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sluice.domain.datasource.mongo_source import MongoSource
from sluice.domain.page_columns import PageColumn
from sluice.errors import DataTooLarge, UnreadableData
from sluice.settings import Settings
from sluice.sources.mongo.columns import ColumnTally
from sluice.sources.mongo.documents import Documents, lines_of, text_of, value_of
from sluice.sources.mongo.groups import IdGroups
from sluice.sources.mongo.order import sort_key

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


class Doubt(StrEnum):
    """What was seen in the order of the documents."""

    REPEATED_ID = "repeated-id"
    ORDER = "order"


@dataclass(frozen=True)
class MongoPage:
    """One raw page.

    Args:
        body: a line for each document; empty where there are none.
        place: where the next page begins.
        doubts: why the documents up to its end may not be all.
    """

    body: bytes
    rows: int
    columns: dict[str, PageColumn]
    place: Place
    doubts: frozenset[Doubt] = frozenset()


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

    def finished(self, snapshot: str | None, doubts: frozenset[Doubt]) -> MongoPage:
        """The page as it is kept.

        Raises:
            DataTooLarge: its columns, or the last `_id`, are more than a receipt can hold.
            UnreadableData: the last `_id` has no text from which it comes back.
        """
        columns = self._tally.columns()
        if sum(len(name.encode()) for name in columns) > _MOST_NAME_BYTES:
            raise DataTooLarge(
                f"The documents of a page have fields whose names are longer than {_MOST_NAME_BYTES} bytes together; "
                "name the fields that are wanted with `projection`, or set page_documents to a smaller number."
            )
        after = self._begin.after
        if self.rows:
            after = _text_of_id(self._last)
        return MongoPage(b"".join(self._parts), self.rows, columns, Place(after, snapshot), doubts)


def _text_of_id(value: Any) -> str:
    text = text_of(value)
    if len(text) > _MOST_ID_BYTES:
        raise DataTooLarge(f"An _id has more than {_MOST_ID_BYTES} bytes.")
    try:
        is_same = sort_key(value_of(text)) == sort_key(value)
    except Exception:  # whatever a converter of one of the types raises
        is_same = False
    if not is_same:
        raise UnreadableData(
            "An _id has fields that look like Extended JSON, such as $oid, so reading cannot go on behind it."
        )
    return text


class PageCutter:
    """Cuts the documents of one cursor into pages.

    Args:
        source: says how many documents a page has at most; documents that share an `_id` stay in one page.
        settings: say how many bytes.
        begin: where the first page begins.
    """

    def __init__(self, source: MongoSource, settings: Settings, begin: Place) -> None:
        self._source = source
        self._settings = settings
        self._page = PageMaker(begin, keeps_id=source.keeps_id)
        self._groups = IdGroups(begin.after, settings.mongo_page_bytes)
        self._added = (0, 0)

    def room(self, coming: int) -> int:
        """How many documents to ask for at most, so that the page that follows the ones that come ends with them."""
        room = self._source.page_documents - self._page.rows - self._groups.held - coming
        return max(room, 0) or self._source.page_documents

    def adapted(self, batch: int, batch_bytes: int) -> int:
        """How many documents to ask for next: as many as have so many bytes, at most twice as many as last time."""
        documents, size = self._added
        return max(1, min(2 * batch, documents * batch_bytes // max(size, 1))) if documents else batch

    def add(self, documents: Documents, snapshot: str | None) -> list[MongoPage]:
        """Add documents; returns the pages that are full.

        Raises:
            DataTooLarge: a page, or the documents of one `_id`, are too large.
            UnreadableData: the documents are not in the order of `_id`, or one cannot be kept.
        """
        return self._cut(self._groups.add(documents), snapshot)

    def end(self, snapshot: str | None) -> list[MongoPage]:
        """Add the documents that were kept back, as there are no more; returns the pages that are full."""
        return self._cut(self._groups.rest(), snapshot)

    def last(self, snapshot: str | None) -> MongoPage:
        """The page that is not full; it may have no documents."""
        doubts = {Doubt.REPEATED_ID: self._groups.has_repeats, Doubt.ORDER: self._groups.has_doubtful_order}
        return self._page.finished(snapshot, frozenset(doubt for doubt, seen in doubts.items() if seen))

    def _cut(self, documents: Documents, snapshot: str | None) -> list[MongoPage]:
        full: list[MongoPage] = []
        self._added = (len(documents), 0)
        while documents:
            end = self._groups.end_of_group(documents, self._source.page_documents - self._page.rows)
            self._added = (self._added[0], self._added[1] + self._page.add(documents[:end]))
            documents = documents[end:]
            if self._page.size > self._settings.max_page_bytes:
                raise DataTooLarge(f"A page has more than {self._settings.max_page_bytes} bytes.")
            is_full = self._page.rows >= self._source.page_documents
            if is_full or self._page.size >= self._settings.mongo_page_bytes:
                full.append(self.last(snapshot))
                self._page = PageMaker(full[-1].place, keeps_id=self._source.keeps_id)
        return full
