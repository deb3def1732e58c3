"""The follower that sends events to webhooks."""

from __future__ import annotations

from sluice.container import Container
from sluice.domain.event import Event, EventType
from sluice.subscriptions.delivery import deliver_to_subscribers


class Subscribers:
    """Starts the delivery of each event to the subscriptions that ask for it."""

    name = "subscriptions"
    takes = frozenset[EventType]({"version.published", "run.failed", "alarm.raised"})

    def follow(self, services: Container, event: Event) -> None:
        """Store the deliveries and start their first attempts, each in a call of its own.

        Raises:
            Unavailable: Lambda or DynamoDB throttles.
        """
        deliver_to_subscribers(services, event)
