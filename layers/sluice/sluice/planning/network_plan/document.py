"""The document of the result of `network_plan`."""

from __future__ import annotations

from pydantic import Field

from sluice.domain.base import Record
from sluice.planning.grooming.document import GroomingResult
from sluice.planning.rwa.document import RwaResult


class Materials(Record):
    """A bill of materials."""

    nodes: dict[str, dict[str, int]] = Field(description="How many of each item each node needs.")
    network: dict[str, int] = Field(description="How many of each item the network needs.")


class PlanStatistics(Record):
    """Numbers of a plan."""

    services: int = Field(description="The number of services.")
    remaining_services: int = Field(description="Those that have no lightpath after grooming.")
    lightpaths: int = Field(description="The number of lightpaths.")
    blocked_lightpaths: int = Field(description="Those that have no paths.")
    mean_capacity_gbps: float = Field(description="The mean capacity of the lightpaths in Gb/s; 0 without lightpaths.")
    wavelengths_used: int = Field(description="How many different wavelengths the network uses.")
    regenerators_used: int = Field(description="The number of regenerators, with those that restoration paths share.")
    highest_load: float = Field(description="The part of its wavelengths that the fullest link uses, 0 to 1.")
    devices: int = Field(description="The number of MP2X, MP1H and TP1H devices.")


class NetworkPlan(Record):
    """A plan: lightpaths, their paths and wavelengths, and what has to be bought."""

    grooming: GroomingResult = Field(description="The result of `grooming`.")
    rwa: RwaResult = Field(description="The result of `rwa`.")
    materials: Materials = Field(description="The bill of materials.")
    statistics: PlanStatistics = Field(description="Numbers of the whole plan.")
