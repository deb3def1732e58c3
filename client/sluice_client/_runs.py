"""Runs: following, cancelling and continuing them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice_client._connection import segment
from sluice_client._errors import RunFailed, RunTimeout
from sluice_client._handles import Dataset, save
from sluice_client._notebook import facts_table

if TYPE_CHECKING:
    from sluice_client._client import Sluice
    from sluice_client.types import (
        DataPage,
        PageReceiptView,
        ResultOutputs,
        RunComparison,
        RunEventView,
        RunView,
        SourceUse,
        StaleInput,
    )

OnProgress = Callable[["Run"], Any]
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 2.0
_SHOWN = (
    *("status", "kind", "project", "datasource", "version", "rows", "summary", "completeness", "completeness_reasons"),
    *("stale", "sources", "warnings", "error", "started_at", "finished_at"),
)


class ResultTable(Dataset["DataPage"]):
    """A table that a run of an algorithm has made. It never changes, so `version` and `as_of` select nothing."""

    @property
    def _rows_path(self) -> str:
        return self._path


class Run:
    """A run, as it was when the client last asked.

    Args:
        sluice: the client.
        document: the run's document, as the API sent it.
    """

    def __init__(self, sluice: Sluice, document: RunView) -> None:
        self._sluice = sluice
        self.document = document

    @property
    def id(self) -> str:
        """The run's id, a ULID."""
        return self.document["id"]

    @property
    def status(self) -> str:
        """`pending`, `running`, `succeeded`, `partial`, `failed` or `cancelled`."""
        return self.document["status"]

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""
        return self.status not in ("pending", "running")

    @property
    def completeness(self) -> str | None:
        """How much is known to be in the version; None before the end. `complete` means that nothing is missing."""
        return self.document["completeness"]

    @property
    def completeness_reasons(self) -> list[str]:
        """Why the version is not known to be complete."""
        return self.document["completeness_reasons"]

    @property
    def stale(self) -> list[StaleInput]:
        """The earlier versions that stood in for datasources which could not be fetched, with the reasons."""
        return self.document["stale"]

    @property
    def sources(self) -> list[SourceUse]:
        """What a refresh did with each of its datasources; empty for other runs."""
        return self.document["sources"]

    @property
    def summary(self) -> str | None:
        """What a refresh fetched, as a sentence such as `2 of 3 sources fetched`; None for other runs."""
        return self.document["summary"]

    @property
    def warnings(self) -> list[str]:
        """What the run noticed that did not stop it."""
        return self.document["warnings"]

    @property
    def version(self) -> int | None:
        """The number of the version that the run committed; None if it committed none."""
        return self.document["version"]

    @property
    def rows(self) -> int | None:
        """How many rows the version has."""
        return self.document["rows"]

    def __repr__(self) -> str:
        about = self.document["algorithm"] or self.document["project"] or self.document["datasource"]
        facts = [f"{self.document['kind']} of {about}", self.status]
        if self.completeness not in (None, "complete", self.status):
            stale = ", ".join(entry["datasource"] for entry in self.stale)
            facts.append(f"{self.completeness} ({stale})" if stale else f"{self.completeness}")
        facts += [self.summary] if self.summary else []
        return f"<Run {self.id}: {', '.join(facts)}>"

    def _repr_html_(self) -> str:
        shown = {name: self.document.get(name) for name in _SHOWN}
        return facts_table(f"Run {self.id}", {name: value for name, value in shown.items() if value != []})

    def get(self) -> RunView:
        """Ask the API for the run's present state.

        Returns:
            The run's document; the properties show it, too.
        """
        self.document = self._sluice.get(self._path())
        return self.document

    def follow(self, timeout: float | None = None) -> Iterator[Run]:
        """Ask the API for the run's state again and again, with pauses of at most 2 seconds, until it has ended.

        Args:
            timeout: the most seconds to wait; None: as long as it takes.

        Yields:
            This run: as it is, and after each answer. The last time, it has ended.

        Raises:
            RunTimeout: it has not ended within the timeout.
        """
        retries = self._sluice._connection.retries
        begin, pause = retries.clock(), _FIRST_PAUSE
        while True:
            shown = retries.clock()
            yield self
            if self.finished:
                return
            # What the caller does with the run may take long, such as reading its events: that is load, too.
            rest = max(pause, retries.clock() - shown)
            if timeout is not None and retries.clock() + rest > begin + timeout:
                raise RunTimeout(self.document, timeout)
            retries.sleep(rest)
            pause = min(1.5 * pause, _LONGEST_PAUSE)
            self.get()

    def wait(self, timeout: float | None = None, on_progress: OnProgress | None = None) -> Run:
        """Wait until the run has ended.

        Args:
            timeout: the most seconds to wait; None: as long as it takes.
            on_progress: called with this run when its document has changed, and at its end.

        Returns:
            This run, `succeeded` or `partial`.

        Raises:
            RunFailed: the run failed or was cancelled.
            RunTimeout: it has not ended within the timeout.
        """
        seen = None
        for _ in self.follow(timeout):
            if on_progress is not None and self.document != seen:
                seen = self.document
                on_progress(self)
        if self.status in ("failed", "cancelled"):
            raise RunFailed(self.document)
        return self

    def cancel(self) -> Run:
        """Cancel the run; what it has stored stays.

        Returns:
            This run.

        Raises:
            Conflict: it has ended.
        """
        self.document = self._sluice.post(self._path("/cancel"))
        return self

    def redrive(self) -> Run:
        """Continue a failed, partial or cancelled run from where it stopped. Wait for its end with `wait`.

        Returns:
            This run.

        Raises:
            Conflict: it cannot be continued.
        """
        self.document = self._sluice.post(self._path("/redrive"))
        return self

    def events(self) -> Iterator[RunEventView]:
        """The run's timeline: its stages, pages, failed requests and ingest runs, oldest first."""
        return self._sluice.items(self._path("/events"))

    def pages(self) -> Iterator[PageReceiptView]:
        """The receipts of the pages that the run fetched."""
        return self._sluice.items(self._path("/pages"))

    def result(self) -> Any:
        """The document that a run of an algorithm has made, whole, whatever its size.

        Raises:
            NotFound: the run has not succeeded, or is of another kind.
        """
        return self._sluice.get(self._path("/result"))

    def outputs(self) -> ResultOutputs:
        """What a run of an algorithm has made: its document, tables and files, with their sizes.

        Raises:
            NotFound: the run has not succeeded, or is of another kind.
        """
        outputs: ResultOutputs = self._sluice.get(self._path("/outputs"))
        return outputs

    def table(self, name: str) -> ResultTable:
        """A handle of a table that a run of an algorithm has made; no request is sent."""
        return ResultTable(self._sluice, self._path(f"/tables/{segment(name)}"), f"{self.id}/{name}")

    def file(self, name: str) -> bytes:
        """A file that a run of an algorithm has made, such as a workbook.

        Raises:
            NotFound: the run has no such file.
        """
        return self._sluice.request("GET", self._path(f"/files/{segment(name)}")).content

    def save_file(self, name: str, path: str | os.PathLike[str]) -> Path:
        """Write a file that a run of an algorithm has made to the disk; one that exists is replaced.

        Returns:
            The path.

        Raises:
            NotFound: the run has no such file.
        """
        return save(self._sluice, self._path(f"/files/{segment(name)}"), {}, Path(path))

    def compare(self, other: Run | str) -> RunComparison:
        """What differs between this run of an algorithm and another: inputs, parameters, code, packages and results.

        Args:
            other: the other run, or its id.
        """
        id = other if isinstance(other, str) else other.id
        comparison: RunComparison = self._sluice.get("/runs/compare", a=self.id, b=id)
        return comparison

    def _path(self, below: str = "") -> str:
        return f"/runs/{segment(self.id)}{below}"


def started_run(
    sluice: Sluice,
    path: str,
    request: dict[str, Any],
    wait: bool,
    timeout: float | None,
    on_progress: OnProgress | None,
) -> Run:
    """Start a run, and wait for its end if that is asked for.

    Args:
        sluice: the client.
        path: the route that starts it, below `/v1`.
        request: the body.
        wait: whether to wait.
        timeout, on_progress: those of `Run.wait`.

    Raises:
        RunFailed, RunTimeout: as `Run.wait`.
    """
    run = Run(sluice, sluice.post(path, request))
    return run.wait(timeout, on_progress) if wait else run
