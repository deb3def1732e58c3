"""What a refresh computes after the merge, models and algorithms, and which of them read which."""

from __future__ import annotations

from collections.abc import Mapping

from sluice.domain.algorithm import ProjectAlgorithm
from sluice.domain.model import Model
from sluice.domain.reference import parse_reference
from sluice.domain.sql_query import SqlError
from sluice.models.graph import required_models, tables_read_by, waves
from sluice.projects.resource_outputs import algorithm_tables
from sluice.services import WithResources

_ALGORITHM = "algorithm/"


def algorithms_of(services: WithResources, project: str) -> dict[str, ProjectAlgorithm]:
    """The algorithms that each refresh of a project runs, by name."""
    stored = services.resources.all("algorithm", project)
    settings = {name: ProjectAlgorithm.model_validate(resource.document) for name, resource in stored.items()}
    return {name: document for name, document in settings.items() if document.on_refresh}


def tables_of_algorithms(services: WithResources, project: str) -> set[str]:
    """The names in SQL of the tables of all algorithms that a project's refreshes run."""
    return {table for name in algorithms_of(services, project) for table in algorithm_tables(name)}


def algorithm_node(name: str) -> str:
    """The name of an algorithm among the nodes, which differs from that of a model of the same name."""
    return _ALGORITHM + name


def algorithm_of(node: str) -> str | None:
    """The name of the algorithm of a node; None for a model."""
    return node.removeprefix(_ALGORITHM) if node.startswith(_ALGORITHM) else None


def node_reads(models: Mapping[str, Model], algorithms: Mapping[str, ProjectAlgorithm]) -> dict[str, set[str]]:
    """The nodes of a refresh, each with the nodes that it reads.

    Args:
        models: the models by name; a model's node has its name.
        algorithms: the algorithms by name; see `algorithm_node`.
    """
    nodes = {name: name for name in models}
    nodes |= {table: algorithm_node(name) for name in algorithms for table in algorithm_tables(name)}
    reads = {name: tables_read_by(name, model) for name, model in models.items()}
    reads |= {algorithm_node(name): tables_read(settings) for name, settings in algorithms.items()}
    return {node: {nodes[table] for table in tables if table in nodes} for node, tables in reads.items()}


def tables_read(settings: ProjectAlgorithm) -> set[str]:
    """The tables that an algorithm reads in the version of the refresh: those without a version in the reference."""
    references = (parse_reference(text) for text in settings.inputs.values() if text is not None)
    return {reference.name for reference in references if reference.is_table and reference.version is None}


def circle(models: Mapping[str, Model], algorithms: Mapping[str, ProjectAlgorithm], node: str) -> str | None:
    """The circle that a model or algorithm closes, as a sentence; None if it closes none.

    Args:
        node: the model's name, or what `algorithm_node` returns.
    """
    reads = node_reads(models, algorithms)
    required = required_models(reads, reads[node])
    if node not in required:
        return None
    try:
        waves({other: reads[other] for other in required})
    except SqlError as error:
        return f"{str(error)[0].upper()}{str(error)[1:]}."
    return None
