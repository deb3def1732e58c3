"""Projects, their models and their published endpoints."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from sluice_client._algorithms import Algorithm
from sluice_client._connection import decoded, segment, text_of
from sluice_client._errors import RunFailed
from sluice_client._handles import Dataset, Handle, Versioned, save
from sluice_client._notebook import MOST_ROWS, facts_table, rows_table
from sluice_client._result import Result
from sluice_client._runs import OnProgress, Run, started_run
from sluice_client._sharing import Shareable

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from sluice_client._client import Sluice
    from sluice_client.types import (
        ChangeCounts,
        DocumentExplanation,
        EndpointView,
        MissingDatasource,
        ModelView,
        PinView,
        ProjectView,
        RecordExplanation,
        VersionView,
    )


@dataclass(frozen=True, repr=False)
class FetchResult:
    """A project's data after a refresh.

    Args:
        data: the rows, or the document of a project that merges whole documents; None if every datasource failed.
        errors: the datasources that failed: `{"datasource", "error"}` for each.
    """

    data: Any
    errors: list[MissingDatasource]

    def __repr__(self) -> str:
        return f"<FetchResult: {'; '.join(f'{name}: {value}' for name, value in self._facts().items() if value)}>"

    def _repr_html_(self) -> str:
        facts = facts_table("Fetched data", self._facts())
        rows = self.data if isinstance(self.data, list) else []
        columns = list(dict.fromkeys(name for row in rows[:MOST_ROWS] for name in row))
        return facts + rows_table("The first rows", columns, rows) if rows else facts

    def _facts(self) -> dict[str, str | None]:
        """What arrived and what did not, without the rows, of which there may be many."""
        if isinstance(self.data, list):
            size = f"{len(self.data):,} row{'s' * (len(self.data) != 1)}"
        else:
            size = "none" if self.data is None else "one document"
        failed = "; ".join(f"{entry['datasource']}: {entry['error']}" for entry in self.errors)
        return {"data": size, "failed": failed or None}


class Project(Versioned["ProjectView"], Shareable):
    """A project: datasources merged by key.

    Args:
        sluice: the client.
        slug: the project's slug.
    """

    def __init__(self, sluice: Sluice, slug: str) -> None:
        super().__init__(sluice, f"/projects/{segment(slug)}", slug)

    def model(self, name: str) -> Model:
        """A handle of the project's model of this name."""
        return Model(self._sluice, self._label, name)

    def algorithm(self, name: str) -> Algorithm:
        """A handle of the algorithm of this name, to be run in the project."""
        return Algorithm(self._sluice, self._label, name)

    def endpoint(self, name: str) -> Endpoint:
        """A handle of the project's published endpoint of this name."""
        return Endpoint(self._sluice, self._label, name)

    def inputs(self) -> Iterator[PinView]:
        """The inputs that the project pins, with the versions that its runs take now."""
        return self._sluice.items(f"{self._path}/inputs")

    def pin(self, slug: str, version: int | None = None) -> PinView:
        """Pin an input, so that the runs of the project's algorithms take this version of it.

        Args:
            slug: the slug of the input.
            version: the version; None: always the latest.

        Raises:
            NotFound: there is no such input.
            ValidationError: there is no such version, or it does not fit the other inputs of the project.
        """
        view: PinView = self._sluice.put(f"{self._path}/inputs/{segment(slug)}", {"version": version})
        return view

    def unpin(self, slug: str) -> None:
        """Remove the pin of an input; the input stays.

        Raises:
            NotFound: the project does not pin it.
        """
        self._sluice.delete(f"{self._path}/inputs/{segment(slug)}")

    def record(self, *key: Any, version: int | None = None, as_of: datetime | str | None = None) -> dict[str, Any]:
        """One merged record.

        Args:
            key: the values of the key columns, in their order.
            version: the version's number; default: the published one.
            as_of: the version that was published at this time.

        Raises:
            NotFound: no record has this key.
            ValidationError: the key has other columns.
        """
        params = {"key": list(key), "version": version, "as_of": as_of}
        record: dict[str, Any] = self._sluice.get(f"{self._path}/records", **params)
        return record

    @overload
    def explain(
        self, *key: Any, version: int | None = None, as_of: datetime | str | None = None
    ) -> RecordExplanation: ...
    @overload
    def explain(
        self, *, pointer: str, version: int | None = None, as_of: datetime | str | None = None
    ) -> DocumentExplanation: ...
    def explain(
        self, *key: Any, pointer: str | None = None, version: int | None = None, as_of: datetime | str | None = None
    ) -> RecordExplanation | DocumentExplanation:
        """Where each value of a merged record comes from, by which rule, and which values lost.

        Args:
            key: the values of the key columns, in their order.
            pointer: for a project that merges whole documents, instead of a key: a JSON Pointer into the document.
            version: the version's number; default: the published one.
            as_of: the version that was published at this time.

        Raises:
            NotFound: no record has this key.
            ValidationError: the key has other columns.
        """
        params = {"key": list(key), "pointer": pointer, "version": version, "as_of": as_of}
        explanation: RecordExplanation | DocumentExplanation = self._sluice.get(f"{self._path}/explain", **params)
        return explanation

    def diff(self, older: int | None = None, newer: int | None = None) -> Diff:
        """The records that differ between two versions.

        Args:
            older: a version's number; default: the one before `newer`.
            newer: a version's number; default: the published one.

        Raises:
            NotFound: a version does not exist.
        """
        return Diff(self._sluice, f"{self._path}/diff", {"from": older, "to": newer})

    def promote(self, number: int) -> VersionView:
        """Publish a version for all readers at once; an earlier one to roll back.

        Raises:
            NotFound: it does not exist.
        """
        version: VersionView = self._sluice.post(f"{self._path}/versions/{segment(number)}/promote")
        return version

    def query(self, sql: str, /, **parameters: Any) -> Result:
        """Run one SELECT over the project's tables: `merged`, its datasources and its models.

        Args:
            sql: the statement; `$name` stands for a parameter.
            parameters: their values. Decimals, dates and times are sent as text.

        Raises:
            ValidationError: the SQL is wrong, or the query exceeds a limit.
        """
        values = {name: _parameter(value) for name, value in parameters.items()}
        return Result(self._sluice.post(f"{self._path}/query", {"sql": sql, "parameters": values}))

    def run(
        self,
        fetch: Literal["stale", "all", "none"] = "stale",
        *,
        dry_run: bool = False,
        wait: bool = True,
        timeout: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Run:
        """Refresh the project: ingest its datasources, merge them, and publish the result.

        Args:
            fetch: which datasources are ingested: those whose data is stale, all, or none.
            dry_run: merge the published versions and report the result; nothing is ingested or published.
            wait: whether to wait for the end; if not, the run is returned as it starts.
            timeout, on_progress: those of `Run.wait`.

        Raises:
            RunFailed: the run failed or was cancelled.
            RunTimeout: it has not ended within the timeout.
        """
        request = {"ingest": fetch, "dry_run": dry_run}
        return started_run(self._sluice, f"{self._path}/runs", request, wait, timeout, on_progress)

    def runs(self, limit: int | None = None) -> Iterator[Run]:
        """The project's runs, newest first; at most `limit`."""
        return self._sluice.runs(project=self._label, limit=limit)

    def fetch(self, timeout: float | None = None) -> FetchResult:
        """Refresh the project and return its merged data, with the datasources that failed.

        A viewer gets the published data, without a refresh.

        Args:
            timeout: the most seconds to wait for a long refresh; None: as long as it takes.

        Raises:
            RunFailed: a long refresh failed.
            RunTimeout: it has not ended within the timeout.
            ApiError: a short one failed.
        """
        answer = self._sluice.request("GET", f"{self._path}/fetch")
        document = decoded(answer)
        if answer.status_code == 202:
            return self._fetched(Run(self._sluice, document), timeout)
        return FetchResult(document["result"]["data"], (document["errors"] or {"data": []})["data"])

    def _fetched(self, run: Run, timeout: float | None) -> FetchResult:
        """The result of a refresh that took longer than the API waits."""
        try:
            run.wait(timeout)
        except RunFailed:
            errors = list(self._missing(run))
            if errors and run.status == "failed":
                return FetchResult(None, errors)
            raise
        rows = list(self.rows(version=run.version))
        is_document = self.version(run.version or 0)["document"] is not None
        return FetchResult(rows[0] if is_document else rows, list(self._missing(run)))

    def _missing(self, run: Run) -> Iterator[MissingDatasource]:
        for event in run.events():
            detail = event["detail"]
            if event["event"] == "ingest_finished" and detail["status"] not in ("succeeded", "partial"):
                ingest = self._sluice.run(detail["run"]).get()
                reason = ingest["error"]["detail"] if ingest["error"] else f"its run was {ingest['status']}"
                yield {"datasource": detail["datasource"], "error": reason}


class Model(Dataset["ModelView"]):
    """A SQL model of a project.

    Args:
        sluice: the client.
        project: the project's slug.
        name: the model's name.
    """

    def __init__(self, sluice: Sluice, project: str, name: str) -> None:
        super().__init__(sluice, f"/projects/{segment(project)}/models/{segment(name)}", f"{project}/{name}")

    def run(self, *, wait: bool = True, timeout: float | None = None, on_progress: OnProgress | None = None) -> Run:
        """Compute the model from the published data.

        Args:
            wait: whether to wait for the end; if not, the run is returned as it starts.
            timeout, on_progress: those of `Run.wait`.

        Raises:
            RunFailed: the run failed or was cancelled.
            RunTimeout: it has not ended within the timeout.
        """
        return started_run(self._sluice, f"{self._path}/runs", {}, wait, timeout, on_progress)


class Endpoint(Handle["EndpointView"]):
    """A published endpoint of a project.

    Args:
        sluice: the client.
        project: the project's slug.
        name: the endpoint's name.
    """

    def __init__(self, sluice: Sluice, project: str, name: str) -> None:
        super().__init__(sluice, f"/projects/{segment(project)}/endpoints/{segment(name)}", f"{project}/{name}")
        self._call = f"/endpoints/{segment(project)}/{segment(name)}"

    def call(self, **parameters: Any) -> Result:
        """Call the endpoint.

        Args:
            parameters: the values of its own parameters.

        Raises:
            NotFound: it does not exist.
            ValidationError: a parameter is unknown or missing, or does not fit its type.
        """
        return Result(self._sluice.get(self._call, **parameters))

    def rows(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The rows of a call, as JSON has them; `parameters` are those of `call`."""
        return iter(self.call(**parameters))

    def to_arrow(self, **parameters: Any) -> pyarrow.Table:
        """The rows of a call as a table of pyarrow; `parameters` are those of `call`."""
        return self.call(**parameters).to_arrow()

    def to_pandas(self, **parameters: Any) -> pandas.DataFrame:
        """The rows of a call as a frame of pandas; `parameters` are those of `call`."""
        return self.call(**parameters).to_pandas()

    def to_polars(self, **parameters: Any) -> polars.DataFrame:
        """The rows of a call as a frame of Polars; `parameters` are those of `call`."""
        return self.call(**parameters).to_polars()

    def to_csv(self, path: str | os.PathLike[str], /, **parameters: Any) -> Path:
        """Write the rows of a call to a CSV file, which is replaced if it exists.

        Args:
            path: of the file.
            parameters: those of `call`.

        Returns:
            The path.
        """
        return save(self._sluice, self._call, {**parameters, "format": "csv"}, Path(path))


class Diff:
    """The changes between two versions; iterating yields each changed record with its old and new values.

    Args:
        sluice: the client.
        path: the route, below `/v1`.
        params: `from` and `to`.
    """

    def __init__(self, sluice: Sluice, path: str, params: dict[str, int | None]) -> None:
        self._sluice = sluice
        self._path = path
        self._first = sluice.get(path, **params)

    @property
    def older(self) -> int:
        """The number of the older version."""
        number: int = self._first["from"]
        return number

    @property
    def newer(self) -> int:
        """The number of the newer version."""
        number: int = self._first["to"]
        return number

    @property
    def counts(self) -> ChangeCounts:
        """How many records were added, removed and changed."""
        counts: ChangeCounts = self._first["counts"]
        return counts

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._sluice.items(self._path, **{"from": self.older, "to": self.newer})

    def __repr__(self) -> str:
        changes = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        return f"<Diff of versions {self.older} and {self.newer}: {changes}>"

    def _repr_html_(self) -> str:
        return facts_table(f"Changes from version {self.older} to {self.newer}", {**self.counts})


def _parameter(value: Any) -> Any:
    """A value of a query's parameter as JSON has it."""
    if isinstance(value, Decimal):
        return str(value)
    return text_of(value) if isinstance(value, date) else value
