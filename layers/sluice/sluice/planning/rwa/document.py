"""The document of the result of `rwa`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sluice.domain.base import Record
from sluice.planning.rwa.linear_model import SearchStatus
from sluice.planning.traffic import Protection, Restoration


class RoutedPath(Record):
    """A path with a wavelength."""

    path: list[str] = Field(description="The names of its nodes, in order.")
    wavelength: list[int] = Field(description="The wavelength of each segment between regenerators; all are equal.")
    regenerators: list[str] = Field(description="The inner nodes that regenerate the signal, in the path's order.")
    snr: list[float] = Field(
        description="The SNR of each segment in dB, at the lightpath's wavelength with the wavelengths that are lit."
    )
    margin_db: float = Field(description="The lowest SNR less the threshold of the modulation, in dB.")
    lambda_link: int = Field(description="How many links it has.")


class RestorationPath(Record):
    """A path that replaces a working path after a failure."""

    first_failure: list[str] = Field(description="The two ends of the failed link of the working path.")
    second_failure: list[str] | None = Field(
        None, description="The two ends of the link of the protection path that has failed, too; absent if none has."
    )
    restoration_algorithm: Literal["Basic", "Advanced"] = Field(
        description="`Advanced` for a pair of failures, otherwise `Basic`."
    )
    info: RoutedPath = Field(description="The path.")


class RoutingInfo(Record):
    """The paths of a lightpath."""

    working: RoutedPath = Field(description="The path in use without failures.")
    protection: RoutedPath | None = Field(None, description="The path of the second signal of protected lightpaths.")
    restoration: list[RestorationPath] | None = Field(
        None, description="The paths after failures; absent for lightpaths without restoration."
    )


class RoutedLightpath(Record):
    """A lightpath with its paths."""

    id: str = Field(description="The id from grooming.")
    source: str = Field(description="The node at one end, as grooming has it.")
    destination: str = Field(description="The node at the other end.")
    cluster_id: str | None = Field(description="The cluster of the matrix that was groomed; null without clusters.")
    demand_id: str | None = Field(description="The demand whose services it carries.")
    routing_type: str = Field(description="Its line rate, `100GE`.")
    protection_type: Protection = Field(description="The protection that it has.")
    restoration_type: Restoration = Field(description="The restoration that it has.")
    capacity: float = Field(description="The rate of its services in Gb/s.")
    downgraded: bool = Field(description="Whether it should be protected and no two disjoint paths exist.")
    routing_info: RoutingInfo = Field(description="Its paths.")


class LinkState(Record):
    """What a link carries."""

    source: str = Field(description="The node at one end, as in the topology.")
    destination: str = Field(description="The node at the other end.")
    wavelengths: list[int] = Field(description="The wavelength of each path over it; restoration paths may share one.")


class NodeState(Record):
    """What passes or ends at a node."""

    node: str = Field(description="The node.")
    wavelengths: list[int] = Field(description="The wavelengths of paths through it or with an end there.")


class WavelengthState(Record):
    """Where a wavelength is in use."""

    wavelength: int = Field(description="The wavelength.")
    links: list[str] = Field(description="The links that carry it.")
    signal_nodes: list[str] = Field(description="The nodes where it is added, dropped or regenerated.")
    pass_nodes: list[str] = Field(description="The nodes that it passes.")


class Usage(Record):
    """What paths of one role use of the network."""

    link_state: dict[str, LinkState] = Field(description="The links in use, by name.")
    node_state: dict[str, NodeState] = Field(description="The nodes in use, by name.")
    wavelength_state: dict[str, WavelengthState] = Field(description="The wavelengths in use, by number.")
    total_lambda_link: int = Field(description="The sum of the links of all paths.")
    average_lambda_capacity_usage: float = Field(
        description="The mean capacity in Gb/s of the lightpaths, weighed by their links; 0 without paths."
    )


class GeneralInfo(Record):
    """What the whole network carries."""

    working: Usage = Field(description="By working paths.")
    protection: Usage = Field(description="By protection paths.")
    restoration: Usage = Field(description="By restoration paths.")


class BlockedLightpath(Record):
    """A lightpath without paths."""

    id: str = Field(description="The id from grooming.")
    reason: Literal["no_path", "no_wavelength", "directionless"] = Field(
        description="`no_path`: no links within reach join its ends. `no_wavelength`: on no path is a wavelength free "
        "on all links. `directionless`: those that are free are added or dropped already at a `Directionless` node."
    )
    message: str = Field(description="The reason as a sentence.")


class UnrestoredFailure(Record):
    """A failure without a restoration path."""

    first_failure: list[str] = Field(description="The two ends of the failed link of the working path.")
    second_failure: list[str] | None = Field(None, description="The two ends of the failed link of the protection.")


class NotRestorable(Record):
    """A routed lightpath with failures that nothing restores."""

    id: str = Field(description="The id from grooming.")
    failures: list[UnrestoredFailure] = Field(description="The failures.")


class Iteration(Record):
    """A restart."""

    restart: int = Field(description="Its number, from 0.")
    objective: float = Field(description="Its objective, restoration included.")
    blocked: int = Field(description="How many lightpaths it has blocked.")


class GreedySearch(Record):
    """What the greedy algorithm reaches with the same inputs, parameters and seed."""

    restarts: int = Field(description="How many restarts there were.")
    restart: int = Field(description="The number of the best one, from which the exact search started.")
    blocked: int = Field(description="How many lightpaths it blocks.")
    objective: float = Field(
        description="Its objective without restoration, as `objective` of the exact assignment beside it."
    )
    objective_with_restoration: float = Field(
        description="Its objective with the regenerators that restoration paths share, as `objective` of the result."
    )


class ExactSearch(Record):
    """How good the exact assignment is. Restoration paths are assigned after it and do not count."""

    status: SearchStatus = Field(
        description="`optimal`: no assignment is better. `search_limit`: the search ended at its limit of nodes, as it "
        "does each time. `time_limit`: time ended it, and the same run may get further on another machine."
    )
    blocked_bound: int = Field(description="No assignment blocks fewer lightpaths.")
    objective: float = Field(
        description="The objective of working and protection paths alone. `objective` of the result adds the "
        "regenerators that restoration paths share."
    )
    bound: float | None = Field(
        description="No assignment that blocks as few lightpaths has a lower objective; null while it is unknown "
        "whether fewer can be blocked."
    )
    gap: float | None = Field(description="The part of the objective by which the bound is lower; 0 at the optimum.")
    greedy: GreedySearch | None = Field(None, description="The best greedy restart, to compare with.")


class RwaResult(Record):
    """Paths and wavelengths of all lightpaths."""

    lightpaths: dict[str, RoutedLightpath] = Field(description="The routed lightpaths by id.")
    general_info: GeneralInfo = Field(description="What links, nodes and wavelengths carry.")
    objective: float = Field(
        description="The weighted sum of wavelengths and regenerators in use, with those that restoration paths share; "
        "lower is better."
    )
    wavelengths_used: int = Field(description="How many different wavelengths the network uses.")
    regenerators_used: int = Field(
        description="The regenerators of all working and protection paths, and those that restoration paths share."
    )
    restoration_regenerators: dict[str, int] = Field(
        description="How many regenerators the restoration paths share at each node."
    )
    blocked: list[BlockedLightpath] = Field(description="The lightpaths without paths.")
    downgraded: list[str] = Field(description="The ids of routed lightpaths whose protection had to be left out.")
    not_restorable: list[NotRestorable] = Field(description="The routed lightpaths that some failures interrupt.")
    iterations: list[Iteration] = Field(description="The restarts, of which the best gave the result.")
    exact: ExactSearch | None = Field(None, description="Of the algorithm `ILP`: how good the assignment is.")
