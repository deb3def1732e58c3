"""The function `inbox`: a dropped file starts an ingest run."""

from typing import Any

from sluice.container import container
from sluice.runs.drops import receive
from sluice.sources.file.announcement import announced


def handler(event: dict[str, Any], context: Any) -> None:
    """Take what S3 says through EventBridge or, on an emulator, by itself.

    Each object starts one run, however often it is announced.
    """
    for drop in announced(event):
        receive(container(), drop)
