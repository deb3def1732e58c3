"""The function `partition`: one worker of a merge that is too large for a single call."""

from typing import Any

from sluice.stages.merge import partition
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the stage once for an event `{"run_id", "attempt", "folder", "stage", "number"}`.

    Returns:
        The outcome that the workflow's Choice states read, such as `{"outcome": "done"}`.
    """
    return run_step(partition, event, context)
