"""The Parquet files of a run's version: its records alone, or added to those of the version before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.domain.dataset import DataObject, Manifest
from sluice.domain.datasource import Datasource
from sluice.domain.run import Run, capped, worst_of
from sluice.domain.schema import Column
from sluice.errors import UnreadableData
from sluice.extract import additions, key_check
from sluice.extract.history import History
from sluice.extract.reading import loses_text
from sluice.extract.records import Records
from sluice.lake import keys
from sluice.lake.parquet import LocalFile, copy_to, data_object, rows_of
from sluice.lake.store import Lake

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Writer:
    """Writes the objects of one version.

    Args:
        manifest: of the version, but for its objects.
        before: the manifest of the version that this one adds to; none if it stands alone.
        folder: where the version is kept.
        scratch: a path whose folder may be written.
        most_objects: above so many files a version is made one file.
        history: reads the records of earlier runs again; none where there are none.
    """

    def __init__(
        self,
        run: Run,
        datasource: Datasource,
        manifest: Manifest,
        before: Manifest | None,
        lake: Lake,
        folder: str,
        connection: DuckDBPyConnection,
        scratch: Path,
        most_objects: int,
        history: History | None = None,
    ) -> None:
        self._run = run
        self._datasource = datasource
        self._manifest = manifest
        self._before = before
        self._known = before.columns if before is not None else []
        self._lake = lake
        self._folder = folder
        self._connection = connection
        self._scratch = scratch
        self._most_objects = most_objects
        self._history = history

    def replace(self, records: Records) -> Manifest:
        """The manifest of a version that has the records of the run alone."""
        path = self._scratch.with_name("part.parquet")
        part = self._written(path, records.query, keys.data(self._folder, 0), records.count)
        self._check_key(path)
        return self._with([part])

    def append(self, records: Records, columns: list[Column]) -> Manifest:
        """The manifest of a version that has the records of the run behind those of the version before.

        Args:
            columns: those of the version.
        """
        path = self._scratch.with_name("part.parquet")
        new = additions.with_run(records.query, self._run.id)
        part = self._written(path, new, keys.data(self._folder, 0), records.count)
        self._check_key(path)
        mine = {"columns": types_of(records.columns), "run": self._run.id}
        others = self._as_received(self._of_others(columns), columns)
        parts = self._compacted([*others, part.model_copy(update=mine)], columns)
        return self._with(parts, columns=columns, added=records.count)

    def upsert(self, records: Records, columns: list[Column]) -> Manifest:
        """The manifest of a version in which the records of the run take the place of those with the same key."""
        key = self._datasource.primary_key or []
        fresh = self._scratch.with_name("fresh.parquet")
        self._connection.execute(f"COPY ({additions.with_run(records.query, self._run.id)}) {copy_to(fresh)}")
        if records.columns:
            lacking = key_check.lacking(self._connection, fresh, key)
            _lower(self._manifest, [f"{note} and were left out" for note in lacking])
        before = self._before_upsert(columns)
        if before:
            self._require_old_key(before, columns, key)
        query = additions.upsert_query(before, LocalFile(fresh, types_of(records.columns)), columns, key)
        part = self._written(self._scratch.with_name("part.parquet"), query, keys.data(self._folder, 0))
        return self._with([part], columns=columns, added=records.count)

    def _with(self, parts: list[DataObject], **more: Any) -> Manifest:
        sizes = {"rows": sum(part.rows for part in parts), "bytes": sum(part.bytes for part in parts)}
        return self._manifest.model_copy(update={"objects": parts, **sizes, **more})

    def _parts_before(self) -> list[DataObject]:
        """The objects of the version before, each with its columns."""
        parts = self._before.objects if self._before is not None else []
        types = types_of(self._known)
        return [part if part.columns is not None else part.model_copy(update={"columns": types}) for part in parts]

    def _becoming_text(self, part: DataObject, columns: list[Column]) -> dict[str, str]:
        """The columns of an object that become text now, with their types then."""
        types, known = part.columns or {}, {column.name: column for column in self._known}
        had = {
            name: Column(name=name, type=kind, guessed=name in known and known[name].guessed)
            for name, kind in types.items()
        }
        return {one.name: one.type for one in columns if loses_text(had.get(one.name), one)}

    def _before_upsert(self, columns: list[Column]) -> list[LocalFile]:
        """The rows of the version before; of all its runs, where some of them become text."""
        parts = self._parts_before()
        becoming = {name: kind for part in parts for name, kind in self._becoming_text(part, columns).items()}
        if not becoming or self._history is None:
            return self._lake.local_files(parts)
        runs = [run for run in self._history.runs if run != self._run.id]
        paths = [self._scratch.with_name(f"again-{number}.parquet") for number in range(len(runs))]
        return [self._history.read(run, becoming, path) for run, path in zip(runs, paths, strict=True)]

    def _as_received(self, parts: list[DataObject], columns: list[Column]) -> list[DataObject]:
        """The objects, those with columns that become text made again from the pages of their runs."""
        made, number = [], 1 + len(parts)
        single = {part.run for part in parts}
        for part in parts:
            becoming = self._becoming_text(part, columns)
            if not becoming or self._history is None:
                made.append(part)
                continue
            several = [run for run in self._history.runs if run not in single | {self._run.id}]
            for run in [part.run] if part.run is not None else several:
                number += 1
                path = self._scratch.with_name(f"again-{number}.parquet")
                file = self._history.read(run, becoming, path)
                again = data_object(keys.data(self._folder, number), path, file.rows)
                self._lake.put_file(again.key, path)
                made.append(again.model_copy(update={"columns": file.columns, "run": run}))
        return made

    def _written(self, path: Path, query: str, key: str, rows: int | None = None) -> DataObject:
        """A Parquet file of a query's rows, in the lake."""
        answer = self._connection.execute(f"COPY ({query}) {copy_to(path)}").fetchone()
        part = data_object(key, path, rows if rows is not None else int(answer[0] if answer else 0))
        self._lake.put_file(part.key, path)
        return part

    def _check_key(self, path: Path) -> None:
        """Warn of new records that the primary key does not tell apart: all of them stay in the version."""
        key, manifest = self._datasource.primary_key, self._manifest
        if key and manifest.columns:
            notes = key_check.notes(self._connection, path, key, [column.name for column in manifest.columns])
            manifest.warnings = capped([*manifest.warnings, *notes])

    def _require_old_key(self, before: list[LocalFile], columns: list[Column], key: list[str]) -> None:
        """Refuse to leave out rows that are there, for want of a key that was changed since."""
        keyless = key_check.count_without(self._connection, rows_of(before, columns, []), key)
        if keyless:
            raise UnreadableData(
                f"{keyless} rows of the dataset have no value in the primary key {', '.join(key)}, which was "
                "changed since; put it back, or make a new datasource."
            )

    def _of_others(self, columns: list[Column]) -> list[DataObject]:
        """What other runs have brought: a redriven run's own records come anew, and only once."""
        kept = []
        for number, part in enumerate(self._parts_before(), start=2):
            if part.run == self._run.id:
                continue
            if part.run is None and self._run.attempt > 1:
                file = self._lake.local_files([part])[0]
                query = additions.others_query(file, columns, self._run.id)
                path = self._scratch.with_name(f"others-{number}.parquet")
                part = self._written(path, query, keys.data(self._folder, number))
                part = part.model_copy(update={"columns": types_of(columns)})
            kept.append(part)
        return kept

    def _compacted(self, parts: list[DataObject], columns: list[Column]) -> list[DataObject]:
        """The files of an appended version; one, when they have become too many to read quickly."""
        if len(parts) <= self._most_objects:
            return parts
        query = additions.compacted_query(self._lake.local_files(parts), columns)
        return [self._written(self._scratch.with_name("compact.parquet"), query, keys.data(self._folder, 1))]


def types_of(columns: list[Column]) -> dict[str, str]:
    """The types of columns, by their names."""
    return {column.name: column.type for column in columns}


def _lower(manifest: Manifest, reasons: list[str]) -> None:
    """Note what a version lacks of that which its run was given: it is not complete then."""
    if not reasons:
        return
    manifest.completeness = worst_of([manifest.completeness, "unproven"])
    manifest.completeness_reasons = capped([*manifest.completeness_reasons, *reasons])
    manifest.warnings = capped([*manifest.warnings, *reasons])
