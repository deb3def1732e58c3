"""The function `model`: makes one of a project's models, and tests it."""

from typing import Any

from sluice.stages.model import model
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the step for `{"run_id", "attempt", "name"}`."""
    return run_step(model, event, context)
