"""The stages `merge` and `partition`: the merge of a project, and one worker's part of a large one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.bootstrap import Platform
from sluice.domain.project import Project
from sluice.domain.run import Run, capped


def merge(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Merge what the project's datasources have published, test it, and say what is made of it.

    A merge that is too large for one call is done by workers: the answer `"parts"` names them, and
    this step is called again when they have ended, until nothing is left to be done.
    """
    from sluice.runs import merging, parts

    project = Project.model_validate(services.definitions.get("project", run.project or "").document)
    if run.part is not None:
        return {"outcome": "done", **parts.planned(services, run, None)}
    key = merging.merged(services, run, project, event)
    if not isinstance(key, str):
        return {"outcome": "parts", **key}
    planned = parts.planned(services, run, key)
    warnings = parts.test_tables(services, run, project, services.lake.manifest(key))
    if warnings:
        noted = services.lake.manifest(key)
        noted.warnings = capped([*noted.warnings, *warnings])
        services.lake.put_json(key, noted.model_dump(mode="json"))
    return {"outcome": "done", **planned}


def partition(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Do one worker's part of a merge that is too large for one call."""
    from sluice.merge.parts import PartsOfMerge

    services.runs.advance(run)
    PartsOfMerge.opened(event["folder"], services.lake, services.settings).work(event["stage"], event["number"])
    return {"outcome": "done"}
