"""Which sensors exist, remembered for a while: a stream asks for the same ones again and again."""

from __future__ import annotations

import time as clock
from collections.abc import Iterable

from sluice.catalog.definitions import Definitions
from sluice.domain.assets.codes import is_sensor_id


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
        # DynamoDB refuses keys of no characters or of many; no sensor has such an id.
        existing = self._definitions.find_all("sensor", [name for name in asked if is_sensor_id(name)])
        self._known |= dict.fromkeys(existing, moment + self._seconds)
        return set(asked) - existing.keys()
