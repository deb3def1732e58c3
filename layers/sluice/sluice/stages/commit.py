"""The stage `commit`: creating and publishing the versions of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sluice.domain.dataset import Manifest
from sluice.domain.names import now, rfc3339
from sluice.domain.run import MAX_NOTES, Run, cap_notes
from sluice.errors import ModelFailed
from sluice.services import WithCommits, WithDefinitions, WithLake, WithRuns
from sluice.stages.runner import require_owner


class Services(WithDefinitions, WithCommits, WithLake, WithRuns, Protocol):
    """What the stage needs."""


def commit(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Create and publish the versions of a run, in one transaction.

    Args:
        event: `"manifest_key"` in an ingest run; other runs have listed their outputs in the lake.

    Returns:
        `{"outcome", "version"}`: the version of the run's own dataset; null in a dry run.

    Raises:
        ModelFailed: the run's model is a view, so there is nothing to publish.
        VersionConflict: another commit came first.
    """
    manifests = _manifests(services, run, event)
    if run.dry_run:
        return _finish_dry_run(services, run, manifests[0][1])
    finished = services.commits.commit(run, manifests, require_owner(services, run))
    return {"outcome": "done", "version": finished.version}


def _manifests(services: Services, run: Run, event: dict[str, Any]) -> list[tuple[str, Manifest]]:
    """The manifests of a run, each with its key: that of an ingest, or those of a refresh's outputs without views."""
    if "manifest_key" in event:
        return [(event["manifest_key"], services.lake.manifest(event["manifest_key"]))]
    # Imported here, since ingest runs commit without it and start sooner.
    from sluice.projects.refresh_outputs import outputs_of

    manifests = [
        (key, manifest)
        for _, key, manifest in outputs_of(services, run)
        if manifest.spec.get("model", {}).get("materialize", True)
    ]
    if not manifests:
        raise ModelFailed(f"The model {run.part} is a view, which is computed when it is read.")
    return manifests


def _finish_dry_run(services: Services, run: Run, manifest: Manifest) -> dict[str, Any]:
    """End a dry run: the run has the numbers of what a refresh would publish, and nothing is published."""
    services.runs.finish(
        run,
        status="partial" if manifest.completeness == "partial" else "succeeded",
        finished_at=rfc3339(now()),
        rows=manifest.rows,
        bytes=manifest.bytes,
        fingerprint=manifest.fingerprint,
        completeness=manifest.completeness,
        completeness_reasons=cap_notes(manifest.completeness_reasons),
        stale=[entry.model_dump() for entry in manifest.stale[:MAX_NOTES]],
        warnings=cap_notes([*manifest.warnings, "this was a dry run: nothing was published"]),
        progress={"stage": "commit", "current": 1, "total": 1},
    )
    return {"outcome": "done", "version": None}
