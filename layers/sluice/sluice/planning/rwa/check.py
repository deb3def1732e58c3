"""Whether a hand-made result of `rwa` fits the network and the grooming."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from sluice.domain.base import json_pointer
from sluice.errors import Invalid
from sluice.planning.topology import Topology

_Fault = dict[str, str]


def check_result(document: Mapping[str, Any], topology: Topology | None, grooming: Mapping[str, Any] | None) -> None:
    """Check that lightpaths are those of the grooming, and that their paths run over free wavelengths of links.

    Args:
        document: the result, which matches `sluice.planning.rwa.document.RwaResult`.
        topology: the network; None: links are not checked.
        grooming: the result of grooming; None: its lightpaths are not known.

    Raises:
        Invalid: with one fault for each lightpath, path or wavelength that does not fit.
    """
    demanded = _lightpaths(grooming) if grooming is not None else document["lightpaths"].keys()
    links = {frozenset((link.source, link.destination)) for link in topology.links} if topology is not None else None
    faults: list[_Fault] = []
    users: dict[tuple[frozenset[str], int], str] = {}
    for key, lightpath in document["lightpaths"].items():
        if key not in demanded:
            message = f"The grooming has no lightpath {key!r}."
            faults.append({"pointer": json_pointer(("lightpaths", key)), "message": message})
        for place, path in _paths(lightpath["routing_info"]):
            pointer = json_pointer(("lightpaths", key, "routing_info", *place))
            faults += _path_faults(pointer, lightpath, path, links)
            if place[0] != "restoration":
                faults += _wavelength_faults(pointer, path, users)
    if faults:
        raise Invalid("Some lightpaths do not fit the inputs.", faults)


def _lightpaths(grooming: Mapping[str, Any]) -> set[str]:
    return {key for matrix in grooming["traffic"].values() for key in matrix["lightpaths"]}


def _paths(info: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """The paths of a lightpath with their places in its `routing_info`."""
    yield ("working",), info["working"]
    if info.get("protection") is not None:
        yield ("protection",), info["protection"]
    for index, entry in enumerate(info.get("restoration") or ()):
        yield ("restoration", index, "info"), entry["info"]


def _path_faults(
    pointer: str, lightpath: Mapping[str, Any], path: Mapping[str, Any], links: set[frozenset[str]] | None
) -> list[_Fault]:
    nodes = path["path"]
    messages = [
        f"The topology has no link between {a!r} and {b!r}."
        for a, b in pairwise(nodes)
        if links is not None and frozenset((a, b)) not in links
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
