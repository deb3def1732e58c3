"""The stages of a run of an algorithm: `prepare`, `solve` for each restart, and `finish`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sluice.algorithm_runs.steps import Steps
from sluice.domain.names import now, rfc3339
from sluice.domain.run import Run, cap_notes
from sluice.errors import RunStopped
from sluice.services import WithLake, WithRuns, WithSettings, WithSubtasks
from sluice.stages.work_items import work_items


class Services(WithRuns, WithLake, WithSettings, WithSubtasks, Protocol):
    """What the stages need."""


def prepare(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Prepare what all restarts are given, and list the restarts that are to be solved.

    Returns:
        `{"outcome", "layer"}`: `"single"` with `"number"` for one restart, `"parts"` with what `work_items` returns for
        several, `"done"` if an earlier attempt has solved all.

    Raises:
        AlgorithmFailed: the algorithm cannot work on its inputs.
    """
    run = services.runs.advance(run, progress={"stage": "prepare", "current": 0, "total": 1})
    steps = Steps(services, run, seconds_left)
    steps.check_origin()
    numbers = steps.prepare()
    total = steps.restarts
    solved = total - len(numbers)
    subtasks = services.subtasks.count(run.id, total)
    progress = {"stage": "solve", "current": solved, "total": total, "subtasks": subtasks.model_dump()}
    services.runs.advance(run, progress=progress)
    layer = steps.request.layer
    if not numbers:
        return {"outcome": "done", "layer": layer}
    if len(numbers) == 1:
        return {"outcome": "single", "number": numbers[0], "layer": layer}
    return {
        "outcome": "parts",
        "layer": layer,
        **work_items(services, run, steps.folder, "solve", numbers, layer=layer),
    }


def solve(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Solve one restart.

    Args:
        event: `"number"`, the restart's, from 0.

    Raises:
        AlgorithmFailed: the algorithm has failed.
    """
    services.runs.advance(run)
    steps = Steps(services, run, seconds_left)
    steps.require_origin()
    steps.solve(event["number"])
    return {"outcome": "done", "layer": steps.request.layer}


def finish(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Select the best restart, store the result, and end the run.

    Raises:
        AlgorithmFailed: a restart has no solution, or the algorithm has failed.
        RunStopped: the run was cancelled meanwhile.
    """
    steps = Steps(services, run, seconds_left)
    steps.require_origin()
    total = steps.restarts
    subtasks = services.subtasks.count(run.id, total)
    progress = {"stage": "finish", "current": 0, "total": 1, "subtasks": subtasks.model_dump()}
    run = services.runs.advance(run, progress=progress)
    stored = steps.finish()
    knowledge = steps.knowledge()
    ended = services.runs.finish(
        run,
        status="succeeded",
        finished_at=rfc3339(now()),
        fingerprint=stored.fingerprint,
        rows=sum(services.lake.manifest(key).rows for key in stored.tables.values()) if stored.tables else None,
        bytes=stored.document.bytes,
        completeness=knowledge.completeness,
        completeness_reasons=cap_notes(knowledge.reasons),
        stale=[entry.model_dump() for entry in knowledge.stale],
        warnings=cap_notes(stored.warnings),
        progress={**progress, "current": 1},
    )
    if not ended:
        raise RunStopped(f"The run {run.id} was stopped or redriven.")
    return {"outcome": "done"}


STAGES = {stage.__name__: stage for stage in (prepare, solve, finish)}
