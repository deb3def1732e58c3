"""The function `model`: computes one of a project's models and runs its tests."""

from typing import Any

from sluice.stages.model import model
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the stage once for an event `{"run_id", "attempt", "name"}`.

    Returns:
        The outcome that the workflow's Choice states read, such as `{"outcome": "done"}`.
    """
    return run_step(model, event, context)
