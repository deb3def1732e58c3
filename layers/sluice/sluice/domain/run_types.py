"""What kinds of run there are: a new kind is one entry here, its stages, and its workflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RunType:
    """What all runs of a kind have in common.

    Args:
        workflow: the workflow that its executions are of.
        belongs_to: what it works for: a run that belongs to something that was deleted publishes nothing.
        folder: the folder of the lake for the versions that it makes in one piece.
        starts_ingests: whether it starts ingest runs, which end with it.
    """

    workflow: Literal["ingest", "refresh"]
    belongs_to: Literal["datasource", "project"]
    folder: str
    starts_ingests: bool = False


RUN_TYPES = {
    "ingest": RunType("ingest", "datasource", "records"),
    "refresh": RunType("refresh", "project", "merged", starts_ingests=True),
    "model": RunType("refresh", "project", "merged"),
    "report": RunType("refresh", "project", "merged"),
}
