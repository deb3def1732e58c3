"""Grooming: the services of a traffic matrix become lightpaths and devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sluice.algorithms.algorithm import Algorithm, Input, Result, ResultTable, Solution, Task
from sluice.planning import clusters as cluster_documents
from sluice.planning.clusters import Clusters, parse_clusters
from sluice.planning.documents import below
from sluice.planning.grooming.check import check_grooming
from sluice.planning.grooming.document import GroomingResult
from sluice.planning.grooming.methods import groom_network, require_clusters
from sluice.planning.grooming.parameters import GroomingParameters
from sluice.planning.grooming.result import UNSUPPORTED
from sluice.planning.grooming.tables import grooming_tables
from sluice.planning.services import bits_of
from sluice.planning.topology import Topology, parse_topology
from sluice.planning.traffic import TrafficMatrix, parse_traffic, require_nodes


def read_documents(documents: Mapping[str, Any]) -> tuple[Topology, TrafficMatrix, Clusters | None]:
    """Check the inputs of grooming against each other.

    Args:
        documents: the documents `topology`, `traffic_matrix` and, if there are clusters, `clusters`.

    Raises:
        Invalid: a document is not valid, or a demand or cluster has a node that the topology has not; the pointers
            begin with the name of the input.
    """
    with below("topology"):
        topology = parse_topology(documents["topology"])
    with below("traffic_matrix"):
        matrix = parse_traffic(documents["traffic_matrix"])
        require_nodes(matrix, topology)
    if documents.get("clusters") is None:
        return topology, matrix, None
    with below("clusters"):
        clusters = parse_clusters(documents["clusters"])
        cluster_documents.require_nodes(clusters, topology)
    return topology, matrix, clusters


def solve(task: Task, prepared: Any, restart: int) -> Solution:
    """Groom all services."""
    return Solution(groom_network(*read_documents(task.documents), task.parameters))


def finish(task: Task, prepared: Any, document: dict[str, Any]) -> Result:
    """Add tables, and warn of what is not as asked for."""
    for warning in warnings_of(document):
        task.warn(warning)
    return Result(document, tables_of(document, task.parameters))


def tables_of(document: Mapping[str, Any], parameters: GroomingParameters) -> dict[str, ResultTable]:
    """The tables of a result, by name."""
    tables = grooming_tables(document, bits_of(parameters.rates))
    return {name: ResultTable.of(columns, rows) for name, (columns, rows) in tables.items()}


def warnings_of(document: Mapping[str, Any]) -> Iterator[str]:
    """What users should know of a result, as sentences."""
    for traffic in document["traffic"].values():
        for demand, result in traffic["low_rate_grooming_result"]["demands"].items():
            if not result["proven_minimal"]:
                yield (
                    f"The {len(result['groomouts'])} groomouts of the demand {demand!r} are not proven minimal: the "
                    "search stopped at `search_nodes`."
                )
        for demand, entries in traffic["remaining_services"]["demands"].items():
            for entry in entries.values():
                if entry["reason"] == UNSUPPORTED:
                    yield f"No device takes the {entry['count']} {entry['type']} services of the demand {demand!r}."


def check_inputs(documents: Mapping[str, Any], parameters: GroomingParameters) -> None:
    """Require all demands and clusters to have nodes of the topology, and clusters if the method needs them.

    Raises:
        Invalid: some have not; `errors` names them.
    """
    _, _, clusters = read_documents(documents)
    if parameters.method == "clustered":
        with below("clusters"):
            require_clusters(clusters)


def check(document: Mapping[str, Any], documents: Mapping[str, Any], parameters: GroomingParameters) -> None:
    """Require a result that was made by hand to fit topology and traffic matrix, if they are given.

    Raises:
        Invalid: it does not fit; `errors` has all faults.
    """
    topology = parse_topology(documents["topology"]) if "topology" in documents else None
    matrix = parse_traffic(documents["traffic_matrix"]) if "traffic_matrix" in documents else None
    check_grooming(GroomingResult.model_validate(document).model_dump(), topology, matrix, bits_of(parameters.rates))


ALGORITHM = Algorithm(
    title="Grooming",
    description="Packs the services of a traffic matrix into lightpaths of up to 100 Gb/s, and places the devices that "
    "they need in racks, shelves and slots.",
    layer="solver",
    inputs={
        "topology": Input(("topology",), "The physical topology, whose nodes the demands join."),
        "traffic_matrix": Input(("traffic_matrix",), "The demands and their services."),
        "clusters": Input(
            ("clusters",),
            "Clusters of nodes: the method `clustered` needs them; `advanced` and `intermediate` can use them.",
            required=False,
        ),
    },
    parameters=GroomingParameters,
    output=GroomingResult,
    solve=solve,
    finish=finish,
    check=check,
    check_inputs=check_inputs,
    tables={
        "lightpaths": "The lightpaths with their ends and capacities.",
        "devices": "The devices with their places.",
        "remaining": "The services without a lightpath.",
    },
    code=("sluice.planning",),
)
