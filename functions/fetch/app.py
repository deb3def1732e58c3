"""The function `fetch`: brings a run's pages into the lake."""

from typing import Any

from sluice.runs.steps import fetch, run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the step for `{"run_id", "attempt", …}`."""
    return run_step(fetch, event, context)
