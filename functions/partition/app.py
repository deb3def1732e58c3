"""The function `partition`: does one worker's part of a merge that is too large for one call."""

from typing import Any

from sluice.stages.merge import partition
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the step for `{"run_id", "attempt", "folder", "stage", "number"}`."""
    return run_step(partition, event, context)
