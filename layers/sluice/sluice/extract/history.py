"""Reads the pages of earlier runs again."""

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
    """Reads the pages of earlier runs again when one of their columns becomes text.

    Formatting the stored number would not restore the text that was received: `1.50` would become `1.5`, and `1` in a
    column with fractions `1.0`.

    Args:
        before: the manifest of the version with the runs' records.
        run: the run that needs them.
        reading: reads pages.
        lake: the store of manifests and pages.
    """

    def __init__(self, before: Manifest, run: Run, reading: PageReading, lake: Lake) -> None:
        self._run = run
        self._reading = reading
        self._lake = lake
        self._before = before

    @cached_property
    def _manifests(self) -> dict[str, Manifest]:
        """The manifests by run, the last run first. Each manifest names the previous one."""
        manifests: dict[str, Manifest] = {}
        manifest: Manifest | None = self._before
        while manifest is not None:
            if manifest.added != 0:
                manifests.setdefault(manifest.run, manifest)  # the chain starts with the last attempt of a run
            manifest = self._lake.manifest(manifest.previous) if manifest.previous is not None else None
        return manifests

    @property
    def runs(self) -> list[str]:
        """The ids of the runs, the first one first."""
        return list(reversed(self._manifests))

    def read(self, run: str, types: Mapping[str, str], path: Path) -> LocalFile:
        """Read the records of a run into a Parquet file with `_run`.

        Args:
            run: the id of the run.
            types: the types of the columns that become text.
            path: the file to write.

        Raises:
            UnreadableData: a page can no longer be read.
        """
        manifest = self._manifests[run]
        datasource = Datasource.model_validate(manifest.spec["datasource"])
        index = FetchIndex.model_validate_json(self._lake.get(manifest.spec["index"]))
        earlier_run = self._run.model_copy(update={"id": run})
        with self._lake.scratch() as scratch, ExitStack() as stack:
            records, connection = self._reading.read(earlier_run, datasource, index, stack, scratch, types)
            connection.execute(f"COPY ({append_upsert.with_run(records.query, run)}) {copy_to(path)}")
        kinds = {column.name: column.type for column in records.columns}
        return LocalFile(path, kinds, records.count)
