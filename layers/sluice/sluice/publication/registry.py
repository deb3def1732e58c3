"""The followers of publications. A new one is a module of this package and an entry here."""

from __future__ import annotations

from sluice.publication.follower import Follower
from sluice.publication.glue import GlueFollower
from sluice.publication.refresh_on_change import RefreshOnChange

# In the order in which they get a publication: one that calls another service may be slow to fail.
FOLLOWERS: list[Follower] = [RefreshOnChange(), GlueFollower()]
