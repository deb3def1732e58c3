"""The completeness of a version that adds to an earlier one."""

from __future__ import annotations

from sluice.domain.dataset import Manifest
from sluice.domain.run import MAX_NOTES, Completeness, cap_notes, least_complete


def carry_doubts(manifest: Manifest, before: Manifest | None, *, brings_whole: bool) -> None:
    """Record in a manifest which runs of the version were not complete.

    Appending to a version with missing records leaves them missing, so the new version is `unproven` at best, until the
    incomplete run is redriven.

    Args:
        manifest: the manifest of the new version; it is changed.
        before: the manifest that it adds to; None if there is none.
        brings_whole: whether each run reads everything the source has, so that an upsert after an incomplete run lacks
            nothing.
    """
    doubts: dict[str, Completeness] = {}
    if before is not None and not (brings_whole and manifest.disposition == "upsert"):
        doubts = dict(before.doubts)
        if not doubts and before.completeness != "complete":
            doubts = {before.run: before.completeness}  # written by a release before 0.3
    doubts.pop(manifest.run, None)
    own = manifest.completeness
    if doubts:
        reasons = [f"it contains the records of the run {run}, which was {state}" for run, state in doubts.items()]
        manifest.completeness = least_complete([own, "unproven"])
        manifest.completeness_reasons = cap_notes([*manifest.completeness_reasons, *reasons])
        manifest.warnings = cap_notes([*manifest.warnings, *reasons])
    if own != "complete":
        doubts[manifest.run] = own
    manifest.doubts = dict(list(doubts.items())[:MAX_NOTES])
