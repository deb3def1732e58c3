"""The function `webhooks`: makes one attempt to deliver an event to a webhook."""

from typing import Any

from sluice.container import container
from sluice.subscriptions.delivery import attempt_delivery


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle `{"subscription", "delivery", "attempt"}`, from a follower of events, a timer, or the API.

    Returns:
        `{"status"}`: that of the delivery; null if it or its subscription does not exist any more.
    """
    delivery = attempt_delivery(container(), event["subscription"], event["delivery"], event["attempt"])
    return {"status": delivery.status if delivery else None}
