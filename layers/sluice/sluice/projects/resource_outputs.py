"""What a project's resources produce: the names of their tables in SQL, and their datasets."""

from __future__ import annotations

from collections.abc import Callable

from sluice.algorithms import registry
from sluice.catalog.definitions import Kind
from sluice.catalog.table import Write
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import table_of_algorithm
from sluice.services import WithDatasets


def algorithm_tables(name: str) -> list[str]:
    """The names in SQL of an algorithm's tables; empty if this release does not have the algorithm."""
    if name not in registry.names():
        return []
    return [table_of_algorithm(name, table) for table in registry.algorithm(name).tables]


# The kinds of resources that produce tables, each with the names in SQL of those of one resource.
_TABLES: dict[Kind, Callable[[str], list[str]]] = {"model": lambda name: [name], "algorithm": algorithm_tables}


def sql_names(kind: Kind, name: str) -> list[str]:
    """The names in the project's SQL of the tables of a model or algorithm; empty for other resources."""
    tables = _TABLES.get(kind)
    return tables(name) if tables is not None else []


def hide_writes(services: WithDatasets, project: str, kind: Kind, name: str, by: str) -> list[Write]:
    """The writes that hide what a resource has produced; versions stay in the lake.

    Args:
        by: the principal that deletes the resource.
    """
    outputs = sql_names(kind, name) or [name]
    return [
        write
        for output in outputs
        for write in services.datasets.hide_writes(DatasetId.of_project_resource(project, kind, output), by)
    ]
