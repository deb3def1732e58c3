"""The extract stage: raw pages to one version's Parquet and manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from sluice import __version__
from sluice.domain.dataset import DataObject, Manifest, Origin, Version
from sluice.domain.datasource import Datasource
from sluice.domain.names import now, rfc3339
from sluice.domain.run import Drop, FetchIndex, Run, capped, worst_of
from sluice.domain.schema import Column
from sluice.errors import UnreadableData
from sluice.extract import additions, key_check
from sluice.extract.document import DocumentFile
from sluice.extract.doubts import carry_doubts
from sluice.extract.empty import columns_without_records
from sluice.extract.rows import RowFile
from sluice.formats.error_pages import require_no_error, shape_of
from sluice.formats.limits import Limits
from sluice.formats.page import open_page
from sluice.lake import keys
from sluice.lake.parquet import LocalFile, copy_to, data_object, engine, engine_name, rows_of
from sluice.lake.store import Lake
from sluice.settings import Settings


@dataclass(frozen=True)
class Base:
    """The published version that a run may add to.

    Args:
        number: 0 when nothing is published.
        version: that version; none when there is none, or the run does not add to it.
        known: the version whose columns one without records keeps: the published one; of a replay, the replayed one.
    """

    number: int
    version: Version | None = None
    known: Version | None = None


class Extractor:
    """Makes the version of one run.

    Args:
        tick: is told how many records were read, now and then; it may end the work by raising.
    """

    def __init__(
        self,
        run: Run,
        datasource: Datasource,
        index: FetchIndex,
        base: Base,
        lake: Lake,
        settings: Settings,
        tick: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._tick = tick
        self._run = run
        self._datasource = datasource
        self._index = index
        self._base = base
        self._lake = lake
        self._settings = settings
        self._adds = datasource.write_disposition != "replace"
        self._before = lake.manifest(base.version.manifest_key) if base.version and self._adds else None
        self._fingerprint = fingerprint_of(run, datasource, index, self._before)
        self._folder = keys.version_folder(run, self._fingerprint)

    def extract(self) -> str:
        """Write the version that the run's pages make.

        Returns:
            The key of its manifest, for the commit.

        Raises:
            UnreadableData: a page is not what the datasource says; the detail names it.
        """
        manifest = self._repeated() or self._made()
        carry_doubts(manifest, self._before, brings_whole=self._datasource.brings_whole)
        key = keys.manifest(self._folder)
        self._lake.put_json(key, manifest.model_dump(mode="json"))
        return key

    def _repeated(self) -> Manifest | None:
        """The version before, when the file that would be added to it is in it already."""
        if self._before is None or self._datasource.kind != "file":
            return None
        if not additions.seen_before(self._before, self._index.pages[0].hash or ""):
            return None
        about = self._about([], ["these bytes were added before: nothing was added"])
        kept = {"columns", "objects", "rows", "bytes", "fingerprint", "pages"}
        again = {name: getattr(self._before, name) for name in kept}
        return about.model_copy(update={**again, "once": True, "added": 0})

    def _made(self) -> Manifest:
        limits = Limits.of(self._settings)
        with self._lake.scratch() as scratch, ExitStack() as stack:
            document = None
            if not self._adds:
                document = stack.enter_context(DocumentFile(scratch.with_name("document.json.gz")))
            known = [column.name for column in self._before.columns] if self._before is not None else []
            rows = RowFile(scratch.with_name("rows.jsonl"), document, self._tick, known)
            columns, warnings = rows.fill(self._run, self._datasource, self._index, self._lake, limits)
            if rows.count == 0:
                self._require_no_error(limits)
            kept = self._kept(columns, rows)
            manifest = self._about(columns if kept is None else kept, warnings)
            if kept is not None and self._base.known is not None:
                manifest.columns_of = self._base.known.number
                manifest.warnings.append(f"there are no records: the columns of version {manifest.columns_of} are kept")
            if not self._adds:
                stack.close()
                return self._replacement(scratch, rows, manifest)
            return self._addition(scratch, rows, manifest)

    def _require_no_error(self, limits: Limits) -> None:
        """Refuse a run without records whose only page says that it is an error."""
        pages = self._index.pages
        if not self._datasource.brings_whole or self._datasource.allow_missing or len(pages) != 1:
            return
        with (
            self._lake.raw(pages[0].hash or "") as content,
            open_page(self._datasource, pages[0], content, limits) as page,
        ):
            require_no_error(shape_of(page, [], listed=True), 0)

    def _kept(self, columns: list[Column], rows: RowFile) -> list[Column] | None:
        """The columns of a version without records, if the version before decides about them."""
        known = self._base.known
        if self._adds or rows.count or known is None:
            return None
        named = rows.names_columns or self._datasource.selects_columns
        kept = columns_without_records(columns, known.schema_, named=named)
        if kept == columns:
            return None
        # They decide about the bytes, and only here: equal pages with records are one version whatever came before.
        self._fingerprint = fingerprint_of(self._run, self._datasource, self._index, None, kept)
        self._folder = keys.version_folder(self._run, self._fingerprint)
        return kept

    def _about(self, columns: list[Column], warnings: list[str]) -> Manifest:
        """The manifest but for its objects."""
        run, datasource, index = self._run, self._datasource, self._index
        pages = [page.hash or "" for page in index.pages]
        # Only files are told apart by their bytes for ever; pushes would make the list endless.
        earlier = self._before.pages if self._before is not None and datasource.kind == "file" else []
        return Manifest(
            dataset=f"datasource/{datasource.slug}",
            run=run.id,
            attempt=run.attempt,
            stage="records",
            created_at=rfc3339(now()),
            data_as_of=index.fetched_at,
            columns=columns,
            objects=[],
            rows=0,
            bytes=0,
            completeness=index.completeness,
            completeness_reasons=index.completeness_reasons,
            warnings=capped([*index.completeness_reasons, *index.warnings, *warnings]),
            fingerprint=self._fingerprint,
            engine=engine_name(),
            pages=[*earlier, *pages],
            spec={
                "datasource": datasource.model_dump(mode="json", by_alias=True),
                "index": keys.fetch_index(run, index.attempt),
            },
            origin=_origin(run.drop, index) if run.drop else None,
            once=datasource.kind == "file",
            disposition=datasource.write_disposition or "replace",
            base=self._base.number if self._adds else None,
            previous=self._base.version.manifest_key if self._before is not None and self._base.version else None,
        )

    def _replacement(self, scratch: Path, rows: RowFile, manifest: Manifest) -> Manifest:
        query = rows.query(manifest.columns)
        part = self._written(scratch.with_name("part.parquet"), query, keys.data(self._folder, 0), rows.count)
        self._check_key(scratch.with_name("part.parquet"), manifest)
        document = scratch.with_name("document.json.gz")
        kept = data_object(keys.document(self._folder), document, rows.count)
        self._lake.put_file(kept.key, document)
        return manifest.model_copy(update={"objects": [part], "rows": part.rows, "bytes": part.bytes, "document": kept})

    def _check_key(self, path: Path, manifest: Manifest) -> None:
        """Warn of new records that the primary key does not tell apart: all of them stay in the version."""
        key = self._datasource.primary_key
        if key and manifest.columns:
            with engine(self._settings, path.parent) as connection:
                notes = key_check.notes(connection, path, key, [column.name for column in manifest.columns])
            manifest.warnings = capped([*manifest.warnings, *notes])

    def _written(self, path: Path, query: str, key: str, rows: int | None = None) -> DataObject:
        """A Parquet file of a query's rows, in the lake."""
        with engine(self._settings, path.parent) as connection:
            answer = connection.execute(f"COPY ({query}) {copy_to(path)}").fetchone()
        part = data_object(key, path, rows if rows is not None else int(answer[0] if answer else 0))
        self._lake.put_file(part.key, path)
        return part

    def _addition(self, scratch: Path, rows: RowFile, manifest: Manifest) -> Manifest:
        fresh = manifest.columns
        known = self._before.columns if self._before is not None else []
        objects = self._before.objects if self._before is not None else []
        columns = additions.together(known, fresh, empty=not (self._before and self._before.rows))
        new = additions.with_run(rows.query(fresh), self._run.id)
        path = scratch.with_name("part.parquet")
        update: dict[str, Any] = {"columns": columns, "added": rows.count}
        if self._datasource.write_disposition == "upsert":
            parts = [self._upserted(path, new, manifest, columns, objects)]
        else:
            part = self._written(path, new, keys.data(self._folder, 0), rows.count)
            self._check_key(path, manifest)
            mine = {"columns": _types(fresh), "run": self._run.id}
            before = self._of_others(scratch, [_with_types(one, known) for one in objects], columns)
            parts = self._compacted(scratch, [*before, part.model_copy(update=mine)], columns)
        update |= {
            "objects": parts,
            "rows": sum(part.rows for part in parts),
            "bytes": sum(part.bytes for part in parts),
        }
        return manifest.model_copy(update=update)

    def _upserted(
        self, path: Path, new: str, manifest: Manifest, columns: list[Column], objects: list[DataObject]
    ) -> DataObject:
        key = self._datasource.primary_key or []
        known = self._before.columns if self._before is not None else []
        if manifest.columns:
            additions.require_key(key, known, manifest.columns)
        fresh = path.with_name("fresh.parquet")
        with engine(self._settings, path.parent) as connection:
            connection.execute(f"COPY ({new}) {copy_to(fresh)}")
            if manifest.columns:
                left_out = [f"{note} and were left out" for note in key_check.lacking(connection, fresh, key)]
                _lower(manifest, left_out)
        before = self._lake.local_files([_with_types(one, known) for one in objects])
        if before:
            self._require_old_key(path, before, columns, key)
        query = additions.upsert_query(before, LocalFile(fresh, _types(manifest.columns)), columns, key)
        return self._written(path, query, keys.data(self._folder, 0))

    def _require_old_key(self, path: Path, before: list[LocalFile], columns: list[Column], key: list[str]) -> None:
        """Refuse to leave out rows that are there, for want of a key that was changed since."""
        rows = rows_of(before, columns, [])
        with engine(self._settings, path.parent) as connection:
            keyless = key_check.count_without(connection, rows, key)
        if keyless:
            raise UnreadableData(
                f"{keyless} rows of the dataset have no value in the primary key {', '.join(key)}, which was "
                "changed since; put it back, or make a new datasource."
            )

    def _of_others(self, scratch: Path, parts: list[DataObject], columns: list[Column]) -> list[DataObject]:
        """What other runs have brought: a redriven run's own records come anew, and only once."""
        kept = []
        for number, part in enumerate(parts, start=2):
            if part.run == self._run.id:
                continue
            if part.run is None and self._run.attempt > 1:
                file = self._lake.local_files([part])[0]
                query = additions.others_query(file, columns, self._run.id)
                path = scratch.with_name(f"others-{number}.parquet")
                part = self._written(path, query, keys.data(self._folder, number))
                part = part.model_copy(update={"columns": _types(columns)})
            kept.append(part)
        return kept

    def _compacted(self, scratch: Path, parts: list[DataObject], columns: list[Column]) -> list[DataObject]:
        """The files of an appended version; one, when they have become too many to read quickly."""
        if len(parts) <= self._settings.max_version_objects:
            return parts
        query = additions.compacted_query(self._lake.local_files(parts), columns)
        return [self._written(scratch.with_name("compact.parquet"), query, keys.data(self._folder, 1))]


