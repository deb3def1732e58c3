"""Merging for a run: in one call, or by workers that are named for the workflow's map."""

from __future__ import annotations

from typing import Any

from sluice.container import Container
from sluice.domain.project import Project
from sluice.domain.run import Run
from sluice.merge.merger import Merger
from sluice.merge.parallel_merge import STAGES, ParallelMerge
from sluice.projects.overrides import overrides_of
from sluice.runs.plan import children
from sluice.runs.reconcile import reconcile
from sluice.stages.work_items import work_items


def merged(services: Container, run: Run, project: Project, event: dict[str, Any]) -> str | dict[str, Any]:
    """The key of the manifest that a merge has written; or what is to be done before there is one.

    Args:
        event: what the merge has answered before, once its workers have ended: `"folder"` and `"stage"`.

    Returns:
        The key, or `{"bucket", "items_key", "folder", "stage"}`.
    """
    merger = Merger(services.datasets, services.lake, services.settings, overrides_of(services, project.slug))
    if "folder" in event:
        made: str | ParallelMerge = ParallelMerge.opened(event["folder"], services.lake, services.settings)
    else:
        failures = _failures(services, run)
        made = merger.merge(run, project, services.assignments.of_project(project.slug), failures)
    if isinstance(made, str):
        return made
    following = made.next_stage(event.get("stage"))
    if following is None:
        return merger.merged(made)
    stage, numbers = following
    progress = {"stage": "merge", "current": STAGES.index(stage), "total": len(STAGES)}
    services.runs.advance(run, progress=progress)
    return work_items(services, run, made.folder, stage, numbers)


def _failures(services: Container, run: Run) -> dict[str, str]:
    """Why datasources could not be ingested for a refresh, by their slugs; its children are settled."""
    ended = [reconcile(services, child) for child in children(services, run)]
    # Only now: what a child publishes from here on needs a refresh of its own.
    services.runs.advance(run, progress={"stage": "merge", "current": 0, "total": None})
    failures: dict[str, str] = {}
    for child in ended:
        failures.pop(child.datasource or "", None)
        if child.status not in ("succeeded", "partial"):
            failures[child.datasource or ""] = (child.error or {}).get(
                "detail", f"its run {child.id} was {child.status}"
            )
    return failures
