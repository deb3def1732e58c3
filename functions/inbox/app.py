"""The function `inbox`: a dropped file starts an ingest run."""

from typing import Any

from sluice.container import container
from sluice.runs.drops import receive_drop
from sluice.sources.file.announcement import dropped_files


def handler(event: dict[str, Any], context: Any) -> None:
    """Handle a notification of S3, which comes through EventBridge or, on an emulator, directly.

    Each object starts one run, however many notifications of it arrive.
    """
    for drop in dropped_files(event):
        receive_drop(container(), drop)
