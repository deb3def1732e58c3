"""The function `merge`: merges a project's datasources."""

from typing import Any

from sluice.stages.merge import merge
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the stage once for an event `{"run_id", "attempt", …}`.

    Returns:
        The outcome that the workflow's Choice states read, such as `{"outcome": "done"}`.
    """
    return run_step(merge, event, context)
