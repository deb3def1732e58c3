"""The extract stage: from raw pages to the Parquet files and manifest of one version."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.domain.dataset import Manifest, Origin, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.run import Drop, FetchIndex, Run, cap_notes
from sluice.domain.schema import Column
from sluice.extract import append_upsert
from sluice.extract.by_record.typing import NeedsSingleReaderError
from sluice.extract.columnar.watch import watched
from sluice.extract.empty import columns_without_records, nothing_query
from sluice.extract.fingerprint import records_fingerprint
from sluice.extract.history import History
from sluice.extract.incompleteness import carry_doubts
from sluice.extract.known_types import with_known_types
from sluice.extract.parallel_reading import ParallelReading, split_pages
from sluice.extract.reading import PageReading, loses_original_text
from sluice.extract.records import Records
from sluice.extract.writing import Writer
from sluice.formats.error_pages import require_no_error, shape_of
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import open_page
from sluice.lake import object_keys
from sluice.lake.parquet import engine
from sluice.lake.store import Lake
from sluice.settings import Settings
from sluice.versions.draft import draft_manifest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Base:
    """The published version that a run may add to.

    Args:
        number: its number; 0 if nothing is published.
        version: the version; None if there is none, or the run does not add to it.
        known: the version whose columns a version without records keeps: the published one, or the one that a replay
            replays.
    """

    number: int
    version: Version | None = None
    known: Version | None = None


class Extractor:
    """Makes the version of one run.

    Args:
        run: the run.
        datasource: the datasource as it was when the run started.
        index: the pages that were fetched.
        base: the published version.
        lake: the store of pages and versions.
        settings: the settings.
        tick: called now and then with the number of records; it may stop the work by raising.
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
        # An append or upsert needs the whole manifest; a replacement only the columns of the version.
        self._before = lake.manifest(base.version.manifest_key) if base.version and self._adds else None
        known = [column.name for column in self._before.columns] if self._before is not None else []
        self._reading = PageReading(lake, settings, known, tick)
        # Parts follow from the pages and one setting, so that every call and every worker splits them alike.
        pages = split_pages(index.pages, settings.extract_part_bytes)
        self._fingerprint = records_fingerprint(run, datasource, index, self._before, parts=list(map(len, pages)))
        self._folder = object_keys.version_folder(run, self._fingerprint)
        self.work_folder = object_keys.work_folder(run, self._fingerprint)
        known_types = with_known_types(datasource, index)
        shared = (run, known_types, index, self._reading, lake, self.work_folder)
        self._parts: ParallelReading | None = None
        if len(pages) > 1:
            self._parts = ParallelReading(
                *shared, pages, adds=self._adds, find_text_columns=self._columns_turned_to_text
            )

    def next_stage(self, ended: str | None = None) -> tuple[str, list[int]] | None:
        """The next stage for workers, if there are too many pages for one.

        Args:
            ended: the stage whose workers have just ended.

        Returns:
            The stage and the numbers of its workers; None when `extract` can be called.

        Raises:
            RunError: pages cannot be read, or workers ended without a result.
        """
        if self._parts is None:
            return None
        try:
            return self._parts.next_stage(ended)
        except NeedsSingleReaderError:
            self._parts = None
            return None

    def work(self, stage: str, number: int) -> None:
        """Do one worker's part of a stage.

        Args:
            stage: the stage, as `next_stage` returned it.
            number: the number of the worker.
        """
        assert self._parts is not None, "workers split the pages as next_stage did"
        self._parts.work(stage, number)

    def extract(self) -> str:
        """Write the version and its manifest.

        Returns:
            The key of the manifest, for the commit.

        Raises:
            UnreadableData: a page is not what the datasource declares; the detail names the page.
        """
        manifest = self._duplicate_manifest() or self._build_manifest()
        carry_doubts(manifest, self._before, brings_whole=self._datasource.brings_whole)
        key = object_keys.manifest(self._folder)
        self._lake.put_json(key, manifest.model_dump(mode="json"))
        return key

    def _duplicate_manifest(self) -> Manifest | None:
        """A manifest that equals the version before, if the dropped file was added to it already."""
        if self._before is None or not self._datasource.brings_file:
            return None
        if not append_upsert.was_added_before(self._before, self._index.pages[0].hash or ""):
            return None
        draft = self._draft([], ["this file was added before; nothing was added"])
        copied = {"columns", "objects", "rows", "bytes", "fingerprint", "pages"}
        unchanged = {name: getattr(self._before, name) for name in copied}
        return draft.model_copy(update={**unchanged, "once": True, "added": 0})

    def _read(self, stack: ExitStack, scratch: Path) -> tuple[Records, DuckDBPyConnection]:
        """The records: read here, or earlier by workers."""
        if self._parts is not None:
            records = self._parts.records()
            # Without records there are no rows to write; reading the pages here gives their columns.
            if records.count:
                return records, stack.enter_context(engine(self._settings, scratch.parent))
        pages = (self._run, self._datasource, self._index, stack, scratch)
        records, connection = self._reading.read(*pages, {})
        text_columns = self._columns_turned_to_text(records.columns)
        if text_columns:
            # Read again with these columns as text: a number formatted as text is not always the original text.
            stack.close()
            records, connection = self._reading.read(*pages, text_columns)
        return records, connection

    def _build_manifest(self) -> Manifest:
        limits = Limits.of(self._settings)
        with self._lake.scratch() as scratch, ExitStack() as stack:
            records, connection = self._read(stack, scratch)
            columns = self._merged_columns(records.columns)
            if records.count == 0:
                self._require_no_error(limits)
            inherited = self._inherited_columns(records)
            warnings = [*records.warnings, *self._text_warnings(columns)]
            manifest = self._draft(records.columns if inherited is None else inherited, warnings)
            if inherited is not None and self._base.known is not None:
                manifest.columns_of = self._base.known.number
                manifest.warnings.append(
                    f"there are no records; the columns of version {manifest.columns_of} were kept"
                )
                records = replace(records, columns=inherited, query=nothing_query(inherited))
            # The queries that write may take minutes: a cancelled run interrupts them.
            stack.enter_context(watched(connection, self._tick))
            writer = Writer(
                self._run,
                self._datasource,
                manifest,
                self._before,
                self._lake,
                self._folder,
                connection,
                scratch,
                self._settings.max_version_objects,
                History(self._before, self._run, self._reading, self._lake) if self._before else None,
            )
            if not self._adds:
                return writer.replace(records)
            adds = writer.upsert if self._datasource.write_disposition == "upsert" else writer.append
            return adds(records, columns)

    def _merged_columns(self, read: list[Column]) -> list[Column]:
        """The columns of the version: those of the records, and of the version before where it is added to."""
        if not self._adds:
            return read
        before = self._before.columns if self._before else []
        empty = not (self._before and self._before.rows)
        key = (self._datasource.primary_key or []) if self._datasource.write_disposition == "upsert" else []
        if key and read:
            append_upsert.require_key(key, before, read)
        return append_upsert.merge_columns(before, read, empty=empty, key=key)

    def _columns_turned_to_text(self, read: list[Column]) -> dict[str, str]:
        """The columns whose values are text in the dataset but were read as another type."""
        read_columns = {column.name: column for column in read}
        text_columns = {
            column.name: column.type
            for column in self._merged_columns(read)
            if loses_original_text(read_columns.get(column.name), column)
        }
        return text_columns | self._replayed_as_text(read_columns)

    def _replayed_as_text(self, read_columns: dict[str, Column]) -> dict[str, str]:
        """The columns of a replay that are text because several runs brought JSON values of different kinds.

        A single run with all of those values would infer another type, `json` or a decimal, but the replay must give
        the types of the version that it replays.
        """
        replayed = self._base.known
        if self._run.replay is None or not self._adds or replayed is None:
            return {}
        before = Datasource.model_validate(self._lake.manifest(replayed.manifest_key).spec["datasource"])
        # With other fields the columns are not those of the replayed version, so its types mean nothing.
        if before.fields != self._datasource.fields:
            return {}
        texts = [column.name for column in replayed.schema_ if column.type == "string" and not column.guessed]
        read = [read_columns[name] for name in texts if name in read_columns and before.declared_type(name) is None]
        return {
            column.name: "string"
            for column in read
            if column.from_json and column.type not in ("string", "bigint", "double")
        }

    def _text_warnings(self, columns: list[Column]) -> list[str]:
        """Warnings about columns that become text in this run."""
        old_columns = {column.name: column for column in self._before.columns} if self._before else {}
        changed = [
            column
            for column in columns
            if column.type == "string" and loses_original_text(old_columns.get(column.name), column)
        ]
        return [
            f"{column.name}: the type changed from {old_columns[column.name].type} to text, with all values as "
            "received; set a type in `types` to keep it"
            for column in changed
        ]

    def _require_no_error(self, limits: Limits) -> None:
        """Refuse a run without records whose only page states an error."""
        pages = self._index.pages
        if not self._datasource.brings_whole or self._datasource.allow_missing or len(pages) != 1:
            return
        with (
            self._lake.raw(pages[0].hash or "") as content,
            open_page(self._datasource, pages[0], content, limits) as page,
        ):
            require_no_error(shape_of(page, [], listed=True), 0)

    def _inherited_columns(self, records: Records) -> list[Column] | None:
        """The columns that a version without records keeps from an earlier version; None if it has its own."""
        known = self._base.known
        if self._adds or records.count or known is None:
            return None
        named = records.names_columns or self._datasource.selects_columns
        kept = columns_without_records(records.columns, known.schema_, named=named)
        if kept == records.columns:
            return None
        # The kept columns are part of the content, so of the fingerprint, too. Only here: for pages with records the
        # version before does not matter, and equal pages must give equal fingerprints.
        self._fingerprint = records_fingerprint(self._run, self._datasource, self._index, None, kept)
        self._folder = object_keys.version_folder(self._run, self._fingerprint)
        return kept

    def _draft(self, columns: list[Column], warnings: list[str]) -> Manifest:
        """The manifest without objects."""
        run, datasource, index = self._run, self._datasource, self._index
        pages = [page.hash or "" for page in index.pages]
        # Only files are compared with all earlier ones; for pushes the list would grow without limit.
        earlier = self._before.pages if self._before is not None and datasource.brings_file else []
        return draft_manifest(
            run,
            "records",
            DatasetId.of_datasource(datasource.slug),
            fingerprint=self._fingerprint,
            completeness=index.completeness,
            spec={
                "datasource": datasource.model_dump(mode="json", by_alias=True),
                "index": object_keys.fetch_index(run, index.attempt),
            },
            data_as_of=index.fetched_at,
            columns=columns,
            completeness_reasons=index.completeness_reasons,
            warnings=cap_notes([*index.completeness_reasons, *index.warnings, *warnings]),
            pages=[*earlier, *pages],
            origin=_origin(run.drop, index) if run.drop else None,
            once=datasource.brings_file,
            disposition=datasource.write_disposition or "replace",
            base=self._base.number if self._adds else None,
            previous=self._base.version.manifest_key if self._before is not None and self._base.version else None,
        )


def _origin(drop: Drop, index: FetchIndex) -> Origin:
    page = index.pages[0]
    return Origin(
        key=drop.key,
        sequencer=drop.sequencer,
        modified=page.last_modified,
        older_in_second=page.older_in_second or 0,
    )
