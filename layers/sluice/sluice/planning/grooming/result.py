"""The result of grooming as a document, and its statistics."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sluice.planning.grooming.devices import Chassis, Device, Position, devices_of, place
from sluice.planning.grooming.end_to_end import GroomedDemand, Groomout, Lightpath
from sluice.planning.grooming.packing import Client
from sluice.planning.services import GIGABIT, SERVICE_KEYS

# The id of the matrix of all that is in no cluster.
MAIN = "main"
ROUTING_TYPE = "100GE"
BELOW_THRESHOLD = "below_threshold"
UNSUPPORTED = "unsupported"
T = TypeVar("T")
# The address of a groomout's MP2X at each end, by the groomout's id.
Addresses = Mapping[str, Mapping[str, Mapping[str, Any]]]


def describe_grooming(matrices: Mapping[str, Sequence[GroomedDemand]], chassis: Chassis) -> dict[str, Any]:
    """Write groomed demands as a document, with their devices placed.

    Args:
        matrices: the groomed demands of each traffic matrix, by its id.
        chassis: what the racks of a node are like.

    Returns:
        `traffic` by matrix, `service_devices`, `node_structure` and `statistics`; capacities in Gb/s.
    """
    placed = place_devices(matrices, chassis)
    document = {
        "traffic": {
            matrix: _Matrix(matrix, demands, placed.addresses).document() for matrix, demands in matrices.items()
        },
        "service_devices": placed.service_devices,
        "node_structure": placed.node_structure,
    }
    return {**document, "statistics": statistics(document)}


@dataclass(frozen=True)
class PlacedDevices:
    """Devices as parts of a document.

    Args:
        service_devices: the devices by id.
        node_structure: their places.
        addresses: where the MP2X devices of each groomout are, by the groomout's id and the end.
    """

    service_devices: dict[str, Any]
    node_structure: dict[str, Any]
    addresses: Addresses


def place_devices(matrices: Mapping[str, Sequence[GroomedDemand]], chassis: Chassis) -> PlacedDevices:
    """The devices that groomed demands need, and their places.

    Args:
        matrices: the groomed demands of each traffic matrix, by its id.
        chassis: what the racks of a node are like.
    """
    devices = devices_of(matrices)
    positions = place(devices, chassis)
    return PlacedDevices(
        {device.id: _device(device) for device in devices},
        _node_structure(devices, positions),
        _addresses(devices, positions),
    )


def statistics(document: Mapping[str, Any]) -> dict[str, Any]:
    """Count a result of grooming.

    Args:
        document: `traffic` and `service_devices` of a result.

    Returns:
        The numbers of lightpaths, groomouts and devices (both ends), and the mean capacity of the lightpaths in Gb/s,
        0 without lightpaths.
    """
    capacities = [
        lightpath["capacity"]
        for traffic in document["traffic"].values()
        for lightpath in traffic["lightpaths"].values()
    ]
    panels = [device["panel"] for device in document["service_devices"].values()]
    return {
        "lightpath_no": len(capacities),
        "mean_lightpath_cap": math.fsum(capacities) / len(capacities) if capacities else 0.0,
        "groomout_no": sum(
            len(demand["groomouts"])
            for traffic in document["traffic"].values()
            for demand in traffic["low_rate_grooming_result"]["demands"].values()
        ),
        "mp2x_no": panels.count("MP2X"),
        "tp1h_no": panels.count("TP1H"),
        "mp1h_no": panels.count("MP1H"),
    }


class _Matrix:
    """The part of a document for one traffic matrix."""

    def __init__(self, id: str, demands: Sequence[GroomedDemand], addresses: Addresses) -> None:
        self._id = id
        self._demands = demands
        self._addresses = addresses

    def document(self) -> dict[str, Any]:
        return {
            "cluster_id": None if self._id == MAIN else self._id,
            "lightpaths": {
                lightpath.id: self._lightpath(groomed, lightpath)
                for groomed in self._demands
                for lightpath in groomed.lightpaths
            },
            "low_rate_grooming_result": {"demands": self._by_demand(_groomouts)},
            "remaining_services": {"demands": self._by_demand(_remaining_services)},
            "remaining_groomouts": {"demands": self._by_demand(_remaining_groomouts)},
        }

    def _by_demand(self, part: Callable[[GroomedDemand], T]) -> dict[str, T]:
        """A part of each demand, those without it left out."""
        parts = ((groomed.demand.id, part(groomed)) for groomed in self._demands)
        return {demand: value for demand, value in parts if value}

    def _lightpath(self, groomed: GroomedDemand, lightpath: Lightpath) -> dict[str, Any]:
        demand = groomed.demand
        return {
            "id": lightpath.id,
            "source": demand.source,
            "destination": demand.destination,
            "demand_id": demand.id,
            "routing_type": ROUTING_TYPE,
            "protection_type": demand.protection_type,
            "restoration_type": demand.restoration_type,
            "capacity": lightpath.rate / GIGABIT,
            "service_id_list": [self._client(client) for client in lightpath.clients],
        }

    def _client(self, client: Client | Groomout) -> dict[str, Any]:
        groomout = isinstance(client, Groomout)
        return {
            "id": client.id,
            "type": "groomout" if groomout else "normal",
            "normal_service_type": None if isinstance(client, Groomout) else client.type,
            "mp2x_panel_address": self._addresses[client.id] if groomout else None,
        }


def _groomouts(groomed: GroomedDemand) -> dict[str, Any]:
    if not groomed.groomouts:
        return {}
    groomouts = {groomout.id: _groomout(groomout) for groomout in groomed.groomouts}
    return {"groomouts": groomouts, "proven_minimal": groomed.proven}


def _groomout(groomout: Groomout) -> dict[str, Any]:
    return {
        "id": groomout.id,
        "quantity": 1,
        "type": "MP2X",
        "capacity": groomout.rate / GIGABIT,
        "sla": groomout.sla,
        "lightpath_id": groomout.lightpath,
        "service_id_list": [{"id": client.id, "type": client.type} for client in groomout.clients],
    }


def _remaining_services(groomed: GroomedDemand) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    for reason, clients in ((UNSUPPORTED, groomed.unsupported), (BELOW_THRESHOLD, groomed.remaining)):
        for client in clients:
            entry = entries.setdefault(
                SERVICE_KEYS[client.type], {"count": 0, "type": client.type, "service_id_list": [], "reason": reason}
            )
            entry["count"] += 1
            entry["service_id_list"].append(client.id)
    return entries


def _remaining_groomouts(groomed: GroomedDemand) -> list[str]:
    return [groomout.id for groomout in groomed.groomouts if groomout.lightpath is None]


def _addresses(devices: Iterable[Device], positions: Mapping[str, Position]) -> Addresses:
    addresses: dict[str, dict[str, Any]] = defaultdict(dict)
    for device in devices:
        for groomout in device.lines:
            position = positions[device.id]
            addresses[groomout.id][device.end] = {
                "rack_id": str(position.rack),
                "shelf_id": str(position.shelf),
                "slot_id_list": [str(slot) for slot in position.slots],
            }
    return addresses


def _device(device: Device) -> dict[str, Any]:
    described = {"panel": device.panel.name, "id": device.id, "sub_tm_id": device.matrix}
    if device.lightpath is not None:
        return {**described, "lightpath_id": device.lightpath}
    lines = {
        f"line{i}": {"groomout_id": groomout.id, "demand_id": device.demand}
        for i, groomout in enumerate(device.lines, 1)
    }
    return {**described, **lines}


def _node_structure(devices: Sequence[Device], positions: Mapping[str, Position]) -> dict[str, Any]:
    nodes: dict[str, Any] = {}
    for device in sorted(devices, key=lambda device: _order(positions[device.id])):
        position = positions[device.id]
        racks = nodes.setdefault(device.node, {"racks": {}})["racks"]
        shelves = racks.setdefault(str(position.rack), {"shelves": {}})["shelves"]
        slots = shelves.setdefault(str(position.shelf), {"slots": {}})["slots"]
        slots.update({str(slot): device.id for slot in position.slots})
    return {"nodes": {node: nodes[node] for node in dict.fromkeys(device.node for device in devices)}}


def _order(position: Position) -> tuple[int, int, tuple[int, int]]:
    return position.rack, position.shelf, position.slots
