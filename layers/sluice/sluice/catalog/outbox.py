"""The outbox: events that followers have yet to get, in the table `Datasets`.

The transaction that causes an event also writes its item. Its attribute `undelivered` puts it into the
sparse index `Undelivered` until every follower that takes the event has it; then the item is deleted,
unless its type is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from sluice.catalog.table import ConditionFailed, Item, Table, Write
from sluice.domain.event import Event

INDEX = "Undelivered"
# An event is written again only with the same content.
_NEW_OR_SAME = "attribute_not_exists(#dataset) OR attribute_exists(#dataset)"


class Outbox:
    """The events of a workspace that were not delivered to every follower."""

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, key: str) -> Item:
        return {"workspace": self._workspace, "dataset": key}

    def put_write(self, event: Event) -> Write:
        """A write that stores an undelivered event, for the transaction of its cause."""
        facts = event.model_dump(exclude={"key", "delivered", "delivered_to"})
        item = {**self._key(event.key), **facts, "undelivered": self._workspace}
        return self._table.put(item, "attribute_not_exists(#dataset)" if event.KEPT else _NEW_OR_SAME)

    def undelivered(self, topic: str = "") -> Iterator[Event]:
        """The events that were not delivered to every follower, ordered by topic and key.

        The index is eventually consistent: it may lack the latest events.

        Args:
            topic: only events of this topic; empty: all.
        """
        condition, values = "#undelivered = :pk", {"pk": self._workspace}
        if topic:
            condition += " AND begins_with(#dataset, :prefix)"
            values["prefix"] = f"{topic}/"
        for item in self._table.query_all(condition, values, index=INDEX):
            event = event_of(item)
            if event is not None and topic in ("", event.topic):
                yield event

    def find(self, key: str) -> Event | None:
        """An event by its key, read consistently; None if there is none."""
        item = self._table.get(self._key(key))
        return event_of(item) if item else None

    def mark_delivered(self, event: Event, followers: set[str], *, everyone: bool) -> None:
        """Store the followers that an event was delivered to.

        Args:
            followers: the names of the followers that it was delivered to now.
            everyone: whether it was delivered to every follower; then the item leaves the index.
        """
        key = self._key(event.key)
        if not everyone:
            # ADD to a set, so that two processes that deliver at the same time keep each other's followers.
            write = self._table.update(key, {}, "attribute_exists(#undelivered)", add={"delivered_to": followers})
        elif event.KEPT:
            write = self._table.update(key, {"undelivered": None, "delivered_to": None}, "attribute_exists(#dataset)")
        else:
            write = self._table.delete(key, "attribute_exists(#dataset)")
        with suppress(ConditionFailed):  # another process has delivered it to everyone meanwhile
            self._table.execute(write)


def event_of(item: Item) -> Event | None:
    """The event in an item; None if this release does not know its type."""
    from sluice.domain.event_types import event_type  # most functions only write events, each of one type

    kind = event_type(item["dataset"])
    if kind is None:
        return None
    facts = {name: value for name, value in item.items() if name != "delivered_to"}
    return kind.model_validate(
        {
            **facts,
            "key": item["dataset"],
            "delivered": "undelivered" not in item,
            "delivered_to": sorted(item.get("delivered_to", ())),
        }
    )
