"""The failure of a run, as an event."""

from __future__ import annotations

from typing import Any

from sluice.domain.event import Event
from sluice.domain.run import Run


class RunFailure(Event):
    """An attempt of a run has failed; the key is `failed/{owner}/{run}-{attempt}`.

    Args:
        run: the run's id.
        attempt: the attempt that has failed.
        error: why, as problem details.
        finished_at: RFC 3339 in UTC.
    """

    TYPE = "run.failed"
    PREFIX = "failed"

    run: str
    attempt: int
    kind: str
    datasource: str | None = None
    project: str | None = None
    trigger: str
    created_by: str
    error: dict[str, Any] | None = None
    finished_at: str

    @property
    def time(self) -> str:
        """When it happened, RFC 3339 in UTC."""
        return self.finished_at

    @property
    def scope(self) -> dict[str, str | None]:
        """The datasource or project of the run."""
        return {"datasource": self.datasource, "project": self.project}

    @property
    def data(self) -> dict[str, Any]:
        """The run and its error."""
        return self.model_dump(exclude={"key", "delivered", "delivered_to"})


def run_failure(run: Run, error: dict[str, Any] | None, finished_at: str) -> RunFailure:
    """The event of the failure of a run's current attempt.

    Args:
        error: why it has failed, as problem details.
        finished_at: RFC 3339 in UTC.
    """
    return RunFailure(
        key=f"{RunFailure.PREFIX}/{run.owner}/{run.id}-{run.attempt}",
        run=run.id,
        attempt=run.attempt,
        kind=run.kind,
        datasource=run.datasource,
        project=run.project,
        trigger=run.trigger,
        created_by=run.created_by,
        error=error,
        finished_at=finished_at,
    )
