"""Which sensors exist, remembered for a while: a stream asks for the same ones again and again."""

from __future__ import annotations

import time as clock
from collections.abc import Iterable

from sluice.catalog.definitions import Definitions
from sluice.catalog.table import MAX_BATCH_ITEMS, batch_get


class SensorsInCatalog:
    """The sensors of the catalog.

    Args:
        seconds: how long a sensor that exists is remembered. One that does not is looked up each time.
    """

    def __init__(self, definitions: Definitions, seconds: float) -> None:
        self._definitions = definitions
        self._seconds = seconds
        self._known: dict[str, float] = {}

    def unknown(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that are no sensor's."""
        moment = clock.monotonic()
        asked = [name for name in ids if self._known.get(name, 0) < moment]
        missing = set()
        for first in range(0, len(asked), MAX_BATCH_ITEMS):
            for name, exists in self._look_up(asked[first : first + MAX_BATCH_ITEMS]):
                if exists:
                    self._known[name] = moment + self._seconds
                else:
                    missing.add(name)
        return missing

    def _look_up(self, names: list[str]) -> list[tuple[str, bool]]:
        # DynamoDB refuses keys of no characters or of more than 1024 bytes; no sensor has such an id.
        possible = [name for name in names if 0 < len(name) <= 64]
        locations = [self._definitions.location("sensor", name) for name in possible]
        items = batch_get(locations[0][0].client, locations) if locations else []
        existing = {
            name
            for name, item in zip(possible, items, strict=True)
            if self._definitions.from_item("sensor", item) is not None
        }
        return [(name, name in existing) for name in names]
