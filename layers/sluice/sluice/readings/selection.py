"""Which sensors a request reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sluice.errors import Invalid

if TYPE_CHECKING:
    from sluice.catalog.definitions import Definitions
    from sluice.settings import Settings


class Services(Protocol):
    """What this module needs."""

    @property
    def settings(self) -> Settings:
        """The settings."""
        ...

    @property
    def definitions(self) -> Definitions:
        """The sensors and the equipment."""
        ...


@dataclass(frozen=True)
class Selection:
    """What sensors must have in common.

    Args:
        site: the code of the site where their equipment is; None: any.
        equipment: the code of their equipment; None: any.
        metric: what they measure; None: anything.
        sensors: their ids; empty: any.
    """

    site: str | None = None
    equipment: str | None = None
    metric: str | None = None
    sensors: Collection[str] = ()


def selected_sensors(services: Services, selection: Selection) -> list[str]:
    """The ids of the sensors that a selection describes, sorted.

    Raises:
        Invalid: they are more than `MAX_READ_SENSORS`.
    """
    equipment = _equipment(services, selection)
    sensors = [
        sensor.name
        for sensor in services.definitions.all("sensor")
        if (equipment is None or sensor.document.get("equipment") in equipment)
        and (selection.metric is None or sensor.document.get("metric") == selection.metric)
        and (not selection.sensors or sensor.name in selection.sensors)
    ]
    most = services.settings.max_read_sensors
    if len(sensors) > most:
        raise Invalid(
            f"These are {len(sensors)} sensors; one request reads at most {most}. "
            "Narrow them by site, equipment, metric or sensor."
        )
    return sensors


def _equipment(services: Services, selection: Selection) -> set[str] | None:
    """The codes of the equipment whose sensors are meant; None: of any."""
    if selection.site is None:
        return None if selection.equipment is None else {selection.equipment}
    return {
        equipment.name
        for equipment in services.definitions.all("equipment")
        if equipment.document["site"] == selection.site and selection.equipment in (None, equipment.name)
    }
