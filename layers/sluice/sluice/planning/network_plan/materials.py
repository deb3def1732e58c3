"""Bills of materials: the cards and devices of each node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sluice.domain.base import json_pointer
from sluice.errors import Invalid
from sluice.planning.documents import fault, require_none
from sluice.planning.services import PANELS
from sluice.planning.topology import Topology

# The rows, in the order of the workbook. Those that nothing needs yet are 0.
ROWS = (
    *("MP2X", "MP1H", "TP1H"),
    *("IFC", "SC", "OS5", "FIM", "Amplifier", "HKP", "MPBD", "WS9", "WS4", "SM2", "TPAX", "TP2X"),
    *("MD48", "PWR", "OCM", "MD8", "DCM"),
)
MAX_DEGREE = 8
_SUPERVISORY_PORTS, _MONITOR_PORTS, _SPLITTER_LIGHTPATHS = 5, 4, 2
# Wavelength selective switches with four and nine ports.
_LARGEST_WS4_DEGREE = {"directional": 3, "local": 4}


@dataclass
class _Site:
    """What the cards of a node depend on.

    Args:
        degree: the number of its links.
        panels: its devices, by type.
        device_shelves: the shelves with devices.
        protected: how many protected lightpaths end here.
        bands: for each wavelength that ends here, whether it is odd and on which path of its lightpath.
    """

    degree: int = 0
    panels: Counter[str] = field(default_factory=Counter)
    device_shelves: int = 0
    protected: int = 0
    bands: set[tuple[bool, str]] = field(default_factory=set)


def bill_of_materials(topology: Topology, grooming: Mapping[str, Any], rwa: Mapping[str, Any]) -> dict[str, Any]:
    """Count what each node and the whole network need.

    A node has a shelf for each of its links, at least one, and those that grooming has filled with devices.

    Args:
        topology: the network.
        grooming: a result of `grooming`; `node_structure` and `service_devices` are read.
        rwa: a result of `rwa`; `lightpaths` is read.

    Returns:
        `nodes`, the counts of each node by the names of `ROWS`, and `network`, their sums.

    Raises:
        Invalid: a node has more links than a node can have.
    """
    require_degrees(topology)
    sites = _sites(topology, grooming, rwa)
    nodes = {name: dict.fromkeys(ROWS, 0) | dict(_counts(site)) for name, site in sites.items()}
    network = {row: sum(counts[row] for counts in nodes.values()) for row in ROWS}
    return {"nodes": nodes, "network": network}


def _sites(topology: Topology, grooming: Mapping[str, Any], rwa: Mapping[str, Any]) -> dict[str, _Site]:
    sites = {node.name: _Site() for node in topology.nodes}
    for link in topology.links:
        sites[link.source].degree += 1
        sites[link.destination].degree += 1
    panels = {id: device["panel"] for id, device in grooming["service_devices"].items()}
    for name, node in grooming["node_structure"]["nodes"].items():
        shelves = [shelf["slots"] for rack in node["racks"].values() for shelf in rack["shelves"].values()]
        sites[name].device_shelves = len(shelves)
        sites[name].panels.update(panels[id] for slots in shelves for id in dict.fromkeys(slots.values()))
    for lightpath in rwa["lightpaths"].values():
        paths = {role: lightpath["routing_info"].get(role) for role in ("working", "protection")}
        for name in (lightpath["source"], lightpath["destination"]):
            sites[name].protected += bool(paths["protection"])
            sites[name].bands |= {(path["wavelength"][0] % 2 == 1, role) for role, path in paths.items() if path}
    return sites


def require_degrees(topology: Topology) -> None:
    """Require no node to have more links than a node can have.

    Raises:
        Invalid: one has; `errors` has all of them.
    """
    degrees = Counter(name for link in topology.links for name in (link.source, link.destination))
    errors = [
        {
            "pointer": json_pointer(("nodes", i, "name")),
            "message": f"The node {node.name!r} has {degrees[node.name]} links; a node can have {MAX_DEGREE}.",
        }
        for i, node in enumerate(topology.nodes)
        if degrees[node.name] > MAX_DEGREE
    ]
    if errors:
        raise Invalid(" ".join(error["message"] for error in errors), errors)


def require_places(topology: Topology, grooming: Mapping[str, Any]) -> None:
    """Require the devices of a grooming to be at nodes of a topology.

    Args:
        topology: the network.
        grooming: a result of `grooming` with all fields, which may be made by hand.

    Raises:
        Invalid: some are at other nodes, or a slot names a device that the grooming does not have.
    """
    names, devices = {node.name for node in topology.nodes}, grooming["service_devices"]
    faults = []
    for name, node in grooming["node_structure"]["nodes"].items():
        place = ("node_structure", "nodes", name)
        if name not in names:
            faults.append(fault(place, f"The topology has no node {name!r}; take the topology of the grooming."))
        slots = (shelf["slots"] for rack in node["racks"].values() for shelf in rack["shelves"].values())
        unknown = [id for shelf in slots for id in shelf.values() if id not in devices]
        if unknown:
            faults.append(fault(place, f"The grooming has no device {unknown[0]!r}."))
    require_none(faults)


def require_materials(stated: Mapping[str, Any], counted: Mapping[str, Any]) -> None:
    """Require a stated bill of materials to be that which was counted.

    Raises:
        Invalid: it is not; `errors` has each count that differs, with pointers into the bill.
    """
    bills: dict[tuple[str, ...], Mapping[str, int]] = {("network",): counted["network"]}
    bills |= {("nodes", name): row for name, row in counted["nodes"].items()}
    faults = [
        fault(("nodes", name), "The topology has no such node.")
        for name in stated["nodes"]
        if name not in counted["nodes"]
    ]
    for place, counts in bills.items():
        given = stated["network"] if place == ("network",) else stated["nodes"].get(place[1], {})
        faults += [
            fault((*place, item), f"The plan needs {count}, not {given.get(item, 0)}.")
            for item, count in counts.items()
            if given.get(item, 0) != count
        ]
    require_none(faults)


def _counts(site: _Site) -> Iterator[tuple[str, int]]:
    degree = site.degree
    shelves = max(degree, 1) + site.device_shelves
    yield from ((panel.name, site.panels[panel.name]) for panel in PANELS)
    yield from (("IFC", shelves), ("SC", 2 * shelves), ("PWR", shelves))
    yield from (("FIM", degree), ("Amplifier", 2 * degree), ("HKP", 1))
    yield "OS5", -(-degree // _SUPERVISORY_PORTS)
    yield "OCM", -(-degree // _MONITOR_PORTS)
    yield "SM2", -(-site.protected // _SPLITTER_LIGHTPATHS)
    # Without a switch for adding and dropping, a node of two links has filters for both bands on both sides.
    yield "MD48", 4 if degree == 2 else len(site.bands)
    switches = _switches(site)
    yield from (("WS4", switches["WS4"]), ("WS9", switches["WS9"]))


def _switches(site: _Site) -> Counter[str]:
    """The wavelength selective switches: one for each link, and those for adding and dropping."""
    switches: Counter[str] = Counter()
    if site.degree >= 2:
        switches["WS4" if site.degree <= _LARGEST_WS4_DEGREE["directional"] else "WS9"] += site.degree
    if site.degree >= 3:
        switches["WS4" if site.degree <= _LARGEST_WS4_DEGREE["local"] else "WS9"] += 2 if site.protected else 1
    return switches
