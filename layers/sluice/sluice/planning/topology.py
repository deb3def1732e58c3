"""Physical topologies: nodes, and the links between them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sluice.domain.base import Document
from sluice.planning.documents import Fault, document_pointer, entries, fault, field_faults, parse_document

RoadmType = Literal["CDC", "Directionless"]


class Node(Document):
    """A node of a network."""

    name: str = Field(min_length=1, description="The name, unique in the topology.")
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False, description="The latitude in degrees.")
    lng: float = Field(ge=-180, le=180, allow_inf_nan=False, description="The longitude in degrees.")
    roadm_type: RoadmType = Field(
        "CDC",
        description="How wavelengths are added and dropped. `Directionless`: each wavelength by one lightpath only; "
        "`CDC`: without limits.",
    )


class Link(Document):
    """A link between two nodes, for both directions."""

    source: str = Field(description="The name of the node at one end.")
    destination: str = Field(description="The name of the node at the other end.")
    length: float = Field(gt=0, allow_inf_nan=False, description="The length in km.")
    fiber_type: str = Field(description="The type of the fibre. It does not change any result.")


class Topology(Document):
    """The physical topology of a network."""

    nodes: list[Node] = Field(min_length=1, description="The nodes.")
    links: list[Link] = Field(description="The links; at most one between two nodes.")


def topology_faults(document: Any) -> list[Fault]:
    """Everything that is wrong with a topology, field by field.

    Args:
        document: the parsed JSON.

    Returns:
        A JSON Pointer and a message for each fault; empty for a valid topology.
    """
    return [*field_faults(Topology, document), *_name_faults(document), *_link_faults(document)]


def parse_topology(document: Any) -> Topology:
    """Check a topology.

    Args:
        document: the parsed JSON.

    Raises:
        Invalid: the topology is not valid; `errors` has all faults.
    """
    return parse_document(Topology, document, topology_faults(document), "topology")


def topology_warnings(document: Any) -> list[str]:
    """What to look at in a valid topology, as sentences: whether it is not connected.

    Args:
        document: the parsed JSON of a valid topology.
    """
    first = document["nodes"][0]["name"]
    neighbours: dict[str, list[str]] = {node["name"]: [] for node in document["nodes"]}
    for link in document["links"]:
        neighbours[link["source"]].append(link["destination"])
        neighbours[link["destination"]].append(link["source"])
    reached, waiting = {first}, [first]
    while waiting:
        for neighbour in neighbours[waiting.pop()]:
            if neighbour not in reached:
                reached.add(neighbour)
                waiting.append(neighbour)
    apart = [name for name in neighbours if name not in reached]
    if not apart:
        return []
    return [f"The topology is not connected: {len(apart)} nodes, such as {apart[0]!r}, have no path to {first!r}."]


def _name_faults(document: Any) -> list[Fault]:
    """The nodes whose name another node has."""
    faults, first_of = [], dict[str, int]()
    for index, node in entries(document, "nodes"):
        name = node.get("name")
        if not isinstance(name, str):
            continue
        if name in first_of:
            message = f"There is already a node {name!r}, at {document_pointer('nodes', first_of[name])}."
            faults.append(fault(("nodes", index, "name"), message))
        first_of.setdefault(name, index)
    return faults


def _link_faults(document: Any) -> list[Fault]:
    """The links with an end that is no node, that lead back to their node, or that there are twice."""
    names = {node.get("name") for _, node in entries(document, "nodes") if isinstance(node.get("name"), str)}
    faults, first_of = [], dict[tuple[str, ...], int]()
    for index, link in entries(document, "links"):
        ends = {field: link[field] for field in ("source", "destination") if isinstance(link.get(field), str)}
        unknown = {field: end for field, end in ends.items() if end not in names}
        faults += [fault(("links", index, field), f"There is no node {end!r}.") for field, end in unknown.items()]
        if len(ends) < 2 or unknown:
            continue
        source, destination = pair = tuple(sorted(ends.values()))
        if source == destination:
            faults.append(fault(("links", index, "destination"), "A link must lead to another node."))
        elif pair in first_of:
            place = document_pointer("links", first_of[pair])
            message = f"There is already a link between {source!r} and {destination!r}, at {place}."
            faults.append(fault(("links", index, "destination"), message))
        first_of.setdefault(pair, index)
    return faults
