"""Examples of subscriptions and deliveries."""

from __future__ import annotations

from typing import Any

from sluice.api.responses.examples.common import BY, LATER, TIME

_SUBSCRIPTION = {
    "id": "01jb5zk3v6q8y0m2n4p6r8t0w2",
    "etag": "1",
    "event": "run.failed",
    "webhook": "https://hooks.example.com/sluice",
    "project": "top-coins",
    "datasource": None,
    "site": None,
    "equipment": None,
    "sensor": None,
    "secret_set_at": TIME,
    "created_at": TIME,
    "created_by": BY,
}

EXAMPLES: dict[str, Any] = {
    "SubscriptionView": _SUBSCRIPTION,
    "NewSubscription": {**_SUBSCRIPTION, "secret": "whsec_1uXk0Y3pQ7sT9vWbZdFgHjKlMnBvCxZaSqWeRtYuIoP"},
    "DeliveryView": {
        "id": "dlv_0192f3c4d5e61b6d7f8091a2b3c4",
        "event": "run.failed",
        "event_id": "evt_0192f3c4d5e6c3d4e5f60718293a",
        "status": "pending",
        "attempts": 1,
        "created_at": TIME,
        "attempted_at": LATER,
        "next_attempt_at": "2026-01-31T12:00:51.000Z",
        "response_status": 503,
        "error": "The webhook has answered 503.",
    },
}
