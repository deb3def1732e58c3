"""Creating, listing and deleting subscriptions; their signing secrets lie in SSM."""

from __future__ import annotations

import secrets
from typing import Any, Literal

from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.identity import Principal
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.subscription import Subscription
from sluice.errors import Conflict, Invalid

KIND: Literal["subscription"] = "subscription"


def create(services: Container, subscription: Subscription, principal: Principal) -> tuple[Definition, str]:
    """Store a new subscription.

    Returns:
        The definition, and the signing secret, which is shown once.

    Raises:
        Invalid: the webhook is not `https://`, or the principal sees no project or datasource of the name.
        Conflict: there are as many subscriptions as the setting allows.
    """
    if subscription.webhook.startswith("http://") and not services.settings.emulated:
        message = "Give a URL that begins with https://."
        raise Invalid("The document has 1 invalid field.", [{"pointer": "/webhook", "message": message}])
    from sluice.subscriptions.visibility import require_visible  # most functions that read subscriptions do not need it

    require_visible(services, subscription, principal)
    limit = services.settings.max_subscriptions
    if len(services.definitions.all(KIND)) >= limit:
        raise Conflict(f"There are {limit} subscriptions, the most that MAX_SUBSCRIPTIONS allows; delete one first.")
    name, secret = new_run_id().lower(), _new_secret()
    # The secret comes first: a subscription without one could deliver nothing.
    services.webhook_secrets.put(name, secret)
    document = {**subscription.model_dump(), "secret_set_at": rfc3339(now())}
    return services.definitions.create(KIND, name, document, principal.id, principal.role), secret


def rotate(services: Container, stored: Definition) -> tuple[Definition, str]:
    """Give a subscription a new signing secret; the old one signs nothing any more.

    Returns:
        The definition, and the secret, which is shown once.

    Raises:
        PreconditionFailed: another request changed it at the same time.
    """
    definition = services.definitions.replace(stored, {**stored.document, "secret_set_at": rfc3339(now())})
    secret = _new_secret()
    services.webhook_secrets.put(stored.name, secret)
    return definition, secret


def delete(services: Container, stored: Definition) -> None:
    """Delete a subscription: nothing is sent to its webhook any more.

    Raises:
        PreconditionFailed: another request changed it at the same time.
    """
    services.definitions.delete(stored)
    services.webhook_secrets.delete(stored.name)


def listed(services: Container, principal: Principal) -> list[Definition]:
    """The subscriptions that a principal may see, oldest first: its own, or all for an admin."""
    definitions = services.definitions.all(KIND)
    if principal.role == "admin":
        return definitions
    return [definition for definition in definitions if definition.created_by == principal.id]


def subscription_of(definition: Definition) -> Subscription:
    """The document that the subscription's author wrote."""
    fields = Subscription.model_fields
    return Subscription.model_validate({name: value for name, value in definition.document.items() if name in fields})


def subscription_view(definition: Definition) -> dict[str, Any]:
    """A subscription as the API shows it, without its secret."""
    return {
        "id": definition.name,
        "etag": definition.etag,
        **subscription_of(definition).model_dump(mode="json"),
        "secret_set_at": definition.document["secret_set_at"],
        "created_at": definition.created_at,
        "created_by": definition.created_by,
    }


def _new_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"
