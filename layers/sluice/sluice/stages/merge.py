"""The stages `merge` and `partition`: merging a project, and the workers of a merge in parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from sluice.domain.names import now
from sluice.domain.project import Project
from sluice.domain.run import Run, cap_notes
from sluice.domain.source_use import fetch_summary
from sluice.services import (
    WithAssignments,
    WithDatasets,
    WithDefinitions,
    WithLake,
    WithResources,
    WithRuns,
    WithSandbox,
    WithSettings,
    WithTestResults,
)

if TYPE_CHECKING:
    from sluice.merge.merger import Merged
    from sluice.merge.parallel_merge import ParallelMerge


class Services(
    WithDefinitions,
    WithAssignments,
    WithResources,
    WithDatasets,
    WithLake,
    WithRuns,
    WithSettings,
    WithSandbox,
    WithTestResults,
    Protocol,
):
    """What the stage needs."""


def merge(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Merge the published versions of a project's datasources, run the tests, and list the outputs that follow.

    A merge that is too large for one call is divided among workers. Then the outcome is `"parts"`, and the
    stage is called again after the workers, until none of their stages is left.

    Args:
        event: after workers, `"folder"` and `"stage"` as the previous call returned them.

    Returns:
        `{"outcome": "done"}` with what `planned_outputs` returns, or `{"outcome": "parts"}` with what
        `work_items` returns.

    Raises:
        TestsFailed: a test of severity `error` has failed.
    """
    from sluice.projects.refresh_outputs import planned_outputs
    from sluice.projects.table_tests import test_merge

    if run.part is not None:  # a run of one model or report, which reads the published merge
        return {"outcome": "done", **planned_outputs(services, run, None)}
    project = Project.model_validate(services.definitions.get("project", run.project or "").document)
    merged = _merge(services, run, project, event)
    if isinstance(merged, dict):
        return {"outcome": "parts", **merged}
    warnings = test_merge(services, run, project, merged.manifest)
    merged.manifest.warnings = cap_notes([*merged.manifest.warnings, *warnings])
    # Only now, so that the manifest has the warnings of the tests and is written once.
    services.lake.put_json(merged.key, merged.manifest.model_dump(mode="json"))
    return {"outcome": "done", **planned_outputs(services, run, merged.key)}


def partition(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Run one worker of a merge in parts.

    Args:
        event: `"folder"`, `"stage"` and `"number"`, which identify the worker.
    """
    from sluice.merge.parallel_merge import ParallelMerge

    services.runs.advance(run)
    ParallelMerge.open(event["folder"], services.lake, services.settings).work(event["stage"], event["number"])
    return {"outcome": "done"}


def _merge(services: Services, run: Run, project: Project, event: dict[str, Any]) -> Merged | dict[str, Any]:
    """Merge, or begin or continue a merge in parts.

    Returns:
        The merge, whose manifest is not written yet; or what `work_items` returns, if workers must run first.
    """
    from sluice.merge.merger import Merger
    from sluice.merge.parallel_merge import ParallelMerge
    from sluice.projects.overrides import overrides_of
    from sluice.runs.plan import refreshable_datasources

    if "folder" in event:
        return _next_stage(services, run, ParallelMerge.open(event["folder"], services.lake, services.settings), event)
    failures = _failures(services, run)
    merger = Merger(services.datasets, services.lake, services.settings, overrides_of(services, project.slug))
    assigned = services.assignments.of_project(project.slug)
    refreshable = {datasource.slug for datasource in refreshable_datasources(services, assigned)}
    merged = merger.merge(run, project, assigned, failures, refreshable)
    return _next_stage(services, run, merged, event) if isinstance(merged, ParallelMerge) else merged


def _next_stage(
    services: Services, run: Run, parallel: ParallelMerge, event: dict[str, Any]
) -> Merged | dict[str, Any]:
    """The workers of the next stage of a merge in parts, or the merge if no stage is left."""
    from sluice.merge.merger import finish_parallel
    from sluice.merge.parallel_merge import STAGES
    from sluice.stages.work_items import work_items

    following = parallel.next_stage(event.get("stage"))
    if following is None:
        return finish_parallel(parallel)
    stage, numbers = following
    progress = {"stage": "merge", "current": STAGES.index(stage), "total": len(STAGES)}
    services.runs.advance(run, progress=progress)
    return work_items(services, run, parallel.folder, stage, numbers)


def _failures(services: Services, run: Run) -> dict[str, str]:
    """The reasons why datasources could not be ingested for a refresh, by slug."""
    from sluice.runs.plan import children, settle_sources

    ingests = children(services, run)
    sources = settle_sources(run.sources, ingests)
    # Before the inputs are read: the event `merge` in the timeline tells the follower `refresh_on_change` that a
    # version published later is not in this merge and needs a refresh of its own.
    services.runs.advance(
        run,
        progress={"stage": "merge", "current": 0, "total": None},
        sources=[source.model_dump() for source in sources],
        summary=fetch_summary(sources, now()),
    )
    failures: dict[str, str] = {}
    for child in ingests:
        failures.pop(child.datasource or "", None)
        if child.status not in ("succeeded", "partial") and not _succeeded_since(services, child):
            failures[child.datasource or ""] = (child.error or {}).get(
                "detail", f"its run {child.id} was {child.status}"
            )
    return failures


def _succeeded_since(services: Services, ingest: Run) -> bool:
    """Whether another ingest of the same datasource has succeeded since this one was started."""
    checked_at = services.datasets.pointer(ingest.owner).checked_at
    return checked_at is not None and checked_at >= ingest.created_at
