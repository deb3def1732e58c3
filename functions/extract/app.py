"""The function `extract`: makes typed records of a run's pages."""

from typing import Any

from sluice.stages.extract import extract
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the step for `{"run_id", "attempt", …}`."""
    return run_step(extract, event, context)
