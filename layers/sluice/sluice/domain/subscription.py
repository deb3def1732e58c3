"""Subscriptions: events that are sent to webhooks."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sluice.domain.assets.codes import Code, SensorId
from sluice.domain.base import Document, FieldError, Record
from sluice.domain.event import Event, EventType
from sluice.domain.names import Slug

DeliveryStatus = Literal["pending", "delivered", "failed"]
STATUSES: tuple[DeliveryStatus, ...] = ("pending", "delivered", "failed")
_OF_DATA = ("project", "datasource")
_OF_ASSETS = ("site", "equipment", "sensor")
# The filters of each type of event.
FILTERS: dict[EventType, tuple[str, ...]] = {
    "version.published": _OF_DATA,
    "run.failed": _OF_DATA,
    "alarm.raised": _OF_ASSETS,
}


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("this is no URL") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise ValueError("give an absolute URL that begins with https://")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("give a URL without a user name and without a fragment; the signature proves the sender")
    if not url.isascii() or any(character <= " " or character == "\x7f" for character in url):
        raise ValueError("give a URL without spaces, and with other characters than those of ASCII encoded")
    return url


Webhook = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_check_url)]


class Subscription(Document):
    """A subscription as a user writes it: a type of event, where it is sent, and which events of the type."""

    event: EventType = Field(
        description="`version.published`: a version of a dataset became the published one; `run.failed`: an attempt "
        "of a run has failed; `alarm.raised`: a sensor's alarm was raised."
    )
    webhook: Webhook = Field(
        description="The URL that each event is sent to by POST, beginning with `https://`. A local stack also takes "
        "`http://`. Redirects are not followed."
    )
    project: Slug | None = Field(
        None, description="Only events of this project; not for `alarm.raised`. Null: of all projects."
    )
    datasource: Slug | None = Field(
        None, description="Only events of this datasource; not for `alarm.raised`. Null: of all datasources."
    )
    site: Code | None = Field(None, description="Only alarms at this site; only for `alarm.raised`. Null: at all.")
    equipment: Code | None = Field(
        None, description="Only alarms of this equipment; only for `alarm.raised`. Null: of all equipment."
    )
    sensor: SensorId | None = Field(
        None, description="Only alarms of this sensor; only for `alarm.raised`. Null: of all sensors."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        allowed = FILTERS[self.event]
        for name in (*_OF_DATA, *_OF_ASSETS):
            if getattr(self, name) is not None and name not in allowed:
                raise FieldError(
                    f"events of the type {self.event} have no {name}; filter by {' or '.join(allowed)}", name
                )
        return self


def matches(subscription: Subscription, event: Event) -> bool:
    """Whether an event is one that a subscription asks for."""
    if subscription.event != event.TYPE or not event.announced:
        return False
    wanted = ((name, getattr(subscription, name)) for name in FILTERS[subscription.event])
    return all(value is None or event.scope.get(name) == value for name, value in wanted)


def message_of(event: Event) -> dict[str, Any]:
    """The body of the request that delivers an event."""
    return {"id": event.id, "event": event.TYPE, "created_at": event.time, "data": event.data}


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of the header `Sluice-Signature`.

    Args:
        secret: the subscription's signing secret.
        timestamp: the time of the request in epoch seconds.
        body: the request's body.
    """
    digest = hmac.new(secret.encode(), str(timestamp).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class Delivery(Record):
    """The delivery of one event to one subscription, with all of its attempts."""

    id: str = Field(description="The id, as in the header `Sluice-Delivery`; ids sort by the time of the event.")
    event: EventType = Field(description="The type of the event.")
    event_id: str = Field(
        description="The id of the event, as in the body; it is the same in each attempt and redelivery."
    )
    status: DeliveryStatus = Field(
        "pending",
        description="`pending`: an attempt is to come; `delivered`: the webhook has answered 2xx; `failed`: all "
        "attempts have failed, and no other follows.",
    )
    attempts: int = Field(0, description="How many requests were sent, those of redeliveries included.")
    created_at: str = Field(description="When the delivery was created, RFC 3339 in UTC.")
    attempted_at: str | None = Field(None, description="When the last attempt ended, RFC 3339 in UTC. Null: none has.")
    next_attempt_at: str | None = Field(
        None, description="When the next attempt is due, RFC 3339 in UTC. Null: now, or never."
    )
    response_status: int | None = Field(
        None, description="The HTTP status that the last attempt got. Null: it got no response, or there was none."
    )
    error: str | None = Field(None, description="Why the last attempt has failed, as a sentence. Null: it has not.")
    tries_left: int
    body: str

    @property
    def is_new(self) -> bool:
        """Whether no attempt was made yet."""
        return self.status == "pending" and self.attempts == 0


def delivery_id(subscription: str, event: Event) -> str:
    """The id of an event's delivery to a subscription: a repeated delivery of the event has the same one."""
    digest = hashlib.sha256(f"{subscription}/{event.id}".encode()).hexdigest()
    return f"dlv_{event.id[4:16]}{digest[:16]}"


def delivery_view(delivery: Delivery) -> dict[str, Any]:
    """The delivery as the API shows it."""
    return delivery.model_dump(mode="json", exclude={"tries_left", "body"})
