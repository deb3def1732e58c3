"""The progress of a run and of its ingest runs, from the run's events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluice_cli.output.values import counted
from sluice_client import Sluice, segment

_ENDED = ("succeeded", "partial", "failed", "cancelled")
_STARTED = "ingest_created"


@dataclass(frozen=True)
class SourceState:
    """What an ingest run has done so far.

    Args:
        datasource: the slug.
        run: the run's id.
        status: the run's status.
        stage: the stage that it is at; null before the first and after the last.
        pages: how many pages were received.
        rows: how many records these pages have, as far as it is known while they are fetched.
        bytes: how many bytes these pages have.
        retries: how many requests failed and were sent again.
        seconds: from its start to its end, or until now.
    """

    datasource: str
    run: str
    status: str
    stage: str | None
    pages: int
    rows: int
    bytes: int
    retries: int
    seconds: float

    @property
    def ended(self) -> bool:
        """Whether the run has ended."""
        return self.status in _ENDED

    @property
    def line(self) -> str:
        """The state as one line, without the time, so that it changes only if something has happened."""
        parts = [f"{self.datasource}: {self.status if self.ended or not self.stage else self.stage}"]
        if self.pages:
            parts.append(counted(self.pages, "page"))
        if self.rows:
            parts.append(counted(self.rows, "row"))
        if self.retries:
            parts.append(counted(self.retries, "retry", "retries"))
        if self.ended and self.rate:
            parts.append(self.rate)
        return ", ".join(parts)

    @property
    def rate(self) -> str:
        """Rows and bytes per second; empty before anything was received."""
        if not self.pages or self.seconds <= 0:
            return ""
        return f"{self.rows / self.seconds:,.0f} rows/s, {self.bytes / self.seconds / 1000:,.0f} kB/s"


@dataclass(frozen=True)
class RunState:
    """A run and what its ingest runs have done so far.

    Args:
        run: the run's document.
        sources: the ingest runs of a refresh in the order of their start; of an ingest run, the run itself.
    """

    run: dict[str, Any]
    sources: list[SourceState]

    @property
    def ended(self) -> bool:
        """Whether the run has ended."""
        return self.run["status"] in _ENDED

    @property
    def stage(self) -> str | None:
        """The run's stage and what is known of it, such as `solve, 3 of 4 restarts`; null before the first stage."""
        progress = self.run["progress"] or {}
        if not progress.get("stage"):
            return None
        parts = [progress["stage"]]
        subtasks = progress.get("subtasks")
        if subtasks:
            parts.append(f"{subtasks['succeeded']} of {counted(subtasks['total'], 'restart')}")
        if progress.get("text"):
            parts.append(progress["text"])
        return ", ".join(parts)


def read_state(api: Sluice, run: dict[str, Any]) -> RunState:
    """Read what the ingest runs of a run have done.

    Args:
        api: the client.
        run: the run's document.

    Raises:
        SluiceError: the API cannot be reached, or refuses a request.
    """
    events = list(api.items(f"/runs/{segment(run['id'])}/events"))
    if run["kind"] == "ingest":
        return RunState(run, [source_state(run, events)])
    children = [event["detail"]["run"] for event in events if event["event"] == _STARTED]
    sources = []
    for child in children:
        ingest = api.run(child)
        sources.append(source_state(dict(ingest.document), map(dict, ingest.events())))
    return RunState(run, sources)


def source_state(run: dict[str, Any], events: Iterable[dict[str, Any]], now: datetime | None = None) -> SourceState:
    """Sum up the events of an ingest run.

    Args:
        run: the run's document.
        events: its events.
        now: the present time; default: the clock's.
    """
    pages = rows = size = retries = 0
    for event in events:
        if event["event"] == "page":
            pages += 1
            rows += event["detail"].get("rows") or 0
            size += event["detail"].get("bytes") or 0
        elif event["event"] == "page_failed":
            retries += 1
    begin = datetime.fromisoformat(run["started_at"] or run["created_at"])
    end = datetime.fromisoformat(run["finished_at"]) if run["finished_at"] else now or datetime.now(begin.tzinfo)
    return SourceState(
        datasource=run["datasource"],
        run=run["id"],
        status=run["status"],
        stage=(run["progress"] or {}).get("stage"),
        pages=pages,
        # Pages that were requested twice count twice until the run knows its rows.
        rows=rows if run["rows"] is None else run["rows"],
        bytes=size,
        retries=retries,
        seconds=max((end - begin).total_seconds(), 0.001),
    )
