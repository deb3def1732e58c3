"""The function `compaction`: compacts the lake's files of readings, and finishes what a killed function has begun."""

from typing import Any

from sluice.container import container
from sluice.readings.compaction import sweep_files


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Handle `{"sweep": true}` from the schedule, which may have `grace_seconds`.

    Returns:
        How many files were `applied` to the blocks, `compacted`, and `deleted`.
    """
    return sweep_files(container(), event.get("grace_seconds", 60))
