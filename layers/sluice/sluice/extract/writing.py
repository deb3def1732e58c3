"""The Parquet files of a version: a run's records alone, or added to those of the version before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.domain.counts import counted
from sluice.domain.dataset import DataObject, Manifest
from sluice.domain.datasource import Datasource
from sluice.domain.run import Run, cap_notes, least_complete
from sluice.domain.schema import Column
from sluice.errors import UnreadableData
from sluice.extract import append_upsert, key_check
from sluice.extract.history import History
from sluice.extract.reading import loses_original_text
from sluice.extract.records import Records
from sluice.lake import object_keys
from sluice.lake.parquet import LocalFile, copy_to, data_object, rows_of
from sluice.lake.store import Lake

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_COPIED_AT_ONCE = 16


class Writer:
    """Writes the objects of one version.

    Args:
        run: the run.
        datasource: the document.
        manifest: the manifest of the version, without objects.
        before: the manifest of the version that this one adds to; None if it stands alone.
        lake: the store of objects.
        folder: where the version is stored.
        connection: the engine, which has the records.
        scratch: a path in a folder for temporary files.
        most_objects: with files of more runs than this, all are rewritten as one file.
        history: reads the records of earlier runs again; None if there are none.
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
        self._numbers = count()

    def replace(self, records: Records) -> Manifest:
        """Write a version with the run's records alone, and return its manifest."""
        fresh = self._write_new(records, records.query)
        self._check_key(fresh)
        return self._complete_manifest(fresh)

    def append(self, records: Records, columns: list[Column]) -> Manifest:
        """Write a version with the run's records after those of the version before.

        Args:
            records: the records of the run.
            columns: the columns of the version.

        Returns:
            The manifest.
        """
        fresh = self._write_new(records, append_upsert.with_run(records.query, self._run.id))
        self._check_key(fresh)
        own = {"columns": types_of(records.columns), "run": self._run.id}
        others = self._rebuild_texts(self._objects_of_other_runs(columns), columns)
        parts = self._compact([*others, *(part.model_copy(update=own) for part in fresh)], columns)
        return self._complete_manifest(parts, columns=columns, added=records.count)

    def upsert(self, records: Records, columns: list[Column]) -> Manifest:
        """Write a version in which the run's records replace those with the same key.

        Args:
            records: the records of the run.
            columns: the columns of the version.

        Returns:
            The manifest.

        Raises:
            UnreadableData: rows of the version before have no value in the primary key.
        """
        key = self._datasource.primary_key or []
        fresh = self._local(records.parts)
        if not records.parts:
            # A file of its own, since the rows are read several times: to check the key, and for the upsert.
            fresh = [self._scratch.with_name("fresh.parquet")]
            query = append_upsert.with_run(records.query, self._run.id)
            self._connection.execute(f"COPY ({query}) {copy_to(fresh[0])}")
        # Without records there is no key column to check.
        if records.columns:
            warnings = key_check.missing_key_warnings(self._connection, fresh, key)
            _note_missing_records(self._manifest, [f"{note}; left out" for note in warnings])
        before = self._previous_files(columns)
        if before:
            self._require_old_key(before, columns, key)
        new = [LocalFile(path, types_of(records.columns)) for path in fresh]
        query = append_upsert.upsert_query(before, new, columns, key)
        part = self._write(query)
        return self._complete_manifest([part], columns=columns, added=records.count)

    def _write_new(self, records: Records, query: str) -> list[DataObject]:
        """Write the objects with the run's own records.

        Args:
            records: the records.
            query: the SQL of the rows, which is used if no object contains them yet.
        """
        if not records.parts:
            return [self._write(query, records.count)]
        copies = [part.model_copy(update={"key": self._new_key()}) for part in records.parts]
        with ThreadPoolExecutor(_COPIED_AT_ONCE) as pool:
            # Copies, because workers' results expire. S3 makes them, so the rows do not pass through this function.
            list(pool.map(lambda part, copy: self._lake.copy(part.key, copy.key), records.parts, copies))
        return copies

    def _local(self, parts: list[DataObject]) -> list[Path]:
        """The files of objects: those written here, and downloads of the others."""
        here = {part.key: self._path(part.key) for part in parts}
        return [
            here[part.key] if here[part.key].exists() else self._lake.local(part.key, part.sha256) for part in parts
        ]

    def _path(self, key: str) -> Path:
        return self._scratch.with_name(key.rpartition("/")[2])

    def _new_key(self) -> str:
        """The key of the version's next object."""
        return object_keys.data(self._folder, next(self._numbers))

    def _complete_manifest(self, parts: list[DataObject], **more: Any) -> Manifest:
        sizes = {"rows": sum(part.rows for part in parts), "bytes": sum(part.bytes for part in parts)}
        return self._manifest.model_copy(update={"objects": parts, **sizes, **more})

    def _previous_objects(self) -> list[DataObject]:
        """The objects of the version before, each with its columns."""
        parts = self._before.objects if self._before is not None else []
        types = types_of(self._known)
        return [part if part.columns is not None else part.model_copy(update={"columns": types}) for part in parts]

    def _columns_turned_to_text(self, part: DataObject, columns: list[Column]) -> dict[str, str]:
        """The columns of an object that become text now, with their new types."""
        types, known = part.columns or {}, {column.name: column for column in self._known}
        old_columns = {
            name: Column(name=name, type=kind, guessed=name in known and known[name].guessed)
            for name, kind in types.items()
        }
        return {
            column.name: column.type for column in columns if loses_original_text(old_columns.get(column.name), column)
        }

    def _previous_files(self, columns: list[Column]) -> list[LocalFile]:
        """The rows of the version before; if some of its values become text, read again from the pages."""
        parts = self._previous_objects()
        text_columns = {
            name: kind for part in parts for name, kind in self._columns_turned_to_text(part, columns).items()
        }
        if not text_columns or self._history is None:
            return self._lake.local_files(parts)
        runs = [run for run in self._history.runs if run != self._run.id]
        paths = [self._scratch.with_name(f"again-{number}.parquet") for number in range(len(runs))]
        return [self._history.read(run, text_columns, path) for run, path in zip(runs, paths, strict=True)]

    def _rebuild_texts(self, parts: list[DataObject], columns: list[Column]) -> list[DataObject]:
        """The objects; those with columns that become text are rebuilt from the pages of their runs."""
        rebuilt: list[DataObject] = []
        single_runs = {part.run for part in parts}
        rebuilt_runs: set[str] = set()
        for part in parts:
            text_columns = self._columns_turned_to_text(part, columns)
            if not text_columns or self._history is None:
                rebuilt.append(part)
                continue
            # An object without a run is a compacted one: it has the rows of all runs that have no object of their own.
            shared_runs = [run for run in self._history.runs if run not in single_runs | {self._run.id}]
            runs = [part.run] if part.run is not None else shared_runs
            # A run that was read in parts has many objects, but is rebuilt once.
            for run in [run for run in runs if run not in rebuilt_runs]:
                rebuilt_runs.add(run)
                path = self._scratch.with_name(f"again-{run}.parquet")
                file = self._history.read(run, text_columns, path)
                item = data_object(self._new_key(), path, file.rows)
                self._lake.put_file(item.key, path)
                rebuilt.append(item.model_copy(update={"columns": file.columns, "run": run}))
        return rebuilt

    def _write(self, query: str, rows: int | None = None) -> DataObject:
        """Write a query's rows to a Parquet file, in the lake and on this disk."""
        key = self._new_key()
        path = self._path(key)
        answer = self._connection.execute(f"COPY ({query}) {copy_to(path)}").fetchone()
        part = data_object(key, path, rows if rows is not None else int(answer[0] if answer else 0))
        self._lake.put_file(part.key, path)
        return part

    def _check_key(self, fresh: list[DataObject]) -> None:
        """Warn about new records that the primary key does not identify; all of them are kept."""
        key, manifest = self._datasource.primary_key, self._manifest
        if key and manifest.columns:
            notes = key_check.key_warnings(
                self._connection, self._local(fresh), key, [column.name for column in manifest.columns]
            )
            manifest.warnings = cap_notes([*manifest.warnings, *notes])

    def _require_old_key(self, before: list[LocalFile], columns: list[Column], key: list[str]) -> None:
        """Refuse an upsert that would lose existing rows because the primary key was changed."""
        keyless = key_check.count_without_key(self._connection, rows_of(before, columns, []), key)
        if keyless:
            raise UnreadableData(
                f"{counted(keyless, 'row of the dataset has', 'rows of the dataset have')} no value in the primary key "
                f"{', '.join(key)}, which was changed. Restore the old key, or create a new datasource."
            )

    def _objects_of_other_runs(self, columns: list[Column]) -> list[DataObject]:
        """The objects of other runs. A redriven run's own records are replaced, so that they are not there twice."""
        kept = []
        for part in self._previous_objects():
            if part.run == self._run.id:
                continue
            # A compacted object may contain rows of this run's earlier attempt, which must be replaced, not repeated.
            if part.run is None and self._run.attempt > 1:
                file = self._lake.local_files([part])[0]
                query = append_upsert.other_runs_query(file, columns, self._run.id)
                part = self._write(query)
                part = part.model_copy(update={"columns": types_of(columns)})
            kept.append(part)
        return kept

    def _compact(self, parts: list[DataObject], columns: list[Column]) -> list[DataObject]:
        """The files of an appended version; one file if there are too many to read fast."""
        # Parts of one run count once: a large run must not cause compaction by itself.
        if len({part.run or part.key for part in parts}) <= self._most_objects:
            return parts
        query = append_upsert.compacted_query(self._lake.local_files(parts), columns)
        return [self._write(query)]


def types_of(columns: list[Column]) -> dict[str, str]:
    """The types of columns by name."""
    return {column.name: column.type for column in columns}


def _note_missing_records(manifest: Manifest, reasons: list[str]) -> None:
    """Mark a version as incomplete because records were left out."""
    if not reasons:
        return
    manifest.completeness = least_complete([manifest.completeness, "unproven"])
    manifest.completeness_reasons = cap_notes([*manifest.completeness_reasons, *reasons])
    manifest.warnings = cap_notes([*manifest.warnings, *reasons])
