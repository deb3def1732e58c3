"""What LocalStack's Step Functions answer for our functions, and how each case must end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


def _answers(*steps: dict[str, Any]) -> dict[str, Any]:
    return {str(position): step for position, step in enumerate(steps)}


def _outcome(name: str, **more: Any) -> dict[str, Any]:
    payload = {"outcome": name, "run_id": "r", "attempt": 1, **more}
    return {"Return": {"StatusCode": 200, "Payload": payload}}


_THROWN = {"Throw": {"Error": "Unavailable", "Cause": "again"}}
_FAILED = _outcome("failed", error="SourceRefused", cause="The upstream answered 403.")
_PLANNED = _outcome("done", bucket="lake", items_key="main/runs/r/items-1.json", ingests=2)
_NOTHING_PLANNED = _outcome("done", bucket="lake", items_key="main/runs/r/items-1.json", ingests=0)
_ITEM = {"kind": "model", "run_id": "r", "attempt": 1, "name": "m"}
_MERGED_STEP = _outcome("done", waves=[[_ITEM, _ITEM], [_ITEM]], reports=[_ITEM])
ANSWERS = {
    "merged": _answers(_MERGED_STEP),
    "merged twice": _answers(_MERGED_STEP, _MERGED_STEP),
    "made": {"0-9": _outcome("done")},
    "done": _answers(_outcome("done")),
    "done twice": _answers(_outcome("done"), _outcome("done")),
    "more": _answers(_outcome("more"), _outcome("more"), _outcome("done")),
    "stopped": _answers(_outcome("stopped")),
    "failed": _answers(_FAILED),
    "conflict": _answers(_outcome("conflict"), _outcome("done")),
    "thrown once": _answers(_THROWN, _outcome("done")),
    "thrown always": {"0-9": _THROWN},
    "planned": _answers(_PLANNED),
    "nothing planned": _answers(_NOTHING_PLANNED),
    "failed always": {"0-9": _FAILED},
    "ingested": {"0-1": {"Return": {"Status": "SUCCEEDED", "Output": {}}}},
    "not ingested": {"0-1": {"Throw": {"Error": "States.TaskFailed", "Cause": "the ingest run failed"}}},
}


@dataclass(frozen=True)
class Case:
    """One execution: what each state's function answers, and how it ends."""

    states: dict[str, str]
    status: str
    error: str | None = None
    extracts: int | None = None


_ALL = {"Fetch": "done", "Extract": "done", "Commit": "done"}
_MERGED = {
    "Plan": "planned",
    "Ingest": "ingested",
    "ReconcileIngests": "done",
    "Merge": "merged",
    "Model": "made",
    "Report": "made",
    "Publish": "done",
}
CASES = {
    "ingest": {
        "done": Case(_ALL, "SUCCEEDED"),
        "more": Case({**_ALL, "Fetch": "more"}, "SUCCEEDED"),
        "stopped": Case({"Fetch": "stopped"}, "SUCCEEDED"),
        "fetch-failed": Case({"Fetch": "failed"}, "FAILED", "SourceRefused"),
        "extract-failed": Case({**_ALL, "Extract": "failed"}, "FAILED", "SourceRefused"),
        "commit-failed": Case({**_ALL, "Commit": "failed"}, "FAILED", "SourceRefused"),
        "conflict": Case({**_ALL, "Extract": "done twice", "Commit": "conflict"}, "SUCCEEDED", extracts=2),
        "retried": Case({**_ALL, "Fetch": "thrown once"}, "SUCCEEDED"),
    },
    "refresh": {
        "done": Case(_MERGED, "SUCCEEDED"),
        "ingest-failed": Case({**_MERGED, "Ingest": "not ingested"}, "SUCCEEDED"),
        "stopped": Case({"Plan": "stopped"}, "SUCCEEDED"),
        "plan-failed": Case({"Plan": "failed"}, "FAILED", "SourceRefused"),
        "nothing-to-ingest": Case({**_MERGED, "Plan": "nothing planned"}, "SUCCEEDED"),
        "model-failed": Case({**_MERGED, "Model": "failed always"}, "FAILED", "SourceRefused"),
        "report-failed": Case({**_MERGED, "Report": "failed always"}, "FAILED", "SourceRefused"),
        "merge-failed": Case({**_MERGED, "Merge": "failed"}, "FAILED", "SourceRefused"),
        "conflict": Case({**_MERGED, "Merge": "merged twice", "Publish": "conflict"}, "SUCCEEDED"),
    },
}
MOCKS = {
    "StateMachines": {
        f"sluice-{kind}": {"TestCases": {name: case.states for name, case in cases.items()}}
        for kind, cases in CASES.items()
    },
    "MockedResponses": ANSWERS,
}
