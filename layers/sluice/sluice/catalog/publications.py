"""Publications: items `published/{dataset}/{time}` beside the pointers, in the table `Datasets`.

They are the history that `as_of` reads, and the outbox of the followers: each is written in the
transaction that moves the pointer, with the attribute `undelivered`, which puts it into the sparse
index `Undelivered` until every follower has been told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from sluice.catalog.table import ConditionFailed, Item, Table, Write
from sluice.domain.dataset_id import DatasetId
from sluice.domain.publication import Publication

INDEX = "Undelivered"
PREFIX = "published/"


class Publications:
    """The publications of all datasets of a workspace."""

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, key: str) -> Item:
        return {"workspace": self._workspace, "dataset": key}

    def put(self, dataset: DatasetId, moment: str, number: int | None, by: str) -> Write:
        """The write, for the transaction that moves a pointer, of a publication that nobody is told of yet.

        Args:
            moment: in RFC 3339, to the microsecond, as `micro` formats it.
            number: the version that is published; null where the dataset is hidden.
            by: the run or principal that publishes.
        """
        item = {**self._key(_key_of(dataset, moment)), "number": number, "by": by, "undelivered": self._workspace}
        return self._table.put(item, "attribute_not_exists(#dataset)")

    def last(self, dataset: DatasetId, moment: datetime) -> Publication | None:
        """The latest publication up to a moment; null where none is known."""
        values = {"pk": self._workspace, "first": _key_of(dataset, ""), "last": _key_of(dataset, micro(moment))}
        condition = "#workspace = :pk AND #dataset BETWEEN :first AND :last"
        items = self._table.query(condition, values, limit=1, newest_first=True).items
        return _publication(items[0]) if items else None

    def undelivered(self, dataset: DatasetId | None = None) -> Iterator[Publication]:
        """The publications of which a follower has not been told, by dataset and then by time.

        The index may lag behind the table by some moments.
        """
        prefix = PREFIX if dataset is None else _key_of(dataset, "")
        condition = "#undelivered = :pk AND begins_with(#dataset, :prefix)"
        values = {"pk": self._workspace, "prefix": prefix}
        for item in self._table.query_all(condition, values, index=INDEX):
            yield _publication(item)

    def find(self, key: str) -> Publication | None:
        """A publication by its key, read consistently."""
        item = self._table.get(self._key(key))
        return _publication(item) if item else None

    def note_told(self, publication: Publication, followers: set[str], *, everyone: bool) -> None:
        """Keep which followers have been told.

        Args:
            everyone: whether there is no follower left to tell; the item then leaves the index.
        """
        if everyone:
            write = self._table.update(
                self._key(publication.key), {"undelivered": None, "told": None}, "attribute_exists(#dataset)"
            )
        else:
            write = self._table.update(
                self._key(publication.key), {}, "attribute_exists(#undelivered)", add={"told": followers}
            )
        with suppress(ConditionFailed):  # another process has told everyone meanwhile
            self._table.do(write)


def dataset_of(key: str) -> DatasetId:
    """The dataset that a publication's key names.

    Raises:
        ValueError: the key is none of a publication.
    """
    if not key.startswith(PREFIX):
        raise ValueError(f"{key!r} is not the key of a publication.")
    return DatasetId(key.removeprefix(PREFIX).rpartition("/")[0])


def micro(moment: datetime) -> str:
    """A moment in RFC 3339 with six decimals, so that texts sort by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _key_of(dataset: DatasetId, moment: str) -> str:
    return f"{PREFIX}{dataset}/{moment}"


def _publication(item: Item) -> Publication:
    key = item["dataset"]
    return Publication(
        key=key,
        dataset=dataset_of(key),
        number=item.get("number"),
        published_at=key.rpartition("/")[2],
        by=item["by"],
        delivered="undelivered" not in item,
        told=sorted(item.get("told", ())),
    )
