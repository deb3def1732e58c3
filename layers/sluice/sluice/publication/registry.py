"""The followers of events. A new one is a module of this package and an entry here."""

from __future__ import annotations

from sluice.domain.event import EventType
from sluice.publication.follower import Follower
from sluice.publication.glue import GlueFollower
from sluice.publication.refresh_on_change import RefreshOnChange
from sluice.publication.subscribers import Subscribers

# In the order in which they get an event: one that calls another service may be slow to fail.
FOLLOWERS: list[Follower] = [RefreshOnChange(), Subscribers(), GlueFollower()]


def followers_of(event: EventType) -> list[Follower]:
    """The followers that take events of a type."""
    return [follower for follower in FOLLOWERS if event in follower.takes]