def _lower(manifest: Manifest, reasons: list[str]) -> None:
    """Note what a version lacks of that which its run was given: it is not complete then."""
    if not reasons:
        return
    manifest.completeness = worst_of([manifest.completeness, "unproven"])
    manifest.completeness_reasons = capped([*manifest.completeness_reasons, *reasons])
    manifest.warnings = capped([*manifest.warnings, *reasons])


def _types(columns: list[Column]) -> dict[str, str]:
    return {column.name: column.type for column in columns}


def _with_types(part: DataObject, columns: list[Column]) -> DataObject:
    """An object of the version before, which had the columns of that version if it does not say."""
    return part if part.columns is not None else part.model_copy(update={"columns": _types(columns)})


# What of a datasource's document decides about the records that its pages give.
_DECIDING = {
    "kind",
    "format",
    "csv",
    "xlsx",
    "records",
    "allow_missing",
    "fields",
    "types",
    "primary_key",
    "write_disposition",
}


def fingerprint_of(
    run: Run, datasource: Datasource, index: FetchIndex, before: Manifest | None, kept: list[Column] | None = None
) -> str:
    """A hash of all that decides about a version's bytes: pages, document, release, engine.

    Args:
        before: the version that this one adds to.
        kept: the columns of a version without records, where an earlier version decides about them.
    """
    expressions = set((datasource.fields or {}).values())
    decides: dict[str, Any] = {
        "release": __version__,
        "engine": engine_name(),
        "datasource": datasource.model_dump(mode="json", include=_DECIDING),
        # Media type and ending decide about the format where the datasource does not.
        "pages": [
            [page.hash, page.media_type, (page.filename or "").rpartition(".")[2].lower()] for page in index.pages
        ],
        "completeness": index.completeness,
    }
    numbers = [page.number for page in index.pages]
    if numbers != list(range(1, len(numbers) + 1)):
        decides["numbers"] = numbers  # a second reading of the pages goes on counting
    if datasource.kind == "file":
        expressions = set()  # the same bytes twice are one version, whenever they came
    if "$run" in expressions:
        decides["run"] = run.id
    if "$fetched_at" in expressions:
        decides["fetched_at"] = [page.fetched_at for page in index.pages]
    if datasource.write_disposition != "replace":
        decides |= {"run": run.id, "before": before.fingerprint if before is not None else None}
    if kept is not None:
        decides["columns"] = [column.model_dump() for column in kept]
    text = orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)
    return "sha256:" + hashlib.sha256(text).hexdigest()


def _origin(drop: Drop, index: FetchIndex) -> Origin:
    page = index.pages[0]
    return Origin(
        key=drop.key,
        sequencer=drop.sequencer,
        modified=page.last_modified,
        older_in_second=page.older_in_second or 0,
    )
