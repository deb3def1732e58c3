"""Work that a step divides among workers, which the workflow's map calls side by side."""

from __future__ import annotations

from typing import Any

from sluice.domain.run import Run
from sluice.lake import object_keys
from sluice.services import WithLake


def work_items(services: WithLake, run: Run, folder: str, stage: str, numbers: list[int]) -> dict[str, Any]:
    """What a step answers so that workers are called, and then the step again.

    Args:
        folder: where the workers leave what they make.
        numbers: those of the workers.

    Returns:
        `{"bucket", "items_key", "folder", "stage"}`: the items are in the lake, since they may be many.
    """
    common = {"run_id": run.id, "attempt": run.attempt, "folder": folder, "stage": stage}
    key = object_keys.work_items(folder, stage)
    services.lake.put_json(key, [{**common, "number": number} for number in numbers])
    return {
        "bucket": services.lake.bucket,
        "items_key": services.lake.full_key(key),
        "folder": folder,
        "stage": stage,
    }
