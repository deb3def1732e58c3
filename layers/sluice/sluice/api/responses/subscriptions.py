"""Responses about subscriptions and their deliveries."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.api.responses.base import CreatedAt, CreatedBy, ETag, list_model, record_model
from sluice.domain.subscription import Delivery, Subscription

SubscriptionView: Any = record_model(
    "SubscriptionView",
    Subscription,
    about="A subscription, without its signing secret.",
    id=(str, Field(description="The id, for `/subscriptions/{subscription_id}`.")),
    etag=(ETag, ...),
    secret_set_at=(str, Field(description="When the signing secret was made, RFC 3339 in UTC.")),
    created_at=(CreatedAt, ...),
    created_by=(CreatedBy, ...),
)
SubscriptionViewList: Any = list_model(SubscriptionView)


class NewSubscription(SubscriptionView):  # type: ignore[misc]
    """A subscription with its signing secret."""

    secret: str = Field("", description="Shown in this answer only; absent when the answer is replayed.")


DeliveryView: Any = record_model(
    "DeliveryView",
    Delivery,
    {"tries_left", "body"},
    about="The delivery of an event to a webhook, with what its last attempt got.",
)
DeliveryViewList: Any = list_model(DeliveryView)
