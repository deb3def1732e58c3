"""The kinds of run. A new kind is an entry here, its stages in `sluice/stages`, and its workflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RunType:
    """What all runs of a kind share.

    Args:
        workflow: the state machine of its executions: `workflows/{workflow}.asl.json`.
        stages: the stages that the workflow calls; a function refuses to do any other for such a run.
        belongs_to: what a run belongs to. A run that belongs to something that was deleted publishes nothing.
        action: the action of the access policy that starting such a run requires.
        folder: the lake folder of the versions that it publishes as a whole.
        starts_ingests: whether it starts ingest runs, which end when it ends.
    """

    workflow: str
    stages: tuple[str, ...]
    belongs_to: Literal["datasource", "project"]
    action: str
    folder: str
    starts_ingests: bool = False


_REFRESH = ("plan", "merge", "partition", "model", "begin_algorithm", "end_algorithm", "report", "commit")
RUN_TYPES = {
    "ingest": RunType("ingest", ("fetch", "extract", "commit"), "datasource", "datasource.run", "records"),
    "refresh": RunType("refresh", _REFRESH, "project", "project.run", "merged", starts_ingests=True),
    "model": RunType("refresh", _REFRESH, "project", "project.run", "merged"),
    "report": RunType("refresh", _REFRESH, "project", "project.run", "merged"),
    "erase": RunType("erase", ("erase",), "datasource", "datasource.erase", "records"),
    "algorithm": RunType("algorithm", ("prepare", "solve", "finish"), "project", "project.run", "algorithms"),
    # A result that was made by hand has ended when it is stored.
    "manual": RunType("algorithm", (), "project", "project.run", "algorithms"),
}
