"""What a follower of publications is."""

from __future__ import annotations

from typing import Protocol

from sluice.container import Container
from sluice.domain.publication import Publication


class Follower(Protocol):
    """Does something each time that a version of a dataset is published, hidden or restored.

    A follower is told at least once of each publication, in the order of a dataset's publications;
    it may be told again of one, even after a later one. It is told after the transaction that
    publishes, by a function of its own, so it can neither delay nor refuse a publication.
    """

    @property
    def name(self) -> str:
        """Its name in the catalog, which stays as it is from release to release."""
        ...

    def follow(self, services: Container, publication: Publication) -> None:
        """Do what follows.

        Raises:
            Exception: whatever goes wrong; the follower is told of the same publication again,
                and of later ones of the same dataset only afterwards.
        """
        ...
