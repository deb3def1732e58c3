"""Whether the lightpaths of a result leave each other their wavelengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sluice.domain.base import json_pointer
from sluice.planning.documents import Fault, fault
from sluice.planning.rwa.routed_paths import Keys, Link, failed_links, links_of, lit_paths_of, paths_of, restorations_of
from sluice.planning.topology import Topology

# A path's place in the document, and the lightpath that it belongs to.
_User = tuple[Keys, str]


def use_faults(result: Mapping[str, Any], topology: Topology | None) -> list[Fault]:
    """The wavelengths that two paths use where only one may.

    Args:
        result: a dump of `RwaResult` without nulls, whose lightpaths are valid one by one.
        topology: the network, which says where wavelengths can be added and dropped once only.
    """
    users: dict[tuple[Link, int], _User] = {}
    return [
        *_lit_faults(result, users),
        *_restoration_faults(result, users),
        *(_directionless_faults(result, topology) if topology else ()),
    ]


def _lit_faults(result: Mapping[str, Any], users: dict[tuple[Link, int], _User]) -> Iterator[Fault]:
    """The links on which two working or protection paths have a wavelength; notes the first path of each."""
    for key, lightpath in result["lightpaths"].items():
        for path_place, path in lit_paths_of(lightpath):
            place = ("lightpaths", key, *path_place)
            for link in links_of(path):
                wavelength = path["wavelength"][0]
                user = users.setdefault((link, wavelength), (place, key))
                if user != (place, key):
                    yield fault(place, f"The path at {_taken(user, wavelength, link)}.")


def _restoration_faults(result: Mapping[str, Any], users: Mapping[tuple[Link, int], _User]) -> Iterator[Fault]:
    """The links on which a restoration path disturbs another lightpath, or that two use after the same failure."""
    activated: dict[tuple[Link, Link, int], _User] = {}
    for key, lightpath in result["lightpaths"].items():
        for i, entry in enumerate(restorations_of(lightpath)):
            place = ("lightpaths", key, "routing_info", "restoration", i, "info")
            wavelength, failed = entry["info"]["wavelength"][0], failed_links(entry)
            for link in links_of(entry["info"]):
                user = users.get((link, wavelength), (place, key))
                if user[1] != key:
                    yield fault(place, f"The path at {_taken(user, wavelength, link)}.")
                if len(failed) == 1:
                    other = activated.setdefault((failed[0], link, wavelength), (place, key))
                    if other != (place, key):
                        yield fault(place, f"After the same failure, the path at {_taken(other, wavelength, link)}.")


def _taken(user: _User, wavelength: int, link: Link) -> str:
    a, b = sorted(link)
    return f"{json_pointer(user[0])} has the wavelength {wavelength} between {a!r} and {b!r}"


def _directionless_faults(result: Mapping[str, Any], topology: Topology) -> Iterator[Fault]:
    """The `Directionless` nodes where two lightpaths are added, dropped or regenerated on a wavelength."""
    directionless = {node.name for node in topology.nodes if node.roadm_type == "Directionless"}
    users: dict[tuple[str, int], str] = {}
    for key, lightpath in result["lightpaths"].items():
        for path_place, path in paths_of(lightpath):
            wavelength = path["wavelength"][0]
            for name in (path["path"][0], path["path"][-1], *path["regenerators"]):
                if name in directionless and users.setdefault((name, wavelength), key) != key:
                    message = (
                        f"The lightpath {users[name, wavelength]!r} is added, dropped or regenerated on the wavelength "
                        f"{wavelength} at {name!r}, which can do that for one lightpath only."
                    )
                    yield fault(("lightpaths", key, *path_place), message)
