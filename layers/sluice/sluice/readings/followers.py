"""What follows readings that were stored. A new follower is a module with a function `follow`, and an entry here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from sluice.domain.series import Series
from sluice.readings.recent import Services, store_recent

# By name, since followers are above this package.
MODULES = ("sluice.alarms.readings",)


def apply(services: Services, readings: Mapping[str, Series]) -> None:
    """Put readings of a batch into the blocks, then tell the followers. It is safe to repeat.

    A file of readings counts as applied after this, so a follower that fails gets the readings again.

    Args:
        readings: by sensor.

    Raises:
        Unavailable: a service throttled or failed, or other processes kept changing the same items.
    """
    store_recent(services, readings)
    for name in MODULES:
        follower: Any = import_module(name)
        follower.follow(services, readings)
