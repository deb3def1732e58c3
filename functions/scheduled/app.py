"""The function `scheduled`: a schedule of EventBridge Scheduler starts a run."""

from typing import Any

from sluice.container import container
from sluice.runs.scheduled import fire


def handler(event: dict[str, Any], context: Any) -> None:
    """Take `{"kind", "slug", "execution", "time"}`, as the schedule's input says."""
    fire(container(), event, context.aws_request_id)
