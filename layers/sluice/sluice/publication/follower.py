"""The protocol of a follower of events."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from sluice.container import Container
from sluice.domain.event import EventType


class Follower(Protocol):
    """Reacts to each event of the types that it takes.

    A follower gets each event at least once, in the order of the event's topic: of a dataset's publications,
    for example. It may get one again, even after a later one. Delivery happens after the transaction that
    causes the event, in another function, so a follower can neither delay nor prevent it.
    """

    @property
    def name(self) -> str:
        """The name under which the catalog stores deliveries; it must not change between releases."""
        ...

    @property
    def takes(self) -> AbstractSet[EventType]:
        """The types of events that it gets. `version.published` comes also when a dataset is hidden or restored."""
        ...

    def follow(self, services: Container, event: Any) -> None:
        """React to an event.

        Args:
            event: of one of the classes of the types in `takes`.

        Raises:
            Exception: any error; the event is delivered again later, and later ones of the same
                topic only after it.
        """
        ...
