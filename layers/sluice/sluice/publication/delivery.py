"""Delivering publications to followers: at least once, and in order."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from datetime import timedelta

from aws_lambda_powertools import Logger

from sluice.catalog.publications import rfc3339_micro
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now
from sluice.domain.publication import Publication
from sluice.publication import registry

logger = Logger()


def deliver(services: Container, dataset: DatasetId, keys: Iterable[str] = ()) -> bool:
    """Deliver the undelivered publications of one dataset, oldest first.

    A follower that fails gets no later publication of the dataset; the other followers do.

    Args:
        keys: keys of publications to deliver in addition to those in the index, which may lag behind.

    Returns:
        Whether no follower has failed.
    """
    return _deliver(services, services.publications.undelivered(dataset), keys)


def _deliver(services: Container, undelivered: Iterable[Publication], keys: Iterable[str] = ()) -> bool:
    """Deliver publications of one dataset: see `deliver`.

    Args:
        undelivered: the publications, as the index has them.
    """
    names = {follower.name for follower in registry.FOLLOWERS}
    failed: set[str] = set()
    delivered = {publication.key: set(publication.delivered_to) for publication in undelivered}
    for key in sorted(delivered.keys() | set(keys)):
        if names <= failed | delivered.get(key, set()):
            continue  # no follower is left to get it now: many may wait for one follower that keeps failing
        publication = services.publications.find(key)
        if publication is not None and not publication.delivered:
            failed |= _notify_followers(services, publication, failed)
    return not failed


def deliver_overdue(services: Container, grace_seconds: float) -> int:
    """Deliver publications whose stream records were lost, or on which a follower has failed.

    It takes at most SWEEP_SECONDS; the next sweep does the rest.

    Args:
        grace_seconds: ignore publications that are younger, since their stream records may still arrive.

    Returns:
        The number of datasets that still have undelivered publications.
    """
    deadline = time.monotonic() + services.settings.sweep_seconds
    latest = rfc3339_micro(now() - timedelta(seconds=grace_seconds))
    waiting: dict[DatasetId, list[Publication]] = {}
    for publication in services.publications.undelivered():
        waiting.setdefault(publication.dataset, []).append(publication)
    left = set(waiting)
    # In each dataset, the oldest publication comes first.
    due = sorted(dataset for dataset, publications in waiting.items() if publications[0].published_at <= latest)
    # In another order each time: a follower that fails slowly must not keep the sweep from the same datasets always.
    for dataset in random.sample(due, len(due)):
        if time.monotonic() > deadline:
            break
        if _deliver(services, waiting[dataset]):
            left.discard(dataset)
    return len(left)


def _notify_followers(services: Container, publication: Publication, failed: set[str]) -> set[str]:
    """Deliver one publication to the followers that have not got it.

    Args:
        failed: the names of followers to leave out, since they have failed on an earlier publication.

    Returns:
        The names of the followers that have failed on this one.
    """
    succeeded: set[str] = set()
    failed_now: set[str] = set()
    for follower in registry.FOLLOWERS:
        if follower.name in failed or follower.name in publication.delivered_to:
            continue
        try:
            follower.follow(services, publication)
        except Exception:  # the other followers must not wait for this one, which is tried again later
            logger.exception("a follower failed", extra={"follower": follower.name, "key": publication.key})
            failed_now.add(follower.name)
        else:
            succeeded.add(follower.name)
    everyone = not failed_now and not failed - set(publication.delivered_to)
    if everyone or succeeded:
        services.publications.mark_delivered(publication, succeeded, everyone=everyone)
    return failed_now
