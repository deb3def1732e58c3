"""What a grooming that was made by hand may leave out: its devices with their places, and its statistics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sluice.planning.grooming.devices import Chassis
from sluice.planning.grooming.document import GroomingResult
from sluice.planning.grooming.end_to_end import GroomedDemand, Groomout, Lightpath
from sluice.planning.grooming.packing import Client
from sluice.planning.grooming.result import place_devices, statistics
from sluice.planning.services import MP1H, TP1H, Panel
from sluice.planning.traffic import Demand

_OF_DEMAND = ("source", "destination", "protection_type", "restoration_type")


def complete_grooming(document: Mapping[str, Any], chassis: Chassis) -> Mapping[str, Any]:
    """Add devices and statistics to a grooming that has none.

    Devices of a demand without a lightpath cannot be added, since nothing says between which nodes it is.

    Args:
        document: a result of grooming, which may be made by hand.
        chassis: what the racks of a node are like.

    Returns:
        The result with all fields; the same if it has devices and statistics.
    """
    if document.get("service_devices") and document.get("statistics"):
        return document
    complete = GroomingResult.model_validate(document).model_dump()
    if not complete["service_devices"]:
        placed = place_devices({id: _groomed(matrix) for id, matrix in complete["traffic"].items()}, chassis)
        complete |= {"service_devices": placed.service_devices, "node_structure": placed.node_structure}
        for client in _clients(complete):
            client["mp2x_panel_address"] = placed.addresses.get(client["id"])
    return {**complete, "statistics": statistics(complete)}


def demands_without_places(document: Mapping[str, Any]) -> list[str]:
    """The demands whose groomouts are on no device, by id; those of `complete_grooming` that have no lightpath."""
    on_lines = {
        line["groomout_id"]
        for device in document["service_devices"].values()
        for name in ("line1", "line2")
        if (line := device.get(name))
    }
    return [
        demand
        for matrix in document["traffic"].values()
        for demand, result in matrix["low_rate_grooming_result"]["demands"].items()
        if not on_lines.issuperset(result["groomouts"])
    ]


def count_services(document: Mapping[str, Any]) -> int:
    """How many services a result accounts for; one that is cut into pieces counts once."""
    count = 0
    for matrix in document["traffic"].values():
        for lightpath in matrix["lightpaths"].values():
            count += sum(client["type"] == "normal" for client in lightpath["service_id_list"])
        for result in matrix["low_rate_grooming_result"]["demands"].values():
            count += sum(len(groomout["service_id_list"]) for groomout in result["groomouts"].values())
        for entries in matrix["remaining_services"]["demands"].values():
            count += sum(len(entry["service_id_list"]) for entry in entries.values())
    cut = (pieces for services in document["mapping"].values() for pieces in services.values())
    return count - sum(len(pieces) - 1 for pieces in cut)


def _clients(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The groomouts that lightpaths carry."""
    for matrix in document["traffic"].values():
        for lightpath in matrix["lightpaths"].values():
            yield from (client for client in lightpath["service_id_list"] if client["type"] == "groomout")


def _groomed(matrix: Mapping[str, Any]) -> list[GroomedDemand]:
    """The demands of a matrix that have lightpaths, as far as devices depend on them."""
    groomed: dict[str, GroomedDemand] = {}
    for id, lightpath in matrix["lightpaths"].items():
        key = lightpath["demand_id"]
        if key not in groomed:
            ends = {name: lightpath[name] for name in _OF_DEMAND}
            groomed[key] = GroomedDemand(Demand(id=key, services=[], **ends))
        groomed[key].lightpaths.append(Lightpath(id, panel_of(lightpath), [], 0))
    for key, result in matrix["low_rate_grooming_result"]["demands"].items():
        if key in groomed:
            groomed[key].groomouts = [
                Groomout(id, [Client(client["id"], client["type"], 0) for client in groomout["service_id_list"]], 0)
                for id, groomout in result["groomouts"].items()
            ]
    return list(groomed.values())


def panel_of(lightpath: Mapping[str, Any]) -> Panel:
    """The type of the devices at the ends of a lightpath, whose services need not have a type."""
    clients = lightpath["service_id_list"]
    if len(clients) != 1 or clients[0]["type"] == "groomout":
        return MP1H
    kind = clients[0]["normal_service_type"]
    if kind is None:
        return TP1H if lightpath["capacity"] > MP1H.client_rate else MP1H
    return TP1H if kind in TP1H.client_types else MP1H
