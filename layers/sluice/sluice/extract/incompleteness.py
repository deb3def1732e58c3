"""What a version that adds to an earlier one says of the runs before its own."""

from __future__ import annotations

from sluice.domain.dataset import Manifest
from sluice.domain.run import MAX_NOTES, Completeness, cap_notes, least_complete


def carry_doubts(manifest: Manifest, before: Manifest | None, *, brings_whole: bool) -> None:
    """Have a version that adds to another say which of its runs were not complete.

    A run that appends to a version with missing records leaves them missing, so its version is
    `unproven` at best, until the run in doubt is redriven.

    Args:
        before: the manifest that this one adds to; null where there is none.
        brings_whole: whether each run brings all that the source has, so that an upsert after it
            lacks nothing.
    """
    doubts: dict[str, Completeness] = {}
    if before is not None and not (brings_whole and manifest.disposition == "upsert"):
        doubts = dict(before.doubts)
        if not doubts and before.completeness != "complete":
            doubts = {before.run: before.completeness}  # a release before 0.3 wrote it
    doubts.pop(manifest.run, None)
    own = manifest.completeness
    if doubts:
        reasons = [f"it holds the records of the run {run}, which was {state}" for run, state in doubts.items()]
        manifest.completeness = least_complete([own, "unproven"])
        manifest.completeness_reasons = cap_notes([*manifest.completeness_reasons, *reasons])
        manifest.warnings = cap_notes([*manifest.warnings, *reasons])
    if own != "complete":
        doubts[manifest.run] = own
    manifest.doubts = dict(list(doubts.items())[:MAX_NOTES])
