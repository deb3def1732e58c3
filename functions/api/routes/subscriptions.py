"""Subscriptions: events that are sent to webhooks."""

from typing import cast

from sluice.api.call import Answer, Call
from sluice.api.paging import paginate
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, LIMIT, Parameter, Routes
from sluice.container import Container
from sluice.domain.subscription import STATUSES, DeliveryStatus, Subscription, delivery_view
from sluice.subscriptions import delivery, registry
from sluice.subscriptions.registry import subscription_view

routes = Routes("subscriptions")
_STATUS = Parameter("status", "Only deliveries with this status.", {"type": "string", "enum": list(STATUSES)})


@routes.post(
    "/subscriptions",
    "subscription.create",
    body=Subscription,
    answer="NewSubscription",
    status=201,
    parameters=[IDEMPOTENCY_KEY],
)
def create_subscription(call: Call, services: Container) -> Answer:
    """Have events of a type sent to a webhook; the secret that signs them is shown in this answer only."""
    definition, secret = registry.create(services, call.document(Subscription), call.principal)
    headers = {"Location": call.url(f"/subscriptions/{definition.name}"), "ETag": f'"{definition.etag}"'}
    return Answer({**subscription_view(definition), "secret": secret}, 201, headers, shown_once=("secret",))


@routes.get("/subscriptions", "subscription.list", answer="SubscriptionViewList", parameters=[LIMIT, CURSOR])
def list_subscriptions(call: Call, services: Container) -> Answer:
    """The caller's subscriptions, oldest first; an admin gets everybody's."""
    definitions = registry.listed(services, call.principal)
    bound = ["subscriptions", call.principal.id]
    return paginate(call, services, bound, [subscription_view(definition) for definition in definitions])


@routes.get(
    "/subscriptions/{subscription_id}", "subscription.manage", answer="SubscriptionView", parameters=[IF_NONE_MATCH]
)
def get_subscription(call: Call, services: Container, subscription_id: str) -> Answer:
    """One subscription, without its secret; 304 if the client has its current state."""
    headers = {"ETag": f'"{call.definition.etag}"'}
    if call.client_has(call.definition.etag):
        return Answer(status=304, headers=headers)
    return Answer(subscription_view(call.definition), headers=headers)


@routes.delete("/subscriptions/{subscription_id}", "subscription.manage", status=204, parameters=[IF_MATCH])
def delete_subscription(call: Call, services: Container, subscription_id: str) -> Answer:
    """Delete a subscription; nothing is sent to its webhook any more."""
    call.require_match(call.definition.etag)
    call.require_known_parameters()
    registry.delete(services, call.definition)
    return Answer(status=204)


@routes.post(
    "/subscriptions/{subscription_id}/rotate",
    "subscription.manage",
    answer="NewSubscription",
    parameters=[IDEMPOTENCY_KEY],
)
def rotate_subscription(call: Call, services: Container, subscription_id: str) -> Answer:
    """Give a subscription a new signing secret; the old one signs nothing any more."""
    call.require_known_parameters()
    definition, secret = registry.rotate(services, call.definition)
    headers = {"ETag": f'"{definition.etag}"'}
    return Answer({**subscription_view(definition), "secret": secret}, headers=headers, shown_once=("secret",))


@routes.get(
    "/subscriptions/{subscription_id}/deliveries",
    "subscription.manage",
    answer="DeliveryViewList",
    parameters=[_STATUS, LIMIT, CURSOR],
)
def list_deliveries(call: Call, services: Container, subscription_id: str) -> Answer:
    """The deliveries of a subscription, newest event first; `status=failed` are those that were given up."""
    status: DeliveryStatus | None = None
    if call.query_value("status") is not None:
        status = cast(DeliveryStatus, call.choice("status", STATUSES, ""))
    bound = ["deliveries", subscription_id, status]
    before = services.cursors.open(bound, call.query_value("cursor"))
    deliveries, following = services.deliveries.page(subscription_id, status, call.limit(), before)
    cursor = services.cursors.seal(bound, following) if following is not None else None
    return Answer({"items": [delivery_view(item) for item in deliveries], "next": cursor})


@routes.post(
    "/subscriptions/{subscription_id}/deliveries/{delivery_id}/redeliver",
    "subscription.manage",
    answer="DeliveryView",
    status=202,
    parameters=[IDEMPOTENCY_KEY],
)
def redeliver(call: Call, services: Container, subscription_id: str, delivery_id: str) -> Answer:
    """Send an event to the webhook again, now and with new attempts, whatever the status of its delivery."""
    call.require_known_parameters()
    return Answer(delivery_view(delivery.redeliver(services, subscription_id, delivery_id)), 202)
