"""The protocol of a follower of publications."""

from __future__ import annotations

from typing import Protocol

from sluice.container import Container
from sluice.domain.publication import Publication


class Follower(Protocol):
    """Reacts each time that a version of a dataset is published, hidden or restored.

    A follower gets each publication at least once, in the order of the dataset's publications. It may get
    one again, even after a later one. Delivery happens after the transaction that publishes, in another
    function, so a follower can neither delay nor prevent a publication.
    """

    @property
    def name(self) -> str:
        """The name under which the catalog stores deliveries; it must not change between releases."""
        ...

    def follow(self, services: Container, publication: Publication) -> None:
        """React to a publication.

        Raises:
            Exception: any error; the publication is delivered again later, and later ones of the same
                dataset only after it.
        """
        ...
