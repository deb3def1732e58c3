"""The stages of a refresh that run an algorithm: `begin_algorithm` and `end_algorithm`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.container import Container
from sluice.domain.run import Run, execution_name
from sluice.errors import Unavailable
from sluice.stages.inputs import note_stage


def begin_algorithm(
    services: Container, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]
) -> dict[str, Any]:
    """Create the run of an algorithm for a refresh, unless one has the same fingerprint.

    Args:
        event: `"name"`, the algorithm.

    Returns:
        `{"outcome", "child", ...}`: `"run"` with the execution to start and its input, or `"done"` if the run has
        ended.

    Raises:
        AlgorithmFailed: the algorithm's inputs or parameters are not valid.
    """
    from sluice.algorithm_runs.refreshes import begin_run

    note_stage(services, run, "algorithm")
    child = begin_run(services, run, event["name"])
    begun = {"child": child.id, "name": event["name"]}
    if child.finished:
        return {"outcome": "done", **begun}
    layer = child.request.layer if child.request is not None else ""
    # The names of the child's fields differ from those of the refresh, which the runner adds.
    return {
        "outcome": "run",
        **begun,
        "child_attempt": child.attempt,
        "execution": execution_name(child),
        "layer": layer,
    }


def end_algorithm(
    services: Container, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]
) -> dict[str, Any]:
    """Take over the tables of an algorithm's run into the refresh.

    Args:
        event: `"child"`, the id of the run.

    Raises:
        AlgorithmFailed: the run has not succeeded.
        Unavailable: it has not ended yet, since another request has started it.
    """
    from sluice.algorithm_runs.refreshes import take_over
    from sluice.runs.reconcile import reconcile

    child = services.runs.get(event["child"])
    if not child.finished:
        child = reconcile(services, child)
    if not child.finished:
        raise Unavailable(f"The run {child.id} is still active.")
    take_over(services, run, child)
    return {"outcome": "done"}


STAGES = {stage.__name__: stage for stage in (begin_algorithm, end_algorithm)}
