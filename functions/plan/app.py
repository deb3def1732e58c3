"""The function `plan`: decides what a refresh ingests."""

from typing import Any

from sluice.stages.plan import plan
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the step for `{"run_id", "attempt", …}`."""
    return run_step(plan, event, context)
