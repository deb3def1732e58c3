"""The function `run_events`: an execution's end is a run's last word; a sweep finds lost ones."""

from typing import Any

from sluice.container import container
from sluice.runs.reconcile import reconcile, sweep


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a Step Functions status change, or `{"sweep": true}` from the sweeper's schedule."""
    services = container()
    if event.get("sweep"):
        return {"under_way": sweep(services, event.get("grace_seconds", 60))}
    run_id, _, attempt = event["detail"]["name"].rpartition("-")
    run = services.runs.find(run_id)
    if run is not None and str(run.attempt) == attempt:
        run = reconcile(services, run)
    return {"run": run_id, "status": run.status if run else None}
