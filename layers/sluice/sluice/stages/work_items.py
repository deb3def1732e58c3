"""Work that a stage divides among workers, which the workflow's map calls in parallel."""

from __future__ import annotations

from typing import Any

from sluice.domain.run import Run
from sluice.lake import object_keys
from sluice.services import WithLake


def work_items(
    services: WithLake, run: Run, folder: str, stage: str, numbers: list[int], **more: str
) -> dict[str, Any]:
    """Write the events of workers to the lake, and return what the workflow needs to call them.

    Args:
        folder: the folder of the workers' results.
        stage: the workers' stage.
        numbers: the workers' numbers.
        more: what else each worker's event has.

    Returns:
        `{"bucket", "items_key", "folder", "stage"}`.
    """
    # The events are not part of the result: Step Functions' state is limited to 256 KB.
    common = {"run_id": run.id, "attempt": run.attempt, "folder": folder, "stage": stage, **more}
    key = object_keys.work_items(folder, stage)
    services.lake.put_json(key, [{**common, "number": number} for number in numbers])
    return {
        "bucket": services.lake.bucket,
        "items_key": services.lake.full_key(key),
        "folder": folder,
        "stage": stage,
    }
