"""Clusters of nodes as inputs."""

from __future__ import annotations

from typing import Any

from sluice.inputs.kind import InputKind
from sluice.planning.clusters import cluster_faults, parse_clusters, require_nodes
from sluice.planning.topology import parse_topology


def _require_topology(clusters: Any, topology: Any) -> None:
    require_nodes(parse_clusters(clusters), parse_topology(topology))


KIND = InputKind(
    "clusters",
    "Clusters",
    "Groups of nodes, each with a gateway for its traffic to other groups.",
    cluster_faults,
    fits={"topology": _require_topology},
)
