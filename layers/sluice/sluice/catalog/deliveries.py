"""Deliveries of events to subscriptions."""

from __future__ import annotations

import time
from typing import Any

from sluice.catalog.table import ConditionFailed, Item, Table
from sluice.domain.names import now, rfc3339
from sluice.domain.subscription import Delivery, DeliveryStatus
from sluice.errors import NotFound

INDEX = "ByStatus"


class Deliveries:
    """The table `Deliveries`: `workspace#subscription` / `delivery`, with the index `ByStatus`.

    Args:
        days: how long deliveries are kept.
    """

    def __init__(self, table: Table, workspace: str, days: int) -> None:
        self._table = table
        self._workspace = workspace
        self._days = days

    def _key(self, subscription: str, delivery: str) -> Item:
        return {"workspace_subscription": f"{self._workspace}#{subscription}", "delivery": delivery}

    def _status_key(self, subscription: str, status: DeliveryStatus) -> str:
        return f"{self._workspace}#{subscription}#{status}"

    def create(self, subscription: str, delivery: Delivery) -> Delivery:
        """Store a new delivery, unless it is stored already.

        Returns:
            The stored delivery.
        """
        item = {
            **self._key(subscription, delivery.id),
            **delivery.model_dump(exclude={"id"}),
            "workspace_subscription_status": self._status_key(subscription, delivery.status),
            "expires_at": int(time.time()) + self._days * 86400,
        }
        try:
            self._table.execute(self._table.put(item, "attribute_not_exists(#delivery)"))
        except ConditionFailed as failure:
            return _delivery(failure.item or item)
        return delivery

    def find(self, subscription: str, delivery: str) -> Delivery | None:
        """A delivery; None if there is none or it has expired."""
        item = self._table.get(self._key(subscription, delivery))
        return _delivery(item) if item and _is_current(item) else None

    def page(
        self, subscription: str, status: DeliveryStatus | None, limit: int, before: str | None
    ) -> tuple[list[Delivery], str | None]:
        """One page of a subscription's deliveries, newest event first.

        Args:
            status: only those with this status.
            before: an id; the page begins with the next older one.

        Returns:
            The deliveries, and the id that the next page begins before; None if there is none.
        """
        name, value, index = "workspace_subscription", f"{self._workspace}#{subscription}", None
        if status is not None:
            name, value, index = "workspace_subscription_status", self._status_key(subscription, status), INDEX
        condition, values = f"#{name} = :pk", {"pk": value}
        if before is not None:
            condition, values = condition + " AND #delivery < :before", values | {"before": before}
        deliveries: list[Delivery] = []
        for item in self._table.query_all(condition, values, index=index, newest_first=True):
            if not _is_current(item):
                continue
            if len(deliveries) == limit:
                return deliveries, deliveries[-1].id
            deliveries.append(_delivery(item))
        return deliveries, None

    def record(self, subscription: str, delivery: Delivery, attempt: int, **changes: Any) -> bool:
        """Store the result of an attempt, unless it or a later one has a result, or new attempts have begun.

        Args:
            delivery: as it was read before the attempt.
            attempt: its number, from 1.
            changes: the new values of the delivery's fields; `status` is required.

        Returns:
            Whether it was stored.
        """
        changes |= {
            "attempts": attempt,
            "attempted_at": rfc3339(now()),
            "workspace_subscription_status": self._status_key(subscription, changes["status"]),
        }
        # The last attempt must not end a delivery that was reopened while it waited for the webhook.
        condition = "#attempts < :attempt AND #status = :pending AND #tries_left = :tries"
        values = {"attempt": attempt, "pending": "pending", "tries": delivery.tries_left}
        write = self._table.update(self._key(subscription, delivery.id), changes, condition, values)
        try:
            self._table.execute(write)
        except ConditionFailed:
            return False
        return True

    def reopen(self, subscription: str, delivery: str, tries: int) -> Delivery:
        """Begin new attempts of a delivery, whatever its status.

        Args:
            tries: the most further attempts.

        Raises:
            NotFound: there is no such delivery.
        """
        changes = {
            "status": "pending",
            "tries_left": tries,
            "next_attempt_at": None,
            "workspace_subscription_status": self._status_key(subscription, "pending"),
        }
        key = self._key(subscription, delivery)
        condition, values = "#expires_at >= :now", {"now": int(time.time())}
        try:
            return _delivery(self._table.execute(self._table.update(key, changes, condition, values)) or {})
        except ConditionFailed:
            raise NotFound(f"There is no delivery {delivery!r}.") from None


def _delivery(item: Item) -> Delivery:
    return Delivery.model_validate({**item, "id": item["delivery"]})


def _is_current(item: Item) -> bool:
    # TTL deletes expired items up to two days late.
    return bool(item["expires_at"] >= time.time())
