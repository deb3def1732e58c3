"""The function `extract`: turns a run's pages into typed records."""

from typing import Any

from sluice.stages.extract import extract
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the stage once for an event `{"run_id", "attempt", …}`.

    Returns:
        The outcome that the workflow's Choice states read, such as `{"outcome": "done"}`.
    """
    return run_step(extract, event, context)
