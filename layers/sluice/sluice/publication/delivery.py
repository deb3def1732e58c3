"""Telling the followers of publications, at least once and in order."""

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
    """Tell each follower of the publications of one dataset that it has not been told of, oldest first.

    A follower that fails is not told of the later ones; the others are.

    Args:
        keys: publications that are known to be there: the index of undelivered ones may lag behind.

    Returns:
        Whether every follower has been told of all.
    """
    names = {follower.name for follower in registry.FOLLOWERS}
    failed: set[str] = set()
    told = {publication.key: set(publication.told) for publication in services.publications.undelivered(dataset)}
    for key in sorted(told.keys() | set(keys)):
        if names <= failed | told.get(key, set()):
            continue  # nobody is left to be told of it now: many may wait for one follower that keeps failing
        publication = services.publications.find(key)
        if publication is not None and not publication.delivered:
            failed |= _notify_followers(services, publication, failed)
    return not failed


def deliver_overdue(services: Container, grace_seconds: float) -> int:
    """Tell the followers of publications whose stream records were lost, or that a follower has refused.

    It takes at most SWEEP_SECONDS; the next sweep does the rest.

    Args:
        grace_seconds: leave publications alone that are younger: their stream records are on their way.

    Returns:
        How many datasets have publications that a follower has yet to be told of.
    """
    deadline = time.monotonic() + services.settings.sweep_seconds
    latest = rfc3339_micro(now() - timedelta(seconds=grace_seconds))
    waiting = list(services.publications.undelivered())
    left = {publication.dataset for publication in waiting}
    due = sorted({publication.dataset for publication in waiting if publication.published_at <= latest})
    # In another order each time: a follower that fails slowly must not keep the sweep from the same datasets always.
    for dataset in random.sample(due, len(due)):
        if time.monotonic() > deadline:
            break
        if deliver(services, dataset):
            left.discard(dataset)
    return len(left)


def _notify_followers(services: Container, publication: Publication, failed: set[str]) -> set[str]:
    """Tell the followers of one publication, but for those that have failed before.

    Returns:
        The names of those that have failed.
    """
    told: set[str] = set()
    refused: set[str] = set()
    for follower in registry.FOLLOWERS:
        if follower.name in failed or follower.name in publication.told:
            continue
        try:
            follower.follow(services, publication)
        except Exception:  # whatever it is, the other followers are told, and this one again later
            logger.exception("a follower failed", extra={"follower": follower.name, "key": publication.key})
            refused.add(follower.name)
        else:
            told.add(follower.name)
    everyone = not refused and not failed - set(publication.told)
    if everyone or told:
        services.publications.mark_delivered(publication, told, everyone=everyone)
    return refused
