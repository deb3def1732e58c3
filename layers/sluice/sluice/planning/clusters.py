"""Clusters: groups of nodes whose traffic to other clusters passes a gateway."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sluice.domain.base import Document
from sluice.planning.documents import Fault, fault, field_faults, members, parse_document, require_none
from sluice.planning.topology import Topology


class ClusterData(Document):
    """The nodes of a cluster."""

    gateways: list[str] = Field(min_length=1, description="The names of the gateways; only the first one is used.")
    subnodes: list[str] = Field(description="The names of the other nodes; each is in one cluster only.")
    color: str | None = Field(None, description="The colour in which maps draw it. It does not change any result.")
    type: Literal["100GE", "200GE"] = Field("100GE", description="Kept, not used.")


class Cluster(Document):
    """A cluster."""

    id: str = Field(description="The id, equal to the cluster's key.")
    name: str = Field(min_length=1, description="The name that people see.")
    data: ClusterData = Field(description="The nodes.")


class Clusters(Document):
    """The clusters of a network."""

    clusters: dict[str, Cluster] = Field(description="The clusters by id.")


def cluster_faults(document: Any) -> list[Fault]:
    """Everything that is wrong with clusters, field by field.

    Args:
        document: the parsed JSON.

    Returns:
        A JSON Pointer and a message for each fault; empty for valid clusters.
    """
    faults = field_faults(Clusters, document)
    owners: dict[str, str] = {}
    for key, cluster in members(document, "clusters"):
        if isinstance(cluster.get("id"), str) and cluster["id"] != key:
            faults.append(fault(("clusters", key, "id"), f"The id must be equal to the key, {key!r}."))
        gateways = dict.fromkeys(_names(cluster, "gateways").values(), "is a gateway of this cluster")
        faults += _repeated(("clusters", key, "data", "gateways"), _names(cluster, "gateways"), {})
        subnodes = _names(cluster, "subnodes")
        faults += _repeated(("clusters", key, "data", "subnodes"), subnodes, {**owners, **gateways})
        owners |= dict.fromkeys(subnodes.values(), f"is in the cluster {key!r} already")
    return faults


def parse_clusters(document: Any) -> Clusters:
    """Check clusters.

    Args:
        document: the parsed JSON.

    Raises:
        Invalid: the clusters are not valid; `errors` has all faults.
    """
    return parse_document(Clusters, document, cluster_faults(document), "document of clusters")


def require_nodes(clusters: Clusters, topology: Topology) -> None:
    """Require the gateways and subnodes of all clusters to be nodes of a topology.

    Raises:
        Invalid: some are not; `errors` names each cluster and node.
    """
    names = {node.name for node in topology.nodes}
    faults = [
        fault(
            ("clusters", key, "data", field, index),
            f"The cluster {key!r} contains {name!r}, which is no node of the topology.",
        )
        for key, cluster in clusters.clusters.items()
        for field, listed in (("gateways", cluster.data.gateways), ("subnodes", cluster.data.subnodes))
        for index, name in enumerate(listed)
        if name not in names
    ]
    require_none(faults)


def _repeated(path: tuple[str | int, ...], names: dict[int, str], taken: dict[str, str]) -> list[Fault]:
    """The names of a list that may not be there.

    Args:
        path: where the list is.
        names: the names by index.
        taken: why a name may not be in this list.
    """
    faults, reasons = [], dict(taken)
    for index, name in names.items():
        if name in reasons:
            faults.append(fault((*path, index), f"{name!r} {reasons[name]}."))
        reasons.setdefault(name, "is in this list already")
    return faults


def _names(cluster: dict[str, Any], field: str) -> dict[int, str]:
    """The texts in a list of a cluster's data, by their indexes."""
    data = cluster.get("data")
    values = data.get(field) if isinstance(data, dict) else None
    return (
        {index: name for index, name in enumerate(values) if isinstance(name, str)} if isinstance(values, list) else {}
    )
