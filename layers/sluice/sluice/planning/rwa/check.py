"""Whether a hand-made result of `rwa` fits the network and the grooming."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from sluice.errors import Invalid
from sluice.planning.topology import Topology

_Fault = dict[str, str]


def check_result(document: Mapping[str, Any], topology: Topology, grooming: Mapping[str, Any]) -> None:
    """Check that lightpaths are those of the grooming, and that their paths run over free wavelengths of links.

    Args:
        document: the result, which matches `rwa_document.RwaResult`.
        topology: the network.
        grooming: the result of grooming.

    Raises:
        Invalid: with one fault for each lightpath, path or wavelength that does not fit.
    """
    demanded = {key for matrix in grooming["traffic"].values() for key in matrix["lightpaths"]}
    links = {frozenset((link.source, link.destination)) for link in topology.links}
    faults: list[_Fault] = []
    users: dict[tuple[frozenset[str], int], str] = {}
    for key, lightpath in document["lightpaths"].items():
        if key not in demanded:
            message = f"The grooming has no lightpath {key!r}."
            faults.append({"pointer": f"/lightpaths/{key}", "message": message})
        for place, path in _paths(lightpath["routing_info"]):
            pointer = f"/lightpaths/{key}/routing_info/{place}"
            faults += _path_faults(pointer, lightpath, path, links)
            if place in ("working", "protection"):
                faults += _wavelength_faults(pointer, path, users)
    if faults:
        raise Invalid("Some lightpaths do not fit the inputs.", faults)


def _paths(info: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The paths of a lightpath with their places in the document."""
    yield "working", info["working"]
    if info.get("protection") is not None:
        yield "protection", info["protection"]
    for place, entry in enumerate(info.get("restoration") or ()):
        yield f"restoration/{place}/info", entry["info"]


def _path_faults(
    pointer: str, lightpath: Mapping[str, Any], path: Mapping[str, Any], links: set[frozenset[str]]
) -> list[_Fault]:
    nodes = path["path"]
    messages = [
        f"The topology has no link between {a!r} and {b!r}."
        for a, b in pairwise(nodes)
        if frozenset((a, b)) not in links
    ]
    if nodes[:1] + nodes[-1:] != [lightpath["source"], lightpath["destination"]] or len(nodes) < 2:
        messages.append("The path must start at the lightpath's source and end at its destination.")
    if len(set(nodes)) < len(nodes):
        messages.append("The path must pass each node once.")
    if not set(path["regenerators"]) <= set(nodes[1:-1]):
        messages.append("Regenerators must be inner nodes of the path.")
    if len(set(path["wavelength"])) != 1:
        messages.append("The segments must have one and the same wavelength.")
    return [{"pointer": pointer, "message": message} for message in messages]


def _wavelength_faults(
    pointer: str, path: Mapping[str, Any], users: dict[tuple[frozenset[str], int], str]
) -> list[_Fault]:
    """The links whose wavelength another path has already; notes those of this path."""
    faults = []
    for a, b in pairwise(path["path"]):
        for wavelength in path["wavelength"][:1]:
            user = users.setdefault((frozenset((a, b)), wavelength), pointer)
            if user != pointer:
                message = f"The path at {user} has the wavelength {wavelength} between {a!r} and {b!r}."
                faults.append({"pointer": pointer, "message": message})
    return faults
