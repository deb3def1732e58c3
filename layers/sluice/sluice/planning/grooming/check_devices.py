"""Whether the devices of a grooming that was made by hand are those that its lightpaths and groomouts need."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sluice.planning.documents import Fault, fault
from sluice.planning.grooming.completion import panel_of
from sluice.planning.grooming.devices import DEVICE_SLOTS, ENDS, Chassis
from sluice.planning.grooming.result import statistics
from sluice.planning.services import MP2X
from sluice.planning.topology import Topology

_TOLERANCE = 1e-9
_SLOTS = sorted({slot for pair in Chassis().device_slots() for slot in pair})
# A node, a rack and a shelf.
_Shelf = tuple[str, str, str]


def device_faults(document: Mapping[str, Any], ends: Mapping[str, tuple[str, str]]) -> list[Fault]:
    """What is wrong with devices, their places and the statistics.

    Args:
        document: a dump of `GroomingResult`, whose lightpaths and groomouts are valid. It can have neither devices nor
            places, or devices without places, or both.
        ends: source and destination of demands, by id.
    """
    faults = [*_statistics_faults(document)]
    if document["service_devices"] or document["node_structure"]["nodes"]:
        faults += _Check(document, ends).run()
    return faults


def node_faults(document: Mapping[str, Any], topology: Topology) -> Iterator[Fault]:
    """The ends of lightpaths and the places of devices that are no nodes of a topology."""
    names = {node.name for node in topology.nodes}
    for matrix, traffic in document["traffic"].items():
        for key, lightpath in traffic["lightpaths"].items():
            for end in ENDS:
                if lightpath[end] not in names:
                    place = ("traffic", matrix, "lightpaths", key, end)
                    yield fault(place, f"The topology has no node {lightpath[end]!r}.")
    for name in document["node_structure"]["nodes"]:
        if name not in names:
            yield fault(("node_structure", "nodes", name), f"The topology has no node {name!r}.")


def _statistics_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    """The statistics that are not a recount."""
    if document["statistics"] is None:
        return
    for name, value in statistics(document).items():
        stated = document["statistics"][name]
        if abs(stated - value) > _TOLERANCE:
            yield fault(("statistics", name), f"A recount gives {value}, not {stated}; `statistics` can be left out.")


class _Check:
    """A check of the devices of a result."""

    def __init__(self, document: Mapping[str, Any], ends: Mapping[str, tuple[str, str]]) -> None:
        self._faults: list[Fault] = []
        self._document = document
        self._devices: Mapping[str, Any] = document["service_devices"]
        self._ends = ends
        self._lightpaths = {
            key: lightpath
            for traffic in document["traffic"].values()
            for key, lightpath in traffic["lightpaths"].items()
        }
        # Where each device is: its shelves, each with its slots there.
        self._positions: dict[str, list[tuple[str, str, str, list[int]]]] = defaultdict(list)
        self._groomouts = {
            key: demand
            for traffic in document["traffic"].values()
            for demand, result in traffic["low_rate_grooming_result"]["demands"].items()
            for key in result["groomouts"]
        }

    def run(self) -> list[Fault]:
        """Return what is wrong."""
        counts: dict[str, int] = dict.fromkeys(self._lightpaths, 0)
        for key, device in self._devices.items():
            self._device(("service_devices", key), key, device, counts)
        for id, count in counts.items():
            if count != len(ENDS):
                message = f"The lightpath {id!r} has {count} devices; it needs one at each end, or none has devices."
                self._add(("service_devices",), message)
        if self._document["node_structure"]["nodes"] and not self._faults:
            self._places()
        return self._faults

    def _add(self, place: tuple[str | int, ...], message: str) -> None:
        self._faults.append(fault(place, message))

    def _device(
        self, place: tuple[str | int, ...], key: str, device: Mapping[str, Any], counts: dict[str, int]
    ) -> None:
        if device["id"] != key:
            self._add((*place, "id"), f"`id` must be {key!r}, as the key.")
        if device["sub_tm_id"] not in self._document["traffic"]:
            self._add((*place, "sub_tm_id"), f"`traffic` has no matrix {device['sub_tm_id']!r}.")
        if device["panel"] == MP2X.name:
            if device["line1"] is None:
                self._add((*place, "line1"), "An MP2X device has a groomout on its first line.")
            for name in ("line1", "line2"):
                line = device[name]
                if line and self._groomouts.get(line["groomout_id"]) != line["demand_id"]:
                    message = f"The demand {line['demand_id']!r} has no groomout {line['groomout_id']!r}."
                    self._add((*place, name), message)
            return
        id = device["lightpath_id"]
        if id not in self._lightpaths:
            self._add((*place, "lightpath_id"), f"There is no lightpath {id!r}.")
            return
        counts[id] += 1
        panel = panel_of(self._lightpaths[id]).name
        if device["panel"] != panel:
            self._add((*place, "panel"), f"The lightpath {id!r} has devices of the type {panel}.")

    def _places(self) -> None:
        """Require each device to have two adjacent slots at an end of its demand, another one at the other end."""
        for shelf, slots in _shelves(self._document["node_structure"]):
            self._shelf(shelf, slots)
        if not self._faults:
            self._require_one_shelf()
        if not self._faults:
            self._require_ends()
        if not self._faults:
            self._addresses()

    def _shelf(self, shelf: _Shelf, slots: Mapping[str, str]) -> None:
        node, rack, number = shelf
        place = ("node_structure", "nodes", node, "racks", rack, "shelves", number)
        if not (rack.isdecimal() and number.isdecimal()):
            self._add(place, "Racks and shelves are numbered from 0.")
        numbers: dict[str, list[int]] = defaultdict(list)
        for slot, id in slots.items():
            if id not in self._devices:
                self._add((*place, "slots", slot), f"`service_devices` has no device {id!r}.")
            elif not slot.isdecimal() or int(slot) not in _SLOTS:
                self._add((*place, "slots", slot), f"Devices can have the slots {_SLOTS[0]} to {_SLOTS[-1]}.")
            else:
                numbers[id].append(int(slot))
        for id, pair in numbers.items():
            self._positions[id].append((*shelf, sorted(pair)))
            if len(pair) != DEVICE_SLOTS or abs(pair[0] - pair[1]) != 1:
                self._add((*place, "slots"), f"The device {id!r} needs two slots side by side.")

    def _require_one_shelf(self) -> None:
        for id in self._devices:
            if len(self._positions[id]) != 1:
                message = f"The device {id!r} is in {len(self._positions[id])} shelves; it must be in one."
                self._add(("node_structure",), message)

    def _require_ends(self) -> None:
        """Require devices of lightpaths and lines at both ends, and as many MP2X at one end as at the other."""
        at: dict[tuple[str, str], list[str]] = defaultdict(list)
        panels: dict[str, Counter[str]] = defaultdict(Counter)
        for id, device in self._devices.items():
            node = self._positions[id][0][0]
            for line in _lines(device):
                at[line["demand_id"], line["groomout_id"]].append(node)
            if device["panel"] == MP2X.name:
                panels[device["line1"]["demand_id"]][node] += 1
            else:
                at[self._lightpaths[device["lightpath_id"]]["demand_id"], device["lightpath_id"]].append(node)
        for (demand, user), nodes in at.items():
            ends = self._ends.get(demand, tuple(nodes))
            if sorted(nodes) != sorted(ends):
                message = f"The devices of {user!r} are at {' and '.join(nodes)}; its ends are {' and '.join(ends)}."
                self._add(("node_structure",), message)
        for demand, counts in panels.items():
            if len(set(counts.values())) > 1:
                numbers = " and ".join(f"{count} at {node}" for node, count in counts.items())
                message = f"The demand {demand!r} needs as many MP2X devices at one end as at the other, not {numbers}."
                self._add(("node_structure",), message)

    def _addresses(self) -> None:
        """Require the stated addresses of the MP2X devices of groomouts to be their places."""
        positions = {
            (line["groomout_id"], self._positions[id][0][0]): self._positions[id][0]
            for id, device in self._devices.items()
            for line in _lines(device)
        }
        for matrix, traffic in self._document["traffic"].items():
            for key, lightpath in traffic["lightpaths"].items():
                for i, client in enumerate(lightpath["service_id_list"]):
                    for end in ENDS if client["type"] == "groomout" and client["mp2x_panel_address"] else ():
                        _, rack, shelf, slots = positions[client["id"], lightpath[end]]
                        expected = {"rack_id": rack, "shelf_id": shelf, "slot_id_list": [str(slot) for slot in slots]}
                        if client["mp2x_panel_address"][end] != expected:
                            place = (
                                "traffic",
                                matrix,
                                "lightpaths",
                                key,
                                "service_id_list",
                                i,
                                "mp2x_panel_address",
                                end,
                            )
                            self._add(place, f"By `node_structure` the address is {expected}.")


def _lines(device: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """The lines of an MP2X device that are in use."""
    return [line for name in ("line1", "line2") if device["panel"] == MP2X.name and (line := device[name])]


def _shelves(structure: Mapping[str, Any]) -> Iterator[tuple[_Shelf, Mapping[str, str]]]:
    for name, node in structure["nodes"].items():
        for rack, shelves in node["racks"].items():
            for shelf, slots in shelves["shelves"].items():
                yield (name, rack, shelf), slots["slots"]
