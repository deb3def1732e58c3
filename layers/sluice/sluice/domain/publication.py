"""A publication: a version of a dataset becomes the one that readers get."""

from __future__ import annotations

from pydantic import Field

from sluice.domain.base import Record
from sluice.domain.dataset_id import DatasetId


class Publication(Record):
    """One publication, as it is delivered to followers.

    Args:
        key: its key in the catalog; the keys of one dataset's publications sort by time.
        number: the version; null if the dataset was hidden because its owner was deleted.
        published_at: in RFC 3339, to the microsecond; later for each publication of a dataset.
        by: the run that made the version, or the principal that promoted, hid or restored it.
        delivered: whether all followers have it.
        delivered_to: the names of the followers that have it, until all have.
    """

    key: str
    dataset: DatasetId
    number: int | None = None
    published_at: str
    by: str
    delivered: bool = False
    delivered_to: list[str] = Field(default_factory=list)
