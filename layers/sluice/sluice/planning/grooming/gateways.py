"""Gateways: the nodes that the traffic of others passes."""

from __future__ import annotations

from collections.abc import Mapping

from sluice.domain.base import json_pointer
from sluice.errors import Invalid
from sluice.planning.clusters import Clusters
from sluice.planning.grooming.result import MAIN

# The gateway of each node that has one.
GatewayOf = Mapping[str, str]


def cluster_gateways(clusters: Clusters) -> dict[str, str]:
    """The gateway of each node of a cluster: the first gateway, also of the other gateways.

    Args:
        clusters: the clusters.

    Returns:
        Gateways by node; the first gateway of a cluster has one only if it is a subnode of another cluster.

    Raises:
        Invalid: a cluster has the id `main`, or clusters are each other's subnodes.
    """
    if MAIN in clusters.clusters:
        message = "The id `main` is reserved for what is in no cluster. Choose another id."
        raise Invalid(message, [{"pointer": json_pointer(("clusters", MAIN)), "message": message}])
    gateway_of: dict[str, str] = {}
    for cluster in clusters.clusters.values():
        for node in cluster.data.subnodes:
            gateway_of[node] = cluster.data.gateways[0]
    first = {cluster.data.gateways[0] for cluster in clusters.clusters.values()}
    for cluster in clusters.clusters.values():
        for node in cluster.data.gateways[1:]:
            if node not in first:
                gateway_of.setdefault(node, cluster.data.gateways[0])
    _require_no_circle(clusters, gateway_of)
    return gateway_of


def cluster_of(clusters: Clusters) -> dict[str, str]:
    """The id of the cluster of each node that `cluster_gateways` gives a gateway."""
    gateway_of = cluster_gateways(clusters)
    owners: dict[str, str] = {}
    for field in ("subnodes", "gateways"):
        for id, cluster in clusters.clusters.items():
            for node in getattr(cluster.data, field):
                if gateway_of.get(node) == cluster.data.gateways[0]:
                    owners.setdefault(node, id)
    return owners


def climb(gateway_of: GatewayOf, node: str) -> list[str]:
    """A node, its gateway, that one's gateway, and so on."""
    nodes = [node]
    while nodes[-1] in gateway_of:
        nodes.append(gateway_of[nodes[-1]])
    return nodes


def waypoints(gateway_of: GatewayOf, source: str, destination: str) -> tuple[list[str], list[str]]:
    """The gateways between two nodes.

    Args:
        gateway_of: the gateways.
        source: the first node.
        destination: the last node.

    Returns:
        Two lists of nodes. The first begins at the source, the second ends at the destination. The first one ends
        where the second begins if both nodes have a gateway in common; otherwise both have their last gateways there.
    """
    up, down = climb(gateway_of, source), climb(gateway_of, destination)
    shared = next((node for node in up if node in down), None)
    if shared is not None:
        up, down = up[: up.index(shared) + 1], down[: down.index(shared) + 1]
    return up, down[::-1]


def _require_no_circle(clusters: Clusters, gateway_of: GatewayOf) -> None:
    for id, cluster in clusters.clusters.items():
        node = gateway = cluster.data.gateways[0]
        for _ in gateway_of:
            node = gateway_of.get(node, "")
            if node == gateway:
                message = f"The gateway {gateway!r} is, over other clusters, a subnode of its own cluster {id!r}."
                pointer = json_pointer(("clusters", id, "data", "gateways", 0))
                raise Invalid(message, [{"pointer": pointer, "message": message}])
