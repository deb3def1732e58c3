"""The timeline of a run."""

from __future__ import annotations

from typing import Any

from sluice.container import Container
from sluice.domain.run import PageReceipt, Run, RunEvent
from sluice.runs.plan import children


def timeline(services: Container, run: Run) -> list[dict[str, Any]]:
    """The events of a run: its stages, its pages and failed attempts to fetch them, a refresh's ingest runs.

    Returns:
        `{"time", "event", "attempt", "detail"}` for each event, oldest first.
    """
    events = list(run.timeline)
    for receipt in services.pages.of_run(run.id):
        events += _of_page(receipt)
    if run.type.starts_ingests:
        for child in children(services, run):
            events += _of_child(run, child)
    return [event.model_dump(mode="json") for event in sorted(events, key=lambda event: event.time)]


def _of_page(receipt: PageReceipt) -> list[RunEvent]:
    events = [
        RunEvent(
            time=failure["at"],
            event="page_failed",
            attempt=failure["attempt"],
            detail={"number": receipt.number, "status": failure["status"], "reason": failure["reason"]},
        )
        for failure in receipt.failures
    ]
    if receipt.ok:
        detail = {"number": receipt.number, "status": receipt.status, "rows": receipt.rows, "bytes": receipt.bytes}
        events.append(RunEvent(time=receipt.fetched_at, event="page", attempt=receipt.attempt, detail=detail))
    return events


def _of_child(run: Run, child: Run) -> list[RunEvent]:
    detail = {"run": child.id, "datasource": child.datasource}
    events = [RunEvent(time=child.created_at, event="ingest_created", attempt=run.attempt, detail=detail)]
    if child.finished_at:
        detail = {**detail, "status": child.status}
        events.append(RunEvent(time=child.finished_at, event="ingest_finished", attempt=run.attempt, detail=detail))
    return events
