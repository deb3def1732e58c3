"""Algorithms within a refresh: their runs, and what the refresh takes over from them."""

from __future__ import annotations

from sluice.algorithm_runs.references import Scope
from sluice.algorithm_runs.requests import algorithm_run, claim, make_request
from sluice.algorithm_runs.results import stored_result
from sluice.container import Container
from sluice.domain.algorithm import AlgorithmStart
from sluice.domain.names import table_of_algorithm
from sluice.domain.run import Run
from sluice.errors import AlgorithmFailed, Invalid
from sluice.lake import object_keys
from sluice.projects.refresh_outputs import note_output, outputs_of
from sluice.versions.draft import assign_number


def begin_run(services: Container, refresh: Run, name: str) -> Run:
    """The run of an algorithm for a refresh, with the refresh's versions of the tables that it reads.

    Returns:
        A new run, which is stored and not started; or one with the same fingerprint, which may have ended.

    Raises:
        AlgorithmFailed: the inputs or parameters are not valid.
    """
    project = services.definitions.get("project", refresh.project or "")
    drafts = {table: (key, manifest) for table, key, manifest in outputs_of(services, refresh)}
    try:
        request = make_request(Scope(services, project.name, drafts), services, name, AlgorithmStart())
    except Invalid as error:
        raise AlgorithmFailed(f"The algorithm {name}: {error.detail}", error.errors) from None
    new = algorithm_run(project.name, name, request, refresh.created_by, trigger="refresh", parent=refresh.id)
    run, is_new = claim(services, project, new)
    if not is_new and not run.finished and run.parent != refresh.id:
        # A refresh cannot wait for what somebody else has started, and might cancel.
        run, is_new = claim(services, project, new, force=True)
    if is_new:
        # Named first, so that the run is stopped with the refresh whenever that is cancelled.
        services.lake.put_json(f"{object_keys.algorithm_children(refresh)}/{name}.json", {"run": run.id})
        run = services.runs.create(run)
    return run


def take_over(services: Container, refresh: Run, run: Run) -> None:
    """Make the tables of an algorithm's run outputs of a refresh.

    Args:
        run: the run, which has ended.

    Raises:
        AlgorithmFailed: the run has not succeeded.
    """
    if run.status != "succeeded":
        detail = (run.error or {}).get("detail", f"its run was {run.status}")
        raise AlgorithmFailed(f"The algorithm {run.algorithm}: {detail.rstrip('.')}. See the run {run.id}.")
    for table, key in stored_result(services.lake, run).tables.items():
        manifest = services.lake.manifest(key)
        pointer = services.datasets.pointer(manifest.dataset)
        assign_number(manifest, pointer)
        manifest.base = pointer.published or 0
        adopted = object_keys.adopted_manifest(run, refresh, table)
        services.lake.put_json(adopted, manifest.model_dump(mode="json"))
        note_output(services, refresh, table_of_algorithm(run.algorithm or "", table), adopted)
