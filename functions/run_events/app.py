"""The function `run_events`: brings runs to their end when their executions end; a sweep finds lost ones."""

from typing import Any

from sluice.container import container
from sluice.runs.dead_letters import take_up_undelivered
from sluice.runs.reconcile import reconcile_children, reconcile_execution, sweep


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a Step Functions status change, `{"sweep": true}` from a schedule, or `{"children_of"}` of a refresh.

    A refresh asks for its ingest runs to be reconciled before it merges, by the refresh's run id.
    """
    services = container()
    if "children_of" in event:
        reconcile_children(services, services.runs.get(event["children_of"]))
        return {"run": event["children_of"], "status": None}
    if event.get("sweep"):
        take_up_undelivered(services)
        return {"under_way": sweep(services, event.get("grace_seconds", 60))}
    run_id, run = reconcile_execution(services, event["detail"]["name"])
    return {"run": run_id, "status": run.status if run else None}
