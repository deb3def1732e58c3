"""The extract stage: raw pages to one version's Parquet and manifest."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.domain.dataset import Manifest, Origin, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.names import now, rfc3339
from sluice.domain.run import Drop, FetchIndex, Run, cap_notes
from sluice.domain.schema import Column
from sluice.extract import append_upsert
from sluice.extract.by_record.typing import TogetherOnlyError
from sluice.extract.columnar.watch import watched
from sluice.extract.empty import columns_without_records, nothing_query
from sluice.extract.fingerprint import fingerprint_of
from sluice.extract.history import History
from sluice.extract.incompleteness import carry_doubts
from sluice.extract.known_types import with_known_types
from sluice.extract.parallel_reading import ParallelReading, parts_of
from sluice.extract.reading import PageReading, loses_text
from sluice.extract.records import Records
from sluice.extract.writing import Writer
from sluice.formats.error_pages import require_no_error, shape_of
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import open_page
from sluice.lake import object_keys
from sluice.lake.parquet import engine, engine_name
from sluice.lake.store import Lake
from sluice.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


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
        known = [column.name for column in self._before.columns] if self._before is not None else []
        self._reading = PageReading(lake, settings, known, tick)
        pages = parts_of(index.pages, settings.extract_part_bytes)
        self._fingerprint = fingerprint_of(run, datasource, index, self._before, parts=list(map(len, pages)))
        self._folder = object_keys.version_folder(run, self._fingerprint)
        self.work_folder = object_keys.work_folder(run, self._fingerprint)
        known_types = with_known_types(datasource, index)
        about = (run, known_types, index, self._reading, lake, self.work_folder)
        self._parts: ParallelReading | None = None
        if len(pages) > 1:
            self._parts = ParallelReading(*about, pages, adds=self._adds, becoming=self._becoming_text)

    def next_stage(self, ended: str | None = None) -> tuple[str, list[int]] | None:
        """Where the pages are too many for one worker: the stage that comes next, and its workers' numbers.

        Args:
            ended: the stage whose workers have ended just now.

        Returns:
            None when the version can be made.

        Raises:
            RunError: pages cannot be read; or workers have left nothing.
        """
        if self._parts is None:
            return None
        try:
            return self._parts.next_stage(ended)
        except TogetherOnlyError:
            self._parts = None
            return None

    def work(self, stage: str, number: int) -> None:
        """Do one worker's part of a stage."""
        assert self._parts is not None, "the same pages are the same parts"
        self._parts.work(stage, number)

    def extract(self) -> str:
        """Write the version that the run's pages make.

        Returns:
            The key of its manifest, for the commit.

        Raises:
            UnreadableData: a page is not what the datasource says; the detail names it.
        """
        manifest = self._repeated() or self._made()
        carry_doubts(manifest, self._before, brings_whole=self._datasource.brings_whole)
        key = object_keys.manifest(self._folder)
        self._lake.put_json(key, manifest.model_dump(mode="json"))
        return key

    def _repeated(self) -> Manifest | None:
        """The version before, when the file that would be added to it is in it already."""
        if self._before is None or not self._datasource.brings_file:
            return None
        if not append_upsert.seen_before(self._before, self._index.pages[0].hash or ""):
            return None
        about = self._about([], ["these bytes were added before: nothing was added"])
        kept = {"columns", "objects", "rows", "bytes", "fingerprint", "pages"}
        again = {name: getattr(self._before, name) for name in kept}
        return about.model_copy(update={**again, "once": True, "added": 0})

    def _read(self, stack: ExitStack, scratch: Path) -> tuple[Records, DuckDBPyConnection]:
        """The records, read here or by workers before."""
        if self._parts is not None:
            records = self._parts.records()
            if records.count:
                return records, stack.enter_context(engine(self._settings, scratch.parent))
        pages = (self._run, self._datasource, self._index, stack, scratch)
        records, connection = self._reading.read(*pages, {})
        becoming = self._becoming_text(records.columns)
        if becoming:
            connection.close()
            records, connection = self._reading.read(*pages, becoming)
        return records, connection

    def _made(self) -> Manifest:
        limits = Limits.of(self._settings)
        with self._lake.scratch() as scratch, ExitStack() as stack:
            records, connection = self._read(stack, scratch)
            columns = self._together(records.columns)
            if records.count == 0:
                self._require_no_error(limits)
            kept = self._kept(records)
            warnings = [*records.warnings, *self._text_notes(columns)]
            manifest = self._about(records.columns if kept is None else kept, warnings)
            if kept is not None and self._base.known is not None:
                manifest.columns_of = self._base.known.number
                manifest.warnings.append(f"there are no records: the columns of version {manifest.columns_of} are kept")
                records = replace(records, columns=kept, query=nothing_query(kept))
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

    def _together(self, read: list[Column]) -> list[Column]:
        """The columns of the version: those of the records, and of the version before where it is added to."""
        if not self._adds:
            return read
        before = self._before.columns if self._before else []
        empty = not (self._before and self._before.rows)
        key = (self._datasource.primary_key or []) if self._datasource.write_disposition == "upsert" else []
        if key and read:
            append_upsert.require_key(key, before, read)
        return append_upsert.together(before, read, empty=empty, key=key)

    def _becoming_text(self, read: list[Column]) -> dict[str, str]:
        """The columns whose values are text in the dataset, and were read as something else."""
        found = {column.name: column for column in read}
        becoming = {one.name: one.type for one in self._together(read) if loses_text(found.get(one.name), one)}
        return becoming | self._replayed_as_text(found)

    def _replayed_as_text(self, found: dict[str, Column]) -> dict[str, str]:
        """Of a replay, the columns that are text since several runs brought values of JSON of different kinds.

        One run that brings all of them has a type for them, too: `json`, or a decimal.
        """
        known = self._base.known
        if self._run.replay is None or not self._adds or known is None:
            return {}
        before = Datasource.model_validate(self._lake.manifest(known.manifest_key).spec["datasource"])
        if before.fields != self._datasource.fields:
            return {}
        texts = [one.name for one in known.schema_ if one.type == "string" and not one.guessed]
        read = [found[name] for name in texts if name in found and before.declared_type(name) is None]
        return {one.name: "string" for one in read if one.from_json and one.type not in ("string", "bigint", "double")}

    def _text_notes(self, columns: list[Column]) -> list[str]:
        """What is said of columns that are text from this run on."""
        known = {column.name: column for column in self._before.columns} if self._before else {}
        changed = [one for one in columns if one.type == "string" and loses_text(known.get(one.name), one)]
        return [
            f"{one.name}: it was {known[one.name].type} and is text now, with every value as it was received; "
            "set its type in `types` to keep one"
            for one in changed
        ]

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

    def _kept(self, records: Records) -> list[Column] | None:
        """The columns of a version without records, if the version before decides about them."""
        known = self._base.known
        if self._adds or records.count or known is None:
            return None
        named = records.names_columns or self._datasource.selects_columns
        kept = columns_without_records(records.columns, known.schema_, named=named)
        if kept == records.columns:
            return None
        # They decide about the bytes, and only here: equal pages with records are one version whatever came before.
        self._fingerprint = fingerprint_of(self._run, self._datasource, self._index, None, kept)
        self._folder = object_keys.version_folder(self._run, self._fingerprint)
        return kept

    def _about(self, columns: list[Column], warnings: list[str]) -> Manifest:
        """The manifest but for its objects."""
        run, datasource, index = self._run, self._datasource, self._index
        pages = [page.hash or "" for page in index.pages]
        # Only files are told apart by their bytes for ever; pushes would make the list endless.
        earlier = self._before.pages if self._before is not None and datasource.brings_file else []
        return Manifest(
            dataset=DatasetId.of_datasource(datasource.slug),
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
            warnings=cap_notes([*index.completeness_reasons, *index.warnings, *warnings]),
            fingerprint=self._fingerprint,
            engine=engine_name(),
            pages=[*earlier, *pages],
            spec={
                "datasource": datasource.model_dump(mode="json", by_alias=True),
                "index": object_keys.fetch_index(run, index.attempt),
            },
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
