"""Delivering events to followers: at least once, and in the order of each topic."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from datetime import timedelta

from aws_lambda_powertools import Logger

from sluice.catalog.publications import rfc3339_micro
from sluice.container import Container
from sluice.domain.event import Event
from sluice.domain.event_types import event_type
from sluice.domain.names import now
from sluice.publication import registry

logger = Logger()


def deliver(services: Container, topic: str, keys: Iterable[str] = ()) -> bool:
    """Deliver the undelivered events of one topic, oldest first.

    A follower that fails gets no later event of the topic; the other followers do.

    Args:
        keys: keys of events to deliver in addition to those in the index, which may lag behind.

    Returns:
        Whether no follower has failed.
    """
    return _deliver(services, topic, services.outbox.undelivered(topic), keys)


def _deliver(services: Container, topic: str, undelivered: Iterable[Event], keys: Iterable[str] = ()) -> bool:
    """Deliver events of one topic: see `deliver`.

    Args:
        undelivered: the events, as the index has them.
    """
    kind = event_type(topic)
    if kind is None:
        return True  # an event of a newer release, which delivers it
    names = {follower.name for follower in registry.followers_of(kind.TYPE)}
    failed: set[str] = set()
    delivered = {event.key: set(event.delivered_to) for event in undelivered}
    for key in sorted(delivered.keys() | set(keys)):
        if names and names <= failed | delivered.get(key, set()):
            continue  # no follower is left to get it now: many may wait for one follower that keeps failing
        event = services.outbox.find(key)
        if event is not None and not event.delivered:
            failed |= _notify_followers(services, event, failed)
    return not failed


def deliver_overdue(services: Container, grace_seconds: float) -> int:
    """Deliver events whose stream records were lost, or on which a follower has failed.

    It takes at most SWEEP_SECONDS; the next sweep does the rest.

    Args:
        grace_seconds: ignore events that are younger, since their stream records may still arrive.

    Returns:
        The number of topics that still have undelivered events.
    """
    deadline = time.monotonic() + services.settings.sweep_seconds
    latest = rfc3339_micro(now() - timedelta(seconds=grace_seconds))
    waiting: dict[str, list[Event]] = {}
    for event in services.outbox.undelivered():
        waiting.setdefault(event.topic, []).append(event)
    left = set(waiting)
    # In each topic, the oldest event comes first.
    due = sorted(topic for topic, events in waiting.items() if events[0].time <= latest)
    # In another order each time: a follower that fails slowly must not keep the sweep from the same topics always.
    for topic in random.sample(due, len(due)):
        if time.monotonic() > deadline:
            break
        if _deliver(services, topic, waiting[topic]):
            left.discard(topic)
    return len(left)


def _notify_followers(services: Container, event: Event, failed: set[str]) -> set[str]:
    """Deliver one event to the followers that have not got it.

    Args:
        failed: the names of followers to leave out, since they have failed on an earlier event.

    Returns:
        The names of the followers that have failed on this one.
    """
    succeeded: set[str] = set()
    failed_now: set[str] = set()
    for follower in registry.followers_of(event.TYPE):
        if follower.name in failed or follower.name in event.delivered_to:
            continue
        try:
            follower.follow(services, event)
        except Exception:  # the other followers must not wait for this one, which is tried again later
            logger.exception("a follower failed", extra={"follower": follower.name, "key": event.key})
            failed_now.add(follower.name)
        else:
            succeeded.add(follower.name)
    everyone = not failed_now and not failed - set(event.delivered_to)
    if everyone or succeeded:
        services.outbox.mark_delivered(event, succeeded, everyone=everyone)
    return failed_now
