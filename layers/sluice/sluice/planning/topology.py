"""Physical topologies: nodes, and the links between them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sluice.domain.base import Document

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
