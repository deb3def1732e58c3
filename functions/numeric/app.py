"""The function `numeric`: runs algorithms that need NumPy."""

from typing import Any

from sluice.stages.algorithm import STAGES
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run one step of an algorithm for an event `{"step", "run_id", "attempt"}`; for `solve` also `"number"`.

    Returns:
        The outcome that the workflow's Choice states read, such as `{"outcome": "done"}`.
    """
    return run_step(STAGES[event["step"]], event, context)
