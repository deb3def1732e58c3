"""The function `commit`: publishes what a stage has made."""

from typing import Any

from sluice.stages.commit import commit
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the step for `{"run_id", "attempt", …}`."""
    return run_step(commit, event, context)
