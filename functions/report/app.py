"""The function `report`: renders one of a project's reports."""

from typing import Any

from sluice.stages.report import report
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the step for `{"run_id", "attempt", "name"}`."""
    return run_step(report, event, context)
