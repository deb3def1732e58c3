"""Delivering events to webhooks: each delivery is a call of the function `webhooks` of its own.

So a webhook that is slow or fails holds up no other one. An attempt that fails sets a timer for the next
one; there is no queue that is polled.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import orjson
from aws_lambda_powertools import Logger

from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.event import Event
from sluice.domain.names import now, rfc3339
from sluice.domain.subscription import Delivery, delivery_id, matches, message_of
from sluice.errors import SecretMissing
from sluice.settings import Settings
from sluice.subscriptions.registry import KIND, subscription_of

logger = Logger()


def deliver_to_subscribers(services: Container, event: Event) -> None:
    """Create the deliveries of an event to all subscriptions that ask for it, and start their first attempts.

    It is safe to repeat.

    Raises:
        Exception: of the first delivery that could not be started; the others were.
    """
    from sluice.subscriptions.visibility import may_see  # the function `webhooks` only sends

    failures: list[Exception] = []
    for definition in services.definitions.all(KIND):
        if not matches(subscription_of(definition), event) or not may_see(services, definition, event):
            continue
        try:
            _start(services, definition.name, event)
        except Exception as error:  # one subscription must not keep the event from the others
            failures.append(error)
    if failures:
        raise failures[0]


def _start(services: Container, subscription: str, event: Event) -> None:
    delivery = Delivery(
        id=delivery_id(subscription, event),
        event=event.TYPE,
        event_id=event.id,
        created_at=rfc3339(now()),
        tries_left=services.settings.webhook_attempts,
        body=orjson.dumps(message_of(event)).decode(),
    )
    stored = services.deliveries.create(subscription, delivery)
    # A process that was killed after storing it may not have started the attempt.
    if stored.is_new:
        _call(services, subscription, stored)


def _call(services: Container, subscription: str, delivery: Delivery) -> None:
    services.functions.call_later(
        services.settings.webhooks_function, _call_event(subscription, delivery, delivery.attempts + 1)
    )


def _call_event(subscription: str, delivery: Delivery, attempt: int) -> dict[str, Any]:
    return {"subscription": subscription, "delivery": delivery.id, "attempt": attempt}


def attempt_delivery(services: Container, subscription: str, delivery_name: str, attempt: int) -> Delivery | None:
    """Make one attempt of a delivery, and set the timer for the next one if it fails.

    An attempt whose result is stored is not repeated. One whose process was killed is made again, so the
    webhook may get an event twice.

    Args:
        subscription: the id of the subscription.
        delivery_name: the id of the delivery.
        attempt: the number of the attempt, from 1.

    Returns:
        The delivery afterwards; None if it or its subscription does not exist any more.
    """
    definition = services.definitions.find(KIND, subscription)
    delivery = services.deliveries.find(subscription, delivery_name)
    if definition is None or delivery is None:
        return None
    if delivery.status != "pending" or attempt <= delivery.attempts:
        return delivery
    outcome = _send(services, definition, delivery)
    changes: dict[str, Any] = {"response_status": outcome.status, "error": outcome.error, "next_attempt_at": None}
    if outcome.error is None:
        changes["status"] = "delivered"
    else:
        tries_left = delivery.tries_left - 1
        changes |= {"status": "pending" if tries_left > 0 else "failed", "tries_left": tries_left}
        logger.warning("a webhook failed", extra={"delivery": delivery.id, "status": outcome.status})
        if tries_left > 0:
            # The timer comes first: if the process is killed before the result is stored, it makes the attempt.
            changes["next_attempt_at"] = _set_timer(services, subscription, delivery, attempt + 1)
    services.deliveries.record(subscription, delivery, attempt, **changes)
    return services.deliveries.find(subscription, delivery_name)


def _send(services: Container, definition: Definition, delivery: Delivery) -> Any:
    from sluice.subscriptions.sending import Outcome, send  # only the function `webhooks` needs the HTTP client

    try:
        secret = services.webhook_secrets.value(definition.name)
    except SecretMissing:
        return Outcome(None, "The signing secret is missing; rotate it.")
    webhook = subscription_of(definition).webhook
    return send(services.source_transport(), webhook, secret, delivery, services.settings.webhook_seconds)


def _set_timer(services: Container, subscription: str, delivery: Delivery, attempt: int) -> str:
    failed = services.settings.webhook_attempts - delivery.tries_left + 1
    moment = now() + timedelta(seconds=backoff_seconds(services.settings, failed))
    services.timers.once(
        f"webhook/{subscription}/{delivery.id}/{attempt}",
        moment,
        services.settings.webhooks_function,
        _call_event(subscription, delivery, attempt),
    )
    return rfc3339(moment)


def backoff_seconds(settings: Settings, failed: int) -> float:
    """The time until the next attempt: exponential, with jitter in its upper half.

    Args:
        failed: how many attempts have failed, from 1.
    """
    doubled = settings.webhook_backoff_seconds * 2.0 ** min(failed - 1, 60)  # no float is larger than 2 ** 1023
    longest = min(doubled, settings.webhook_max_backoff_seconds)
    return random.uniform(longest / 2, longest)  # noqa: S311 - guards nothing


def redeliver(services: Container, subscription: str, delivery_name: str) -> Delivery:
    """Send an event to its webhook again, now and with new attempts, whatever the delivery's status.

    Raises:
        NotFound: there is no such delivery.
    """
    delivery = services.deliveries.reopen(subscription, delivery_name, services.settings.webhook_attempts)
    _call(services, subscription, delivery)
    return delivery
