"""The Parquet files of a run's version: its records alone, or added to those of the version before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.domain.dataset import DataObject, Manifest
from sluice.domain.datasource import Datasource
from sluice.domain.run import Run, cap_notes, least_complete
from sluice.domain.schema import Column
from sluice.errors import UnreadableData
from sluice.extract import append_upsert, key_check
from sluice.extract.history import History
from sluice.extract.reading import loses_text
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
        manifest: of the version, but for its objects.
        before: the manifest of the version that this one adds to; none if it stands alone.
        folder: where the version is kept.
        scratch: a path whose folder may be written.
        most_objects: above so many runs' files a version is made one file.
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
        self._numbers = count()

    def replace(self, records: Records) -> Manifest:
        """The manifest of a version that has the records of the run alone."""
        fresh = self._fresh(records, records.query)
        self._check_key(fresh)
        return self._with(fresh)

    def append(self, records: Records, columns: list[Column]) -> Manifest:
        """The manifest of a version that has the records of the run behind those of the version before.

        Args:
            columns: those of the version.
        """
        fresh = self._fresh(records, append_upsert.with_run(records.query, self._run.id))
        self._check_key(fresh)
        mine = {"columns": types_of(records.columns), "run": self._run.id}
        others = self._as_received(self._of_others(columns), columns)
        parts = self._compacted([*others, *(part.model_copy(update=mine) for part in fresh)], columns)
        return self._with(parts, columns=columns, added=records.count)

    def upsert(self, records: Records, columns: list[Column]) -> Manifest:
        """The manifest of a version in which the records of the run take the place of those with the same key."""
        key = self._datasource.primary_key or []
        fresh = self._local(records.parts)
        if not records.parts:
            fresh = [self._scratch.with_name("fresh.parquet")]
            query = append_upsert.with_run(records.query, self._run.id)
            self._connection.execute(f"COPY ({query}) {copy_to(fresh[0])}")
        if records.columns:
            lacking = key_check.lacking(self._connection, fresh, key)
            _lower(self._manifest, [f"{note} and were left out" for note in lacking])
        before = self._before_upsert(columns)
        if before:
            self._require_old_key(before, columns, key)
        mine = [LocalFile(path, types_of(records.columns)) for path in fresh]
        query = append_upsert.upsert_query(before, mine, columns, key)
        part = self._written(query)
        return self._with([part], columns=columns, added=records.count)

    def _fresh(self, records: Records, query: str) -> list[DataObject]:
        """The objects with the run's own records.

        Args:
            query: the SQL of the records' rows, where no object has them yet.
        """
        if not records.parts:
            return [self._written(query, records.count)]
        copies = [part.model_copy(update={"key": self._new_key()}) for part in records.parts]
        with ThreadPoolExecutor(_COPIED_AT_ONCE) as pool:
            list(pool.map(lambda part, copy: self._lake.copy(part.key, copy.key), records.parts, copies))
        return copies

    def _local(self, parts: list[DataObject]) -> list[Path]:
        """The files of objects: those that were written here, or else what is brought here."""
        here = {part.key: self._path(part.key) for part in parts}
        return [here[one.key] if here[one.key].exists() else self._lake.local(one.key, one.sha256) for one in parts]

    def _path(self, key: str) -> Path:
        return self._scratch.with_name(key.rpartition("/")[2])

    def _new_key(self) -> str:
        """The key of the version's next object."""
        return object_keys.data(self._folder, next(self._numbers))

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
        made: list[DataObject] = []
        single = {part.run for part in parts}
        again_whole: set[str] = set()
        for part in parts:
            becoming = self._becoming_text(part, columns)
            if not becoming or self._history is None:
                made.append(part)
                continue
            several = [run for run in self._history.runs if run not in single | {self._run.id}]
            runs = [part.run] if part.run is not None else several
            for run in [run for run in runs if run not in again_whole]:  # one that was read in parts has many objects
                again_whole.add(run)
                path = self._scratch.with_name(f"again-{run}.parquet")
                file = self._history.read(run, becoming, path)
                again = data_object(self._new_key(), path, file.rows)
                self._lake.put_file(again.key, path)
                made.append(again.model_copy(update={"columns": file.columns, "run": run}))
        return made

    def _written(self, query: str, rows: int | None = None) -> DataObject:
        """A Parquet file of a query's rows, in the lake and on this disk."""
        key = self._new_key()
        path = self._path(key)
        answer = self._connection.execute(f"COPY ({query}) {copy_to(path)}").fetchone()
        part = data_object(key, path, rows if rows is not None else int(answer[0] if answer else 0))
        self._lake.put_file(part.key, path)
        return part

    def _check_key(self, fresh: list[DataObject]) -> None:
        """Warn of new records that the primary key does not tell apart: all of them stay in the version."""
        key, manifest = self._datasource.primary_key, self._manifest
        if key and manifest.columns:
            notes = key_check.notes(
                self._connection, self._local(fresh), key, [column.name for column in manifest.columns]
            )
            manifest.warnings = cap_notes([*manifest.warnings, *notes])

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
        for part in self._parts_before():
            if part.run == self._run.id:
                continue
            if part.run is None and self._run.attempt > 1:
                file = self._lake.local_files([part])[0]
                query = append_upsert.others_query(file, columns, self._run.id)
                part = self._written(query)
                part = part.model_copy(update={"columns": types_of(columns)})
            kept.append(part)
        return kept

    def _compacted(self, parts: list[DataObject], columns: list[Column]) -> list[DataObject]:
        """The files of an appended version; one, when those of too many runs would be slow to read."""
        if len({part.run or part.key for part in parts}) <= self._most_objects:
            return parts
        query = append_upsert.compacted_query(self._lake.local_files(parts), columns)
        return [self._written(query)]


def types_of(columns: list[Column]) -> dict[str, str]:
    """The types of columns, by their names."""
    return {column.name: column.type for column in columns}


def _lower(manifest: Manifest, reasons: list[str]) -> None:
    """Note what a version lacks of that which its run was given: it is not complete then."""
    if not reasons:
        return
    manifest.completeness = least_complete([manifest.completeness, "unproven"])
    manifest.completeness_reasons = cap_notes([*manifest.completeness_reasons, *reasons])
    manifest.warnings = cap_notes([*manifest.warnings, *reasons])
