"""The outputs of a refresh: the merge, models and algorithms in waves, reports; and the manifests written so far.

The list of outputs is written once, after the merge. The key of each output's manifest is stored in an
object of its own, since models and reports are computed in parallel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from sluice.domain.dataset import Manifest
from sluice.domain.run import Run
from sluice.domain.sql_query import SqlError
from sluice.errors import ModelFailed, NotFound
from sluice.lake import object_keys
from sluice.models.graph import waves
from sluice.models.project_tables import MERGED, ProjectTables
from sluice.projects.refresh_nodes import algorithm_of, algorithms_of, node_reads
from sluice.projects.resource_outputs import algorithm_tables
from sluice.projects.tables import TableServices, models_of, tables_with
from sluice.services import WithLake, WithResources


class OutputServices(WithLake, WithResources, Protocol):
    """What storing the outputs of a run needs."""


def planned_outputs(services: OutputServices, run: Run, merged_key: str | None) -> dict[str, Any]:
    """Decide which outputs a run has after the merge, and store the list.

    Args:
        merged_key: the key of the merge's manifest; None in a run of one model or report.

    Returns:
        `{"waves": [[item]], "reports": [item]}`, each item the event of one call. A wave has the models and
        algorithms that read none of their own or a later wave; `kind` tells which of the two an item is.

    Raises:
        NotFound: the model or report of the run was deleted.
        ModelFailed: models and algorithms read each other in a circle.
    """
    project = run.project or ""
    reads = node_reads(models_of(services, project), algorithms_of(services, project))
    reports = sorted(services.resources.all("report", project))
    if run.part is not None:
        reads = {name: reads[name] for name in ({run.part} & set(reads) if run.kind == "model" else ())}
        reports = [name for name in reports if run.kind == "report" and name == run.part]
        if not reads and not reports:
            raise NotFound(f"The {run.kind} {run.part!r} was deleted.")
    try:
        order = waves(reads)
    except SqlError as error:
        raise ModelFailed(f"The refresh has no order: {error}.") from None
    tables = [table for wave in order for node in wave for table in _tables_of(node)]
    names = [*([MERGED] if merged_key else []), *tables]
    services.lake.put_json(object_keys.parts(run), [*names, *(report_output(name) for name in reports)])
    if merged_key is not None:
        note_output(services, run, MERGED, merged_key)

    def item(name: str) -> dict[str, Any]:
        return {"run_id": run.id, "attempt": run.attempt, "name": name}

    def node(name: str) -> dict[str, Any]:
        algorithm = algorithm_of(name)
        return {**item(algorithm or name), "kind": "algorithm" if algorithm else "model"}

    return {"waves": [[node(name) for name in wave] for wave in order], "reports": [item(name) for name in reports]}


def _tables_of(node: str) -> list[str]:
    algorithm = algorithm_of(node)
    return [node] if algorithm is None else algorithm_tables(algorithm)


def report_output(name: str) -> str:
    """The name of a report among a run's outputs, which differs from that of a model of the same name."""
    return f"report/{name}"


def note_output(services: WithLake, run: Run, name: str, manifest_key: str) -> None:
    """Store the key of an output's manifest, for later outputs and for the commit.

    Args:
        name: the table's name, or what `report_output` returns.
    """
    services.lake.put_json(object_keys.part(run, name), {"manifest_key": manifest_key})


def outputs_of(services: WithLake, run: Run) -> Iterator[tuple[str, str, Manifest]]:
    """The outputs of a run so far, the merge first: name, manifest key and manifest."""
    for name in services.lake.find_json(object_keys.parts(run)) or []:
        output = services.lake.find_json(object_keys.part(run, name))
        if output is not None:
            yield name, output["manifest_key"], services.lake.manifest(output["manifest_key"])


def run_tables(services: TableServices, run: Run) -> ProjectTables:
    """The tables of a project as the models and reports of a run read them."""
    project = run.project or ""
    outputs = {name: manifest for name, _, manifest in outputs_of(services, run)}
    return tables_with(services, project, outputs)
