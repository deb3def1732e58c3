"""The function `algorithm`: begins the algorithms of a refresh, and takes over their results."""

from typing import Any

from sluice.stages.algorithm_node import STAGES
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run one step for an event `{"step", "run_id", "attempt"}`, with the algorithm's `"name"` or the run's `"child"`.

    Returns:
        The outcome that the workflow's Choice states read, such as `{"outcome": "done"}`.
    """
    return run_step(STAGES[event["step"]], event, context)
