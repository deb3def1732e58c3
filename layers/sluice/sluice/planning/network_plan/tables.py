"""The tables and statistics of a plan that its parts do not have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sluice.planning.services import PANELS
from sluice.planning.topology import Topology

MATERIALS = (("node", "string"), ("item", "string"), ("count", "bigint"))
NODES = (
    ("name", "string"),
    ("lat", "double"),
    ("lng", "double"),
    ("roadm_type", "string"),
    ("links", "bigint"),
    ("lightpaths", "bigint"),
    ("capacity_gbps", "double"),
    ("regenerators", "bigint"),
    ("devices", "bigint"),
)


def material_rows(materials: Mapping[str, Any]) -> list[list[Any]]:
    """A row for each node and each item that it needs."""
    return [
        [name, item, count] for name, counts in materials["nodes"].items() for item, count in counts.items() if count
    ]


def node_rows(topology: Topology, rwa: Mapping[str, Any], materials: Mapping[str, Any]) -> list[list[Any]]:
    """A row for each node.

    Args:
        topology: the network.
        rwa: the result of `rwa`: the lightpaths that end at a node, and the regenerators.
        materials: the bill of materials: the devices.
    """
    links = Counter(name for link in topology.links for name in (link.source, link.destination))
    ending: dict[str, list[float]] = {node.name: [] for node in topology.nodes}
    regenerators = Counter(rwa["restoration_regenerators"])
    for lightpath in rwa["lightpaths"].values():
        for name in (lightpath["source"], lightpath["destination"]):
            ending[name].append(lightpath["capacity"])
        for role in ("working", "protection"):
            regenerators.update((lightpath["routing_info"].get(role) or {}).get("regenerators", ()))
    return [
        [
            *(node.name, float(node.lat), float(node.lng), node.roadm_type),
            *(links[node.name], len(ending[node.name]), sum(ending[node.name]), regenerators[node.name]),
            _devices(materials["nodes"][node.name]),
        ]
        for node in topology.nodes
    ]


def plan_statistics(
    services: int, remaining: int, plan: Mapping[str, Any], loads: Sequence[float]
) -> dict[str, int | float]:
    """The numbers of a whole plan.

    Args:
        services: how many services there are.
        remaining: how many of them have no lightpath.
        plan: `grooming`, `rwa` and `materials`.
        loads: the load of each link.
    """
    groomed, rwa = plan["grooming"]["statistics"], plan["rwa"]
    return {
        "services": services,
        "remaining_services": remaining,
        "lightpaths": groomed["lightpath_no"],
        "blocked_lightpaths": len(rwa["blocked"]),
        "mean_capacity_gbps": groomed["mean_lightpath_cap"],
        "wavelengths_used": rwa["wavelengths_used"],
        "regenerators_used": rwa["regenerators_used"],
        "highest_load": max(loads, default=0.0),
        "devices": _devices(plan["materials"]["network"]),
    }


def _devices(counts: Mapping[str, int]) -> int:
    return sum(counts[panel.name] for panel in PANELS)
