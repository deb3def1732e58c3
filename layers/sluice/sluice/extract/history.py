"""The runs that a version holds the records of, to be read again from their pages."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from sluice.domain.dataset import Manifest
from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, Run
from sluice.extract import append_upsert
from sluice.extract.reading import PageReading
from sluice.lake.parquet import LocalFile, copy_to
from sluice.lake.store import Lake


class History:
    """Reads the pages of earlier runs again, when a column of theirs becomes text.

    A number that was made text of its value would not be the text that was received: `1.50` would
    be `1.5`, and after a fraction `1` would be `1.0`.

    Args:
        before: the manifest of the version that holds the runs' records.
        run: the run that reads.
    """

    def __init__(self, before: Manifest, run: Run, reading: PageReading, lake: Lake) -> None:
        self._run = run
        self._reading = reading
        self._lake = lake
        self._before = before

    @cached_property
    def _manifests(self) -> dict[str, Manifest]:
        """Those of the runs, the last one first: each says which one it follows."""
        manifests: dict[str, Manifest] = {}
        found: Manifest | None = self._before
        while found is not None:
            if found.added != 0:
                manifests.setdefault(found.run, found)  # the last attempt of a run is found first
            found = self._lake.manifest(found.previous) if found.previous is not None else None
        return manifests

    @property
    def runs(self) -> list[str]:
        """The runs, the first one first."""
        return list(reversed(self._manifests))

    def read(self, run: str, types: Mapping[str, str], path: Path) -> LocalFile:
        """The records of a run, in a Parquet file with `_run`.

        Args:
            types: those of the columns that become text.
            path: where the file goes.

        Raises:
            UnreadableData: a page cannot be read any more.
        """
        manifest = self._manifests[run]
        datasource = Datasource.model_validate(manifest.spec["datasource"])
        index = FetchIndex.model_validate_json(self._lake.get(manifest.spec["index"]))
        mine = self._run.model_copy(update={"id": run})
        with self._lake.scratch() as scratch, ExitStack() as stack:
            records, connection = self._reading.read(mine, datasource, index, stack, scratch, types)
            connection.execute(f"COPY ({append_upsert.with_run(records.query, run)}) {copy_to(path)}")
        kinds = {column.name: column.type for column in records.columns}
        return LocalFile(path, kinds, records.count)
