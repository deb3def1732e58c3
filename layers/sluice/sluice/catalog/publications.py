"""Publications: items `published/{dataset}/{time}` beside the pointers, in the table `Datasets`.

They are the history that `as_of` reads, and events for the followers: see `catalog/outbox.py`. The
transaction that moves a pointer also writes a publication.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sluice.catalog.outbox import Outbox, event_of
from sluice.catalog.table import Table, Write
from sluice.domain.dataset_id import DatasetId
from sluice.domain.publication import Publication


class Publications:
    """The publications of all datasets of a workspace."""

    def __init__(self, table: Table, outbox: Outbox, workspace: str) -> None:
        self._table = table
        self._outbox = outbox
        self._workspace = workspace

    def put_write(self, dataset: DatasetId, moment: str, number: int | None, by: str) -> Write:
        """A write that stores an undelivered publication, for the transaction that moves the pointer.

        Args:
            moment: the time, as `rfc3339_micro` formats it.
            number: the published version; None if the dataset is hidden.
            by: the run or principal that publishes it.
        """
        return self._outbox.put_write(Publication(key=_key_of(dataset, moment), number=number, by=by))

    def last(self, dataset: DatasetId, moment: datetime) -> Publication | None:
        """The latest publication of a dataset up to a moment; None if there is none."""
        values = {"pk": self._workspace, "first": _key_of(dataset, ""), "last": _key_of(dataset, rfc3339_micro(moment))}
        condition = "#workspace = :pk AND #dataset BETWEEN :first AND :last"
        items = self._table.query(condition, values, limit=1, newest_first=True).items
        event = event_of(items[0]) if items else None
        return event if isinstance(event, Publication) else None


def rfc3339_micro(moment: datetime) -> str:
    """A time in RFC 3339, in UTC with six decimals, so that texts sort by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _key_of(dataset: DatasetId, moment: str) -> str:
    return f"{Publication.PREFIX}/{dataset}/{moment}"
