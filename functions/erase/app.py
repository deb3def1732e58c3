"""The function `erase`: removes a record from everything that is stored."""

from typing import Any

from sluice.stages.erase import erase
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the stage once for an event `{"run_id", "attempt"}`.

    Returns:
        The outcome that the workflow's Choice states read, such as `{"outcome": "done"}`.
    """
    return run_step(erase, event, context)
