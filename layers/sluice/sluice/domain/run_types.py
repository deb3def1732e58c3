"""What kinds of run there are: a new kind is one entry here, its stages in `sluice/stages`, and its workflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RunType:
    """What all runs of a kind have in common.

    Args:
        workflow: the state machine that its executions are of: `workflows/{workflow}.asl.json`.
        stages: the stages that its workflow calls; a function refuses to do any other for such a run.
        belongs_to: what it works for: a run that belongs to something that was deleted publishes nothing.
        action: what the access policy asks of those who start one.
        folder: the folder of the lake for the versions that it publishes.
        starts_ingests: whether it starts ingest runs, which end with it.
    """

    workflow: str
    stages: tuple[str, ...]
    belongs_to: Literal["datasource", "project"]
    action: str
    folder: str
    starts_ingests: bool = False


_REFRESH = ("plan", "merge", "partition", "model", "report", "commit")
RUN_TYPES = {
    "ingest": RunType("ingest", ("fetch", "extract", "commit"), "datasource", "datasource.run", "records"),
    "refresh": RunType("refresh", _REFRESH, "project", "project.run", "merged", starts_ingests=True),
    "model": RunType("refresh", _REFRESH, "project", "project.run", "merged"),
    "report": RunType("refresh", _REFRESH, "project", "project.run", "merged"),
}
