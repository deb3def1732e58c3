"""The function `run_events`: reconciles runs whose execution has ended, and sweeps for lost ones."""

from typing import Any

from sluice.container import container
from sluice.runs.dead_letters import retry_undelivered
from sluice.runs.reconcile import reconcile_children, reconcile_execution, sweep


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a status change of Step Functions, `{"sweep": true}` from the sweep's schedule, or `{"children_of"}`.

    The last comes from a refresh, with its run id: its ingest runs are reconciled before it merges.

    Returns:
        The run and its status, or how many runs the sweep found under way.
    """
    services = container()
    if "children_of" in event:
        reconcile_children(services, services.runs.get(event["children_of"]))
        return {"run": event["children_of"], "status": None}
    if event.get("sweep"):
        under_way = sweep(services, event.get("grace_seconds", 60))
        retry_undelivered(services)  # last: an event that kills this function costs the runs no sweep
        return {"under_way": under_way}
    run_id, run = reconcile_execution(services, event["detail"]["name"])
    return {"run": run_id, "status": run.status if run else None}
