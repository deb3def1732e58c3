"""The tables of the result of `grooming`: lightpaths, devices and remaining services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sluice.planning.services import GIGABIT
from sluice.planning.traffic import ServiceType

# Names and types of columns, and rows.
Table = tuple[Sequence[tuple[str, str]], Sequence[Sequence[Any]]]

LIGHTPATHS = (
    ("id", "string"),
    ("matrix", "string"),
    ("demand_id", "string"),
    ("source", "string"),
    ("destination", "string"),
    ("protection_type", "string"),
    ("restoration_type", "string"),
    ("capacity_gbps", "double"),
    ("clients", "bigint"),
    ("services", "bigint"),
)
DEVICES = (
    ("id", "string"),
    ("panel", "string"),
    ("node", "string"),
    ("rack", "bigint"),
    ("shelf", "bigint"),
    ("first_slot", "bigint"),
    ("last_slot", "bigint"),
    ("matrix", "string"),
    ("lightpath_id", "string"),
    ("line1_groomout_id", "string"),
    ("line2_groomout_id", "string"),
)
REMAINING = (
    ("matrix", "string"),
    ("demand_id", "string"),
    ("service_id", "string"),
    ("type", "string"),
    ("rate_gbps", "double"),
    ("groomout_id", "string"),
    ("reason", "string"),
)


def grooming_tables(document: Mapping[str, Any], rates: Mapping[ServiceType, int]) -> dict[str, Table]:
    """The tables of a result.

    Args:
        document: the result.
        rates: the rate of each type of service in bit/s.

    Returns:
        `lightpaths`, `devices` in the order of their places, and `remaining`: all services without a lightpath, those
        of remaining groomouts included.
    """
    return {
        "lightpaths": (LIGHTPATHS, list(_lightpaths(document))),
        "devices": (DEVICES, list(_devices(document))),
        "remaining": (REMAINING, list(_remaining(document, rates))),
    }


def groomouts_of(traffic: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """The groomouts of a matrix by id, each with the id of its demand."""
    return {
        id: (demand, groomout)
        for demand, result in traffic["low_rate_grooming_result"]["demands"].items()
        for id, groomout in result["groomouts"].items()
    }


def _lightpaths(document: Mapping[str, Any]) -> Iterator[list[Any]]:
    for matrix, traffic in document["traffic"].items():
        sizes = {id: len(groomout["service_id_list"]) for id, (_, groomout) in groomouts_of(traffic).items()}
        for lightpath in traffic["lightpaths"].values():
            clients = lightpath["service_id_list"]
            services = sum(sizes[client["id"]] if client["type"] == "groomout" else 1 for client in clients)
            ends = [lightpath[name] for name, _ in LIGHTPATHS[2:7]]
            yield [lightpath["id"], matrix, *ends, lightpath["capacity"], len(clients), services]


def _devices(document: Mapping[str, Any]) -> Iterator[list[Any]]:
    for node, racks in document["node_structure"]["nodes"].items():
        for rack, shelves in racks["racks"].items():
            for shelf, slots in shelves["shelves"].items():
                numbers: dict[str, list[int]] = {}
                for slot, id in slots["slots"].items():
                    numbers.setdefault(id, []).append(int(slot))
                for id, pair in numbers.items():
                    device = document["service_devices"][id]
                    lines = [(device.get(line) or {}).get("groomout_id") for line in ("line1", "line2")]
                    place = [node, int(rack), int(shelf), min(pair), max(pair)]
                    yield [id, device["panel"], *place, device["sub_tm_id"], device.get("lightpath_id"), *lines]


def _remaining(document: Mapping[str, Any], rates: Mapping[ServiceType, int]) -> Iterator[list[Any]]:
    for matrix, traffic in document["traffic"].items():
        for demand, entries in traffic["remaining_services"]["demands"].items():
            for entry in entries.values():
                rate = rates[entry["type"]] / GIGABIT
                for name in entry["service_id_list"]:
                    yield [matrix, demand, name, entry["type"], rate, None, entry["reason"]]
        for id, (demand, groomout) in groomouts_of(traffic).items():
            if groomout["lightpath_id"] is None:
                for client in groomout["service_id_list"]:
                    rate = rates[client["type"]] / GIGABIT
                    yield [matrix, demand, client["id"], client["type"], rate, id, "below_threshold"]
