"""The function `scheduled`: a schedule of EventBridge Scheduler starts a run."""

from typing import Any

from sluice.container import container
from sluice.runs.scheduled import fire


def handler(event: dict[str, Any], context: Any) -> None:
    """Start the run for a schedule's input `{"kind", "slug", "execution", "time"}`."""
    fire(container(), event, context.aws_request_id)
