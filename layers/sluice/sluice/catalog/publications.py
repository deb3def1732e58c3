"""Publications: items `published/{dataset}/{time}` beside the pointers, in the table `Datasets`.

They are the history that `as_of` reads, and an outbox for the followers. The transaction that moves a
pointer also writes a publication. Its attribute `undelivered` puts it into the sparse index `Undelivered`
until it was delivered to every follower.
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

    def put_write(self, dataset: DatasetId, moment: str, number: int | None, by: str) -> Write:
        """A write that stores an undelivered publication, for the transaction that moves the pointer.

        Args:
            moment: the time, as `rfc3339_micro` formats it.
            number: the published version; None if the dataset is hidden.
            by: the run or principal that publishes it.
        """
        item = {**self._key(_key_of(dataset, moment)), "number": number, "by": by, "undelivered": self._workspace}
        return self._table.put(item, "attribute_not_exists(#dataset)")

    def last(self, dataset: DatasetId, moment: datetime) -> Publication | None:
        """The latest publication of a dataset up to a moment; None if there is none."""
        values = {"pk": self._workspace, "first": _key_of(dataset, ""), "last": _key_of(dataset, rfc3339_micro(moment))}
        condition = "#workspace = :pk AND #dataset BETWEEN :first AND :last"
        items = self._table.query(condition, values, limit=1, newest_first=True).items
        return _publication(items[0]) if items else None

    def undelivered(self, dataset: DatasetId | None = None) -> Iterator[Publication]:
        """The publications that were not delivered to every follower, ordered by dataset and time.

        The index is eventually consistent: it may lack the latest publications.

        Args:
            dataset: only publications of this dataset.
        """
        prefix = PREFIX if dataset is None else _key_of(dataset, "")
        condition = "#undelivered = :pk AND begins_with(#dataset, :prefix)"
        values = {"pk": self._workspace, "prefix": prefix}
        for item in self._table.query_all(condition, values, index=INDEX):
            yield _publication(item)

    def find(self, key: str) -> Publication | None:
        """A publication by its key, read consistently; None if there is none."""
        item = self._table.get(self._key(key))
        return _publication(item) if item else None

    def mark_delivered(self, publication: Publication, followers: set[str], *, everyone: bool) -> None:
        """Store the followers that a publication was delivered to.

        Args:
            followers: the names of the followers that it was delivered to now.
            everyone: whether it was delivered to every follower; then the item leaves the index.
        """
        if everyone:
            write = self._table.update(
                self._key(publication.key), {"undelivered": None, "delivered_to": None}, "attribute_exists(#dataset)"
            )
        else:
            # ADD to a set, so that two processes that deliver at the same time keep each other's followers.
            write = self._table.update(
                self._key(publication.key), {}, "attribute_exists(#undelivered)", add={"delivered_to": followers}
            )
        with suppress(ConditionFailed):  # another process has delivered it to everyone meanwhile
            self._table.execute(write)


def dataset_of(key: str) -> DatasetId:
    """The dataset of a publication's key.

    Raises:
        ValueError: the key is not that of a publication.
    """
    if not key.startswith(PREFIX):
        raise ValueError(f"{key!r} is not the key of a publication.")
    return DatasetId(key.removeprefix(PREFIX).rpartition("/")[0])


def rfc3339_micro(moment: datetime) -> str:
    """A time in RFC 3339, in UTC with six decimals, so that texts sort by time."""
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
        delivered_to=sorted(item.get("delivered_to", ())),
    )
