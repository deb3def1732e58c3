"""The stages `merge` and `partition`: the merge of a project, and one worker's part of a large one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.container import Container
from sluice.domain.project import Project
from sluice.domain.run import Run, capped


def merge(services: Container, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Merge what the project's datasources have published, test it, and say what is made of it.

    A merge that is too large for one call is done by workers: the answer `"parts"` names them, and
    this step is called again when they have ended, until nothing is left to be done.
    """
    from sluice.projects import refresh_outputs
    from sluice.stages import merge_steps

    project = Project.model_validate(services.definitions.get("project", run.project or "").document)
    if run.part is not None:
        return {"outcome": "done", **refresh_outputs.planned(services, run, None)}
    key = merge_steps.merged(services, run, project, event)
    if not isinstance(key, str):
        return {"outcome": "parts", **key}
    planned = refresh_outputs.planned(services, run, key)
    warnings = refresh_outputs.test_tables(services, run, project, services.lake.manifest(key))
    if warnings:
        noted = services.lake.manifest(key)
        noted.warnings = capped([*noted.warnings, *warnings])
        services.lake.put_json(key, noted.model_dump(mode="json"))
    return {"outcome": "done", **planned}


def partition(
    services: Container, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]
) -> dict[str, Any]:
    """Do one worker's part of a merge that is too large for one call."""
    from sluice.merge.parallel_merge import ParallelMerge

    services.runs.advance(run)
    ParallelMerge.opened(event["folder"], services.lake, services.settings).work(event["stage"], event["number"])
    return {"outcome": "done"}
