"""The function `scheduled`: a schedule of EventBridge Scheduler starts a run."""

from typing import Any

from sluice.bootstrap import platform
from sluice.runs.scheduled import fire


def handler(event: dict[str, Any], context: Any) -> None:
    """Take `{"kind", "slug", "execution", "time"}`, as the schedule's input says."""
    fire(platform(), event, context.aws_request_id)
