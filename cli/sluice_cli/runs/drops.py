"""The run that a dropped file starts."""

from __future__ import annotations

import time
from typing import Any

from sluice_cli.errors import StepFailed
from sluice_cli.runs.follow import wait
from sluice_client import Sluice

# A busy emulator may lose the notification of a file; the sweep finds the file within about a minute.
_DROP_SECONDS = 150


def newest_run(api: Sluice, datasource: str) -> str | None:
    """The id of a datasource's newest run; null if there is none."""
    runs = api.get("/runs", datasource=datasource, limit=1)["items"]
    return runs[0]["id"] if runs else None


def await_drop(api: Sluice, datasource: str, before: str | None) -> dict[str, Any]:
    """Wait for the end of the run that a dropped file starts.

    Args:
        api: the client.
        datasource: the slug.
        before: the datasource's newest run before the drop.

    Returns:
        The run.

    Raises:
        StepFailed: none has started, or it has not ended.
    """
    deadline = time.monotonic() + _DROP_SECONDS
    while time.monotonic() < deadline:
        newest = newest_run(api, datasource)
        if newest is not None and newest != before:
            return wait(api, newest, None)
        time.sleep(0.2)
    raise StepFailed(
        f"the file started no run of {datasource}; see `sluice get runs?datasource={datasource}` and the logs"
    )
