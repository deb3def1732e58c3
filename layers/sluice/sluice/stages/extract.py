"""The stage `extract`: converting raw pages to typed Parquet."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from sluice.domain.run import Run
from sluice.errors import (
    DataTooLarge,
    Overtaken,
    RunStopped,
)
from sluice.services import WithDatasets, WithDefinitions, WithLake, WithRuns, WithSettings
from sluice.stages.inputs import datasource_of, find_fetch_index

_REPORT_SECONDS = 5


class Services(WithDefinitions, WithDatasets, WithLake, WithRuns, WithSettings, Protocol):
    """What the stage needs."""


def extract(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Convert the pages of a run to typed Parquet, and write the manifest.

    Pages that are too large for one call are read by workers, which are calls of this stage, too. Then the
    outcome is `"parts"`, and the stage is called again after the workers, until no stage of them is left.

    Args:
        event: `"folder"`, `"stage"` and `"number"` in a call of a worker; `"folder"` and `"stage"` in a call
            after the workers.

    Returns:
        `{"outcome": "done", "manifest_key"}`, or `{"outcome": "parts"}` with what `work_items` returns.

    Raises:
        Overtaken: another version was published during a replay of an append or upsert version.
        RunStopped: the run was cancelled, or its fetch index is missing.
    """
    from sluice.extract.extractor import Base, Extractor
    from sluice.stages.work_items import work_items

    index = find_fetch_index(services, run)
    if index is None:
        raise RunStopped("The run's fetch index is not in the lake.")
    published = services.datasets.pointer(run.owner).published
    datasource = datasource_of(services, run)
    if datasource.write_disposition != "replace" and run.replay is not None and run.replay_over != (published or 0):
        raise Overtaken("Another version was published during this replay, which would replace it; replay again.")
    # A replay has the pages of all runs that contributed to its version, so it builds on no other version.
    previous = services.datasets.version(run.owner, published) if published and run.replay is None else None
    known_number = run.replay or published
    known = services.datasets.version(run.owner, known_number) if known_number else None
    base = Base(published or 0, previous, known)
    progress = _Progress(services, run, seconds_left, reports="number" not in event)
    extractor = Extractor(run, datasource, index, base, services.lake, services.settings, progress.tick)
    # The folder's name depends on the inputs: if another version was published meanwhile, the workers' results
    # are those of other inputs, and the work begins again.
    is_current = event.get("folder") == extractor.work_folder
    if "number" in event:
        services.runs.advance(run)
        if is_current:
            extractor.work(event["stage"], event["number"])
        return {"outcome": "done"}
    services.runs.advance(run, progress={"stage": "extract", "current": 0, "total": len(index.pages)})
    following = extractor.next_stage(event.get("stage") if is_current else None)
    if following is not None:
        return {"outcome": "parts", **work_items(services, run, extractor.work_folder, *following)}
    return {"outcome": "done", "manifest_key": extractor.extract()}


class _Progress:
    """Reports the progress of extracting, and stops it if the run was cancelled or the function's time ends.

    Args:
        reports: whether to store the progress; a single worker does not know that of all.
    """

    def __init__(self, services: Services, run: Run, seconds_left: Callable[[], float], *, reports: bool) -> None:
        self._services, self._run, self._seconds_left = services, run, seconds_left
        self._reports = reports
        self._reported_at = time.monotonic()

    def tick(self, records: int) -> None:
        """Note the progress; store it every few seconds.

        Args:
            records: the number of records that were read so far.

        Raises:
            RunStopped: the run was cancelled.
            DataTooLarge: the function's time is nearly over; another call would have the same time.
        """
        if self._seconds_left() < self._services.settings.extract_reserve_seconds:
            progress = f"; {records} records were read" if records else ""
            advice = "split it" if self._reports else "lower EXTRACT_PART_BYTES"
            raise DataTooLarge(f"The data takes longer to read than a function may run{progress}; {advice}.")
        if time.monotonic() - self._reported_at > _REPORT_SECONDS:
            self._reported_at = time.monotonic()
            changes = {"progress": {"stage": "extract", "current": records, "total": None}} if self._reports else {}
            self._run = self._services.runs.advance(self._run, **changes)
