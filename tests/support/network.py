"""A small network to plan: five nodes, six links, three demands."""

from __future__ import annotations

from typing import Any

from support.workbooks import demand, link, matrix, node, service


def small_topology() -> dict[str, Any]:
    nodes = [
        node("Amsterdam", lat=52.37, lng=4.9),
        node("Utrecht", lat=52.09, lng=5.12),
        node("Zwolle", lat=52.51, lng=6.08),
        node("Arnhem", lat=51.98, lng=5.91),
        node("Groningen", lat=53.22, lng=6.57, roadm_type="Directionless"),
    ]
    links = [
        link("Amsterdam", "Utrecht", length=42.5),
        link("Amsterdam", "Zwolle", length=91),
        link("Utrecht", "Arnhem", length=64),
        link("Zwolle", "Arnhem", length=68),
        link("Zwolle", "Groningen", length=104),
        link("Amsterdam", "Groningen", length=147),
    ]
    return {"nodes": nodes, "links": links}


def small_matrix() -> dict[str, Any]:
    """Its first demand fills a lightpath, the others only with a low threshold."""
    protected = {"protection_type": "1+1_NodeDisjoint"}
    services = [
        (service("10GE", "1", "2"), service("100GE", "3")),
        (service("GE", *map(str, range(4, 12))), service("10GE", "12", "13", "14")),
        (service("GE", *map(str, range(15, 21))), service("10GE", "21")),
    ]
    return matrix(
        demand("1", "Amsterdam", "Zwolle", *services[0], **protected),
        demand("2", "Utrecht", "Groningen", *services[1], **protected, restoration_type="JointSame"),
        demand("3", "Arnhem", "Amsterdam", *services[2]),
    )
