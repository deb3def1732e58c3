"""The tables of the result of `rwa`: links, lightpaths and wavelengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluice.planning.rwa.result import link_names
from sluice.planning.topology import Topology

# Names and types of columns, and rows.
Table = tuple[Sequence[tuple[str, str]], Sequence[Sequence[Any]]]
_ROLES = ("working", "protection", "restoration")

LINKS = (
    ("source", "string"),
    ("destination", "string"),
    ("length_km", "double"),
    ("source_lat", "double"),
    ("source_lng", "double"),
    ("destination_lat", "double"),
    ("destination_lng", "double"),
    ("wavelengths_used", "bigint"),
    ("restoration_wavelengths", "bigint"),
    ("load", "double"),
)
LIGHTPATHS = (
    ("id", "string"),
    ("demand_id", "string"),
    ("source", "string"),
    ("destination", "string"),
    ("capacity_gbps", "double"),
    ("protection_type", "string"),
    ("restoration_type", "string"),
    ("downgraded", "boolean"),
    ("status", "string"),
    ("wavelength", "bigint"),
    ("working_path", "string"),
    ("working_hops", "bigint"),
    ("protection_path", "string"),
    ("protection_hops", "bigint"),
    ("regenerators", "bigint"),
    ("restoration_paths", "bigint"),
    ("unrestored_failures", "bigint"),
    ("lowest_snr_db", "double"),
    ("margin_db", "double"),
)
WAVELENGTHS = (
    ("wavelength", "bigint"),
    ("working_links", "bigint"),
    ("protection_links", "bigint"),
    ("restoration_links", "bigint"),
    ("lightpaths", "bigint"),
)


def rwa_tables(
    topology: Topology, lightpaths: Sequence[Mapping[str, Any]], result: Mapping[str, Any], channels: int
) -> dict[str, Table]:
    """The tables of a result.

    Args:
        topology: the network.
        lightpaths: all lightpaths as grooming demands them, blocked ones, too.
        result: the result.
        channels: how many wavelengths a link has.
    """
    return {
        "links": (LINKS, _links(topology, result, channels)),
        "lightpaths": (LIGHTPATHS, _lightpaths(lightpaths, result)),
        "wavelengths": (WAVELENGTHS, _wavelengths(result)),
    }


def _links(topology: Topology, result: Mapping[str, Any], channels: int) -> list[list[Any]]:
    nodes = {node.name: node for node in topology.nodes}
    rows = []
    for name, link in zip(link_names(topology), topology.links, strict=True):
        a, b = nodes[link.source], nodes[link.destination]
        states = (result["general_info"][role]["link_state"].get(name, {}) for role in _ROLES)
        working, protection, restoration = (state.get("wavelengths", []) for state in states)
        used = len(working) + len(protection)
        place = (float(a.lat), float(a.lng), float(b.lat), float(b.lng))
        counts = (used, len(set(restoration)), used / channels)
        rows.append([link.source, link.destination, float(link.length), *place, *counts])
    return rows


def _lightpaths(lightpaths: Sequence[Mapping[str, Any]], result: Mapping[str, Any]) -> list[list[Any]]:
    reasons = {entry["id"]: entry["reason"] for entry in result["blocked"]}
    missing = {entry["id"]: len(entry["failures"]) for entry in result["not_restorable"]}
    rows = []
    for demanded in lightpaths:
        routed = result["lightpaths"].get(demanded["id"])
        lightpath = routed or demanded
        start = [lightpath[key] for key in ("id", "demand_id", "source", "destination", "capacity")]
        types = [lightpath["protection_type"], lightpath["restoration_type"]]
        if routed is None:
            status = f"blocked: {reasons[demanded['id']]}"
            rows.append([*start, *types, False, status, *[None] * (len(LIGHTPATHS) - 9)])
        else:
            rows.append([*start, *types, routed["downgraded"], "routed", *_paths(routed, missing)])
    return rows


def _paths(lightpath: Mapping[str, Any], missing: Mapping[str, int]) -> list[Any]:
    info = lightpath["routing_info"]
    working, protection = info["working"], info.get("protection")
    lit = [path for path in (working, protection) if path is not None]
    return [
        working["wavelength"][0],
        " - ".join(working["path"]),
        working["lambda_link"],
        " - ".join(protection["path"]) if protection else None,
        protection["lambda_link"] if protection else None,
        sum(len(path["regenerators"]) for path in lit),
        len(info.get("restoration") or ()),
        missing.get(lightpath["id"], 0),
        min(snr for path in lit for snr in path["snr"]),
        min(path["margin_db"] for path in lit),
    ]


def _wavelengths(result: Mapping[str, Any]) -> list[list[int]]:
    lightpaths: dict[int, int] = {}
    for lightpath in result["lightpaths"].values():
        wavelength = lightpath["routing_info"]["working"]["wavelength"][0]
        lightpaths[wavelength] = lightpaths.get(wavelength, 0) + 1
    states = [result["general_info"][role]["wavelength_state"] for role in _ROLES]
    rows = []
    for wavelength, count in sorted(lightpaths.items()):
        links = (len(state.get(str(wavelength), {}).get("links", ())) for state in states)
        rows.append([wavelength, *links, count])
    return rows
