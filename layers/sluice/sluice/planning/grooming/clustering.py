"""Clustered grooming: services that do not fill a lightpath are cut at the gateways of clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from sluice.planning.clusters import Clusters
from sluice.planning.grooming.end_to_end import GroomedDemand, remaining_services
from sluice.planning.grooming.gateways import GatewayOf, cluster_gateways, cluster_of, waypoints
from sluice.planning.grooming.pieces import Names, Piece, service_ids
from sluice.planning.grooming.result import MAIN
from sluice.planning.traffic import Demand, TrafficMatrix


def cut_at_gateways(
    matrix: TrafficMatrix, groomed: Sequence[GroomedDemand], clusters: Clusters
) -> dict[str, dict[str, list[Piece]]]:
    """Cut the services that end-to-end grooming leaves below the threshold and that lead to another cluster.

    A piece becomes a service of the first demand with its ends, protection and restoration, or of a new one.

    Args:
        matrix: the traffic matrix.
        groomed: its demands, groomed end to end.
        clusters: the clusters.

    Returns:
        The pieces of each service that is cut, in the order of its path, by demand and service.
    """
    gateway_of, owners = cluster_gateways(clusters), cluster_of(clusters)
    takers: dict[object, str] = {}
    for demand in matrix.demands.values():
        takers.setdefault(_kind(demand, demand.source, demand.destination), demand.id)
    demand_names, service_names = Names(matrix.demands), Names(service_ids(matrix))
    mapped: dict[str, dict[str, list[Piece]]] = {}
    for result in groomed:
        demand, services = result.demand, remaining_services(result)
        path = _path(gateway_of, owners, demand)
        if len(path) == 2 or not services:
            continue
        for ends in pairwise(path):
            kind = _kind(demand, *ends)
            if kind not in takers:
                takers[kind] = demand_names.derive(demand.id)
        mapped[demand.id] = {
            service: [
                Piece(takers[_kind(demand, *ends)], service_names.derive(service), *ends) for ends in pairwise(path)
            ]
            for service in services
        }
    return mapped


def split_by_cluster(demands: Mapping[str, Demand], clusters: Clusters) -> dict[str, dict[str, Demand]]:
    """The demands of `main` and of each cluster.

    Args:
        demands: the demands by id.
        clusters: the clusters.

    Returns:
        The demands by the id of their matrix: the cluster that both ends belong to, its gateway included, or `main`.
    """
    gateway_of, owners = cluster_gateways(clusters), cluster_of(clusters)
    matrices: dict[str, dict[str, Demand]] = {MAIN: {}, **{id: {} for id in clusters.clusters}}
    for demand in demands.values():
        matrices[_matrix_of(gateway_of, owners, demand.source, demand.destination)][demand.id] = demand
    return matrices


def _kind(demand: Demand, source: str, destination: str) -> object:
    """What a demand must have to take a piece of another demand's service."""
    return frozenset((source, destination)), demand.protection_type, demand.restoration_type


def _path(gateway_of: GatewayOf, owners: Mapping[str, str], demand: Demand) -> list[str]:
    """The nodes at which a demand's services begin, are cut and end."""
    source, destination = demand.source, demand.destination
    if source in owners and owners[source] == owners.get(destination):
        return [source, destination]
    up, down = waypoints(gateway_of, source, destination)
    return up + (down[1:] if up[-1] == down[0] else down)


def _matrix_of(gateway_of: GatewayOf, owners: Mapping[str, str], source: str, destination: str) -> str:
    if gateway_of.get(source) == destination:
        return owners[source]
    if gateway_of.get(destination) == source or owners.get(source) == owners.get(destination):
        return owners.get(destination, MAIN)
    return MAIN
