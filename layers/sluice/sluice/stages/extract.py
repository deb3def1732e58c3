"""The stage `extract`: typed Parquet of the pages."""

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
    """Make typed Parquet of the pages, and the manifest that says all about it.

    Pages that are too many for one call are read by workers, which are calls of this step, too: the answer
    `"parts"` names them, and this step is called again when they have ended, until nothing is left to be done.
    """
    from sluice.extract.extractor import Base, Extractor
    from sluice.stages.work_items import work_items

    index = find_fetch_index(services, run)
    if index is None:
        raise RunStopped("What the run fetched is not in the lake.")
    published = services.datasets.pointer(run.owner).published
    datasource = datasource_of(services, run)
    adds = datasource.write_disposition != "replace"
    if adds and run.replay is not None and run.replay_over != (published or 0):
        raise Overtaken("Another version was published while this replay ran, and would be lost; replay again.")
    # A replay makes its version of its own pages alone.
    adds_to = services.datasets.version(run.owner, published) if published and run.replay is None else None
    decides = run.replay or published
    known = services.datasets.version(run.owner, decides) if decides else None
    base = Base(published or 0, adds_to, known)
    watch = _Progress(services, run, seconds_left, reports="number" not in event)
    extractor = Extractor(run, datasource, index, base, services.lake, services.settings, watch.tick)
    mine = event.get("folder") == extractor.work_folder  # not where another version was published meanwhile
    if "number" in event:
        services.runs.advance(run)
        if mine:
            extractor.work(event["stage"], event["number"])
        return {"outcome": "done"}
    services.runs.advance(run, progress={"stage": "extract", "current": 0, "total": len(index.pages)})
    following = extractor.next_stage(event.get("stage") if mine else None)
    if following is not None:
        return {"outcome": "parts", **work_items(services, run, extractor.work_folder, *following)}
    return {"outcome": "done", "manifest_key": extractor.extract()}


class _Progress:
    """Says how far extracting has come, finds out that the run was cancelled, and ends it before its time is over.

    Args:
        reports: whether to say how far: of many workers, none knows.
    """

    def __init__(self, services: Services, run: Run, seconds_left: Callable[[], float], *, reports: bool) -> None:
        self._services, self._run, self._seconds_left = services, run, seconds_left
        self._reports = reports
        self._reported_at = time.monotonic()

    def tick(self, records: int) -> None:
        """Take note of so many records.

        Raises:
            RunStopped: the run was cancelled.
            DataTooLarge: the function's time is nearly over, and calling it again would not help.
        """
        if self._seconds_left() < self._services.settings.extract_reserve_seconds:
            said = f", after {records} records" if records else ""
            advice = "split it" if self._reports else "lower EXTRACT_PART_BYTES"
            raise DataTooLarge(f"The data takes longer to read than a function may run{said}; {advice}.")
        if time.monotonic() - self._reported_at > _REPORT_SECONDS:
            self._reported_at = time.monotonic()
            progress = {"progress": {"stage": "extract", "current": records, "total": None}} if self._reports else {}
            self._run = self._services.runs.advance(self._run, **progress)
