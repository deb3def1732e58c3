"""Which sensors a request reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from sluice.errors import Invalid

if TYPE_CHECKING:
    from sluice.catalog.assets import Assets
    from sluice.catalog.definitions import Definition, Definitions
    from sluice.settings import Settings

_LONGEST_ID = 64


class Services(Protocol):
    """What this module needs."""

    @property
    def settings(self) -> Settings:
        """The settings."""
        ...

    @property
    def definitions(self) -> Definitions:
        """The sensors and the equipment, by name."""
        ...

    @property
    def assets(self) -> Assets:
        """The same, by what they belong to."""
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
    most = services.settings.max_read_sensors
    matching = (sensor for sensor in _candidates(services, selection) if _matches(services, selection, sensor))
    ids = [sensor.name for sensor in islice(matching, most + 1)]
    if len(ids) > most:
        raise Invalid(
            f"These are more than {most} sensors, which one request reads at most. "
            "Narrow them by site, equipment, metric or sensor."
        )
    return sorted(ids)


def _candidates(services: Services, selection: Selection) -> Iterator[Definition]:
    """Sensors that have at least the most specific of what is selected."""
    if selection.sensors:
        for name in sorted(selection.sensors):
            # DynamoDB refuses longer keys, and empty ones.
            sensor = services.definitions.find("sensor", name) if 0 < len(name) <= _LONGEST_ID else None
            if sensor is not None:
                yield sensor
    elif selection.equipment is not None:
        yield from services.assets.walk("sensor", ("equipment", selection.equipment))
    elif selection.site is not None:
        for equipment in services.assets.walk("equipment", ("site", selection.site)):
            yield from services.assets.walk("sensor", ("equipment", equipment.name))
    else:
        yield from services.assets.walk("sensor")


def _matches(services: Services, selection: Selection, sensor: Definition) -> bool:
    code = sensor.document["equipment"]
    if selection.metric not in (None, sensor.document["metric"]) or selection.equipment not in (None, code):
        return False
    if selection.site is None or not (selection.sensors or selection.equipment):
        return True
    equipment = services.definitions.find("equipment", code)
    return equipment is not None and equipment.document["site"] == selection.site
