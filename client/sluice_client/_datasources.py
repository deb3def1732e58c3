"""Datasources: reading, running, pushing and uploading."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

from sluice_client._connection import decoded, segment
from sluice_client._errors import PushInterrupted, SluiceError
from sluice_client._handles import Rows, Versioned, query_of
from sluice_client._push import PushResult, batches
from sluice_client._runs import OnProgress, Run, started_run
from sluice_client._sharing import Shareable

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from sluice_client._client import Sluice
    from sluice_client.types import CheckResult, DatasourceView, Preview, RowExplanation, UploadForm

    Records: TypeAlias = Iterable[Any] | Mapping[str, Any] | pandas.DataFrame | polars.DataFrame | pyarrow.Table


class Datasource(Versioned["DatasourceView"], Shareable):
    """A datasource.

    Args:
        sluice: the client.
        slug: the datasource's slug.
    """

    def __init__(self, sluice: Sluice, slug: str) -> None:
        super().__init__(sluice, f"/datasources/{segment(slug)}", slug)

    def run(
        self,
        *,
        replay: int | None = None,
        wait: bool = True,
        timeout: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Run:
        """Ingest the datasource.

        Args:
            replay: read the raw pages of this version instead of calling the upstream.
            wait: whether to wait for the end; if not, the run is returned as it starts.
            timeout, on_progress: those of `Run.wait`.

        Raises:
            RunFailed: the run failed or was cancelled.
            RunTimeout: it has not ended within the timeout.
        """
        request = {} if replay is None else {"replay": replay}
        return started_run(self._sluice, f"{self._path}/runs", request, wait, timeout, on_progress)

    def explain(self, row: int = 0, **rows: Unpack[Rows]) -> RowExplanation:
        """Where each value of a row was received: the page, and the place in it.

        Args:
            row: the number of the row among those that `rows` would give, from 0.
            rows: `where`, `order`, `version` and `as_of`, see `Rows`.

        Raises:
            NotFound: there are fewer rows.
            ValidationError: an argument does not fit the columns.
        """
        explanation: RowExplanation = self._sluice.get(f"{self._path}/explain", row=row, **query_of(rows))
        return explanation

    def erase(
        self,
        key: Mapping[str, Any] | Sequence[Any],
        reason: str,
        *,
        dry_run: bool = False,
        wait: bool = True,
        timeout: float | None = None,
    ) -> Run:
        """Erase a record from everything that is stored: pages, versions, what was computed of it, and caches.

        Args:
            key: the values of the primary key: by column, or in order.
            reason: why, in 1 to 500 characters; it is kept.
            dry_run: only count what would be removed.
            wait: whether to wait for the end; if not, the run is returned as it starts.
            timeout: the most seconds to wait; None: as long as it takes.

        Returns:
            The run; its `erasure` has the numbers of what was removed.

        Raises:
            RunFailed: the run failed or was cancelled.
            RunTimeout: it has not ended within the timeout.
        """
        values = dict(key) if isinstance(key, Mapping) else list(key)
        request = {"key": values, "reason": reason, "dry_run": dry_run}
        return started_run(self._sluice, f"{self._path}/erase", request, wait, timeout, None)

    def runs(self, limit: int | None = None) -> Iterator[Run]:
        """The datasource's runs, newest first; at most `limit`."""
        return self._sluice.runs(datasource=self._label, limit=limit)

    def check(self) -> CheckResult:
        """Send one request to the upstream, and say what came back."""
        result: CheckResult = self._sluice.post(f"{self._path}/check")
        return result

    def preview(self, pages: int = 1) -> Preview:
        """The first records as a run would read them; nothing is stored.

        Args:
            pages: how many pages to request from the upstream.
        """
        answer = self._sluice.request("POST", f"{self._path}/preview", params={"pages": pages})
        preview: Preview = decoded(answer)
        return preview

    def push(
        self, records: Records, *, wait: bool = False, timeout: float | None = None, idempotency_key: str | None = None
    ) -> PushResult:
        """Push records, in batches and in their order.

        Args:
            records: dictionaries, as a list or any other iterable; a frame of pandas (without its index) or Polars;
                or a table of pyarrow.
            wait: whether to wait until the records are published.
            timeout: the most seconds to wait for each run; None: as long as it takes.
            idempotency_key: names this push. Within 24 hours, another push of the same records with the same key
                stores nothing.

        Returns:
            How many records are stored, and the runs that publish them.

        Raises:
            ApiError: the API refused the first batch; nothing is stored.
            PushInterrupted: a later batch failed; those before it are stored.
            TypeError: a value has no form in JSON.
        """
        accepted, runs = 0, dict[str, None]()
        numbered = enumerate(batches(records))
        while True:
            try:
                number, batch = next(numbered, (0, b""))
                if not batch:
                    break
                receipt = decoded(self._send(batch, None if idempotency_key is None else f"{idempotency_key}-{number}"))
            except (SluiceError, TypeError, ValueError) as error:
                if accepted == 0:
                    raise
                raise PushInterrupted(accepted, list(runs), str(error)) from error
            accepted += receipt["accepted"]
            if receipt["run"] is not None:
                runs[receipt["run"]] = None
        result = PushResult(accepted, tuple(self._sluice.run(run) for run in runs))
        return result.wait(timeout) if wait else result

    def _send(self, batch: bytes, idempotency_key: str | None) -> Any:
        headers = {"Content-Type": "application/x-ndjson"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        return self._sluice.request("POST", f"{self._path}/records", content=batch, headers=headers)

    def upload(self, path: str | os.PathLike[str], filename: str | None = None) -> None:
        """Upload a file of any size to a datasource that reads files. It starts a run, which `runs` shows.

        Args:
            path: of the file.
            filename: the name to store it by; default: its own.

        Raises:
            Conflict: the datasource does not read files.
            InvalidResponse: the storage refused the file, such as an empty or too large one.
        """
        file = Path(path)
        with file.open("rb") as content:
            form: UploadForm = self._sluice.post(f"{self._path}/uploads", {"filename": filename or file.name})
            self._sluice._connection.upload(form["url"], form["fields"], file.name, content)
