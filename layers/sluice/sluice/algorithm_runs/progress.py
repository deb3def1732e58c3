"""How far a run of an algorithm is, as readers see it."""

from __future__ import annotations

from typing import Protocol

from sluice.domain.run import Run
from sluice.services import WithSubtasks

_SOLVE = "solve"


def with_counts(services: WithCounts, run: Run) -> Run:
    """A run with the present counts of its restarts, if solving them is its last stage; any other run as it is."""
    progress = run.progress
    if progress is None or progress.subtasks is None or progress.stage != _SOLVE:
        return run
    counts = services.subtasks.count(run.id, progress.subtasks.total)
    if run.finished:
        # A function that was killed could not say so.
        counts = counts.model_copy(update={"running": 0, "failed": counts.failed + counts.running})
    current = progress.current if counts.total == 1 else counts.succeeded
    return run.model_copy(update={"progress": progress.model_copy(update={"current": current, "subtasks": counts})})


class WithCounts(WithSubtasks, Protocol):
    """What counting restarts needs."""
