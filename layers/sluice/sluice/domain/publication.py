"""A publication: a version of a dataset becomes the one that readers get."""

from __future__ import annotations

from typing import Any

from sluice.domain.dataset_id import DatasetId
from sluice.domain.event import Event


class Publication(Event):
    """One publication, with the key `published/{dataset}/{time}`.

    Args:
        number: the version; null if the dataset was hidden because its owner was deleted.
        by: the run that made the version, or the principal that promoted, hid or restored it.
    """

    TYPE = "version.published"
    PREFIX = "published"
    KEPT = True  # the history that `as_of` reads

    number: int | None = None
    by: str

    @property
    def dataset(self) -> DatasetId:
        """The dataset."""
        return DatasetId(self.topic.removeprefix(f"{self.PREFIX}/"))

    @property
    def published_at(self) -> str:
        """In RFC 3339, to the microsecond; later for each publication of a dataset."""
        return self.key.rpartition("/")[2]

    @property
    def time(self) -> str:
        """When it happened, RFC 3339 in UTC."""
        return self.published_at

    @property
    def announced(self) -> bool:
        """Whether subscribers get it: not that a dataset was hidden."""
        return self.number is not None

    @property
    def scope(self) -> dict[str, str | None]:
        """The datasource or project."""
        return {self.dataset.owner_kind: self.dataset.owner}

    @property
    def data(self) -> dict[str, Any]:
        """The dataset and its version."""
        owner = {"datasource": None, "project": None, **self.scope}
        return {"dataset": self.dataset, **owner, "version": self.number, "by": self.by}
