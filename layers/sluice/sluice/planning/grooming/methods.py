"""Grooming by any of its methods, from documents to a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluice.errors import Invalid
from sluice.planning.clusters import Clusters
from sluice.planning.grooming.advanced import share_connections
from sluice.planning.grooming.clustering import cut_at_gateways, split_by_cluster
from sluice.planning.grooming.devices import Chassis
from sluice.planning.grooming.end_to_end import GroomedDemand, groom
from sluice.planning.grooming.folding import fold
from sluice.planning.grooming.gateways import cluster_gateways
from sluice.planning.grooming.parameters import GroomingParameters
from sluice.planning.grooming.pieces import Mapped, cut_demands, describe_pieces
from sluice.planning.grooming.result import MAIN, describe_grooming
from sluice.planning.services import bits_of
from sluice.planning.topology import Topology
from sluice.planning.traffic import Demand, TrafficMatrix

DIRECT, FOLD = "direct", "fold"


def groom_network(
    topology: Topology, matrix: TrafficMatrix, clusters: Clusters | None, parameters: GroomingParameters
) -> dict[str, Any]:
    """Groom the services of a network.

    Args:
        topology: the network.
        matrix: the demands, whose ends are nodes of the network.
        clusters: clusters of its nodes, for other methods than `end_to_end`.
        parameters: the method and what it needs.

    Returns:
        The result, as `Grooming` describes it.

    Raises:
        Invalid: the method needs clusters and there are none, or they do not fit.
    """
    grooming = _Grooming(parameters)
    if parameters.method == "end_to_end":
        return grooming.describe({MAIN: matrix.demands}, {})
    if parameters.method == "clustered":
        clusters = require_clusters(clusters)
        mapped: Mapped = cut_at_gateways(matrix, grooming.groom(matrix.demands), clusters)
        return grooming.describe(split_by_cluster(cut_demands(matrix, mapped), clusters), mapped)
    mapped = _share(topology, matrix, clusters, parameters)
    return grooming.describe({MAIN: cut_demands(matrix, mapped)}, mapped)


def require_clusters(clusters: Clusters | None) -> Clusters:
    """Require clusters that services can be cut at.

    Raises:
        Invalid: there are none, or they do not fit each other.
    """
    if clusters is None:
        message = "The method `clustered` needs the input `clusters`."
        raise Invalid(message, [{"pointer": "", "message": message}])
    cluster_gateways(clusters)
    return clusters


class _Grooming:
    """End-to-end grooming with the parameters of a run."""

    def __init__(self, parameters: GroomingParameters) -> None:
        self._parameters = parameters

    def groom(self, demands: Mapping[str, Demand]) -> list[GroomedDemand]:
        parameters = self._parameters
        return groom(demands, parameters.rates, parameters.mp1h_threshold, parameters.search_nodes)

    def describe(self, matrices: Mapping[str, Mapping[str, Demand]], mapped: Mapped) -> dict[str, Any]:
        groomed = {id: self.groom(demands) for id, demands in matrices.items()}
        document = describe_grooming(groomed, Chassis(self._parameters.shelves_per_rack))
        return {**document, "mapping": describe_pieces(mapped)}


def _share(
    topology: Topology, matrix: TrafficMatrix, clusters: Clusters | None, parameters: GroomingParameters
) -> Mapped:
    steps = (DIRECT, FOLD) if parameters.method == "advanced" else parameters.intermediate_steps
    return share_connections(
        matrix,
        topology,
        fold(topology, clusters) if FOLD in steps else {},
        bits_of(parameters.rates),
        parameters.line_rate,
        parameters.line_rate * parameters.direct_threshold / 100 if DIRECT in steps else None,
    )
