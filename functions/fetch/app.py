"""The function `fetch`: brings a run's pages into the lake."""

from typing import Any

from sluice.stages.fetch import fetch
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the step for `{"run_id", "attempt", …}`."""
    return run_step(fetch, event, context)
