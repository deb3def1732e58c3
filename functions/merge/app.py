"""The function `merge`: merges a project's datasources."""

from typing import Any

from sluice.stages.merge import merge
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the step for `{"run_id", "attempt", …}`."""
    return run_step(merge, event, context)
