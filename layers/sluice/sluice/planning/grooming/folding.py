"""Folding of nodes at the edge of a network onto gateways, and the network that is left."""

from __future__ import annotations

from collections.abc import Mapping

from sluice.planning.clusters import Clusters
from sluice.planning.grooming.gateways import GatewayOf, climb, cluster_gateways
from sluice.planning.topology import Topology

# The length in km of the link to each neighbour of each node.
Graph = dict[str, dict[str, float]]


def graph_of(topology: Topology) -> Graph:
    """The links of each node."""
    graph: Graph = {node.name: {} for node in topology.nodes}
    for link in topology.links:
        graph[link.source][link.destination] = graph[link.destination][link.source] = link.length
    return graph


def fold(topology: Topology, clusters: Clusters | None) -> dict[str, str]:
    """The gateways of the nodes at the edge of a network.

    Args:
        topology: the network.
        clusters: the user's clusters.

    Returns:
        The gateway of each node of a cluster; of each other node with one link: its neighbour; and of the nodes of
        corner loops, which are chains of nodes with two links that begin and end at one node: that node.
    """
    gateway_of = cluster_gateways(clusters) if clusters else {}
    kept = {cluster.data.gateways[0] for cluster in clusters.clusters.values()} if clusters else set()
    graph = graph_of(topology)
    for node, neighbours in graph.items():
        neighbour = next(iter(neighbours), "")
        # Of two nodes that have only each other, one stays.
        if len(neighbours) == 1 and node not in gateway_of and node not in kept and gateway_of.get(neighbour) != node:
            gateway_of[node] = neighbour
    for node in _without(graph, gateway_of):
        gateway_of.update(dict.fromkeys(_corner_loop(_without(graph, gateway_of), node, kept), node))
    return gateway_of


def contract(topology: Topology, gateway_of: GatewayOf) -> Graph:
    """The network in which each folded node is a part of its last gateway.

    Args:
        topology: the network.
        gateway_of: the gateways.

    Returns:
        The links between nodes that are not folded; of several between two nodes the shortest.
    """
    graph: Graph = {node.name: {} for node in topology.nodes if node.name not in gateway_of}
    for link in topology.links:
        source, destination = climb(gateway_of, link.source)[-1], climb(gateway_of, link.destination)[-1]
        if source != destination:
            length = min(link.length, graph[source].get(destination, link.length))
            graph[source][destination] = graph[destination][source] = length
    return graph


def _without(graph: Graph, folded: Mapping[str, str]) -> Graph:
    return {
        node: {other: length for other, length in neighbours.items() if other not in folded}
        for node, neighbours in graph.items()
        if node not in folded
    }


def _corner_loop(graph: Graph, anchor: str, kept: set[str]) -> list[str]:
    """The nodes of all corner loops at a node of more than two links."""
    nodes: list[str] = []
    if len(graph.get(anchor, {})) < 3:
        return nodes
    for neighbour in graph[anchor]:
        chain, previous = [neighbour], anchor
        while len(graph[chain[-1]]) == 2 and chain[-1] not in kept:
            following = next(node for node in graph[chain[-1]] if node != previous)
            if following == anchor:
                nodes += chain
                break
            previous = chain[-1]
            chain.append(following)
    return nodes
