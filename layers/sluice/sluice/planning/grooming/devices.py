"""The devices that groomed demands need, and their racks, shelves and slots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sluice.planning.grooming.end_to_end import GroomedDemand, Groomout
from sluice.planning.services import MP2X, PANELS, Panel

End = Literal["source", "destination"]
ENDS: tuple[End, End] = ("source", "destination")
DEVICE_SLOTS = 2


@dataclass(frozen=True)
class Chassis:
    """The racks of a node.

    Args:
        shelves_per_rack: how many shelves a rack has.
        slots_per_shelf: how many slots a shelf has, numbered from 0.
        common_slots: the slots of a shelf's common cards: shelf controllers, the interface card and the power supply.
    """

    shelves_per_rack: int = 4
    slots_per_shelf: int = 14
    common_slots: tuple[int, ...] = (0, 1, 2, 13)

    def device_slots(self) -> list[tuple[int, int]]:
        """The pairs of adjacent slots of a shelf that devices can have."""
        pairs = []
        slot = 0
        while slot + 1 < self.slots_per_shelf:
            if {slot, slot + 1} & set(self.common_slots):
                slot += 1
            else:
                pairs.append((slot, slot + 1))
                slot += DEVICE_SLOTS
        return pairs


@dataclass(frozen=True)
class Device:
    """A device at one end of a demand.

    Args:
        id: the id of its lightpath or pair of lines, and its end.
        panel: its type.
        node: where it is.
        matrix: the id of the traffic matrix.
        demand: the id of the demand.
        end: which end of the demand it is at.
        lightpath: the id of its lightpath; none for MP2X.
        lines: the groomouts of an MP2X.
    """

    id: str
    panel: Panel
    node: str
    matrix: str
    demand: str
    end: End
    lightpath: str | None
    lines: tuple[Groomout, ...] = ()


@dataclass(frozen=True)
class Position:
    """Where a device is in its node."""

    rack: int
    shelf: int
    slots: tuple[int, int]


def pair_groomouts(groomouts: Sequence[Groomout]) -> list[tuple[Groomout, ...]]:
    """Pair the groomouts of a demand on as few MP2X devices as possible.

    Args:
        groomouts: the groomouts, in the order of their numbers.

    Returns:
        One or two groomouts for each device, in the order of their first ones.
    """
    numbers = {groomout.id: i for i, groomout in enumerate(groomouts)}
    # The one with the most clients and the one with the fewest share a device, or the first has one to itself.
    queue = sorted(groomouts, key=lambda groomout: (-len(groomout.clients), numbers[groomout.id]))
    pairs: list[tuple[Groomout, ...]] = []
    first, last = 0, len(queue) - 1
    while first <= last:
        most, fewest = queue[first], queue[last]
        if first < last and len(most.clients) + len(fewest.clients) <= MP2X.client_ports:
            pairs.append(tuple(sorted((most, fewest), key=lambda groomout: numbers[groomout.id])))
            last -= 1
        else:
            pairs.append((most,))
        first += 1
    return sorted(pairs, key=lambda pair: numbers[pair[0].id])


def devices_of(matrices: Mapping[str, Sequence[GroomedDemand]]) -> list[Device]:
    """The devices at both ends of all demands.

    Args:
        matrices: the groomed demands of each traffic matrix.

    Returns:
        The devices, by matrix and demand.
    """
    devices = []
    for matrix, demands in matrices.items():
        for groomed in demands:
            pairs = pair_groomouts(groomed.groomouts)
            for end in ENDS:
                node = groomed.demand.source if end == "source" else groomed.demand.destination
                place = (node, matrix, groomed.demand.id, end)
                devices += [Device(f"{l.id}:{end}", l.panel, *place, l.id) for l in groomed.lightpaths]  # noqa: E741
                devices += [
                    Device(f"{groomed.demand.id}-P{i}:{end}", MP2X, *place, None, pair)
                    for i, pair in enumerate(pairs, 1)
                ]
    return devices


def place(devices: Sequence[Device], chassis: Chassis) -> dict[str, Position]:
    """Give each device two adjacent slots of its node: by type, then in the given order, from rack 0 on.

    Args:
        devices: the devices.
        chassis: what the racks are like.

    Returns:
        The position of each device by its id.
    """
    of_node: dict[str, list[Device]] = defaultdict(list)
    for panel in PANELS:
        for device in devices:
            if device.panel is panel:
                of_node[device.node].append(device)
    slots = chassis.device_slots()
    positions = {}
    for present in of_node.values():
        for i, device in enumerate(present):
            shelf, pair = divmod(i, len(slots))
            rack, shelf = divmod(shelf, chassis.shelves_per_rack)
            positions[device.id] = Position(rack, shelf, slots[pair])
    return positions
