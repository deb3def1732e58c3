"""A merge in parts, whose state is objects in the lake: the plan, and one result for each worker of each stage.

The key of a result follows from its stage and number. So a worker that is called twice writes the same object
twice, and the next stage to run follows from the results that exist.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from sluice.domain.base import Record
from sluice.domain.dataset import DataObject, InputVersion, Manifest
from sluice.domain.merge import JoinMerge, UnionMerge, merge_of
from sluice.domain.override import Override
from sluice.domain.run import cap_notes
from sluice.domain.schema import Column
from sluice.errors import MergeFailed
from sluice.lake import object_keys
from sluice.lake.ordered import range_starts
from sluice.lake.parquet import data_object
from sluice.lake.store import Lake
from sluice.merge.notes import Notes, merge_lost_digits, merge_notes
from sluice.merge.partition import Partitioner, Portion, Sample, divide_files, make_partitioner, sampling_interval
from sluice.merge.plan import Source
from sluice.settings import Settings

Stage = Literal["sample", "split", "merge"]
STAGES: tuple[Stage, ...] = ("sample", "split", "merge")
# Concurrent requests to S3; each waits for the network, so threads suffice.
_AT_ONCE = 16


class PlannedSource(Record):
    """One input of the merge: a `Source` without its local files, as it is stored in the plan."""

    input: InputVersion
    columns: list[Column]
    objects: list[DataObject]
    position: list[str]

    @classmethod
    def of(cls, source: Source) -> PlannedSource:
        """Return the document of a source."""
        columns = list(source.columns.values())
        return cls(input=source.input, columns=columns, objects=source.objects, position=source.position)

    def source(self) -> Source:
        """Return the source, without files."""
        columns = {column.name: column for column in self.columns}
        return Source(self.input, columns, [], self.position, objects=self.objects)


class Plan(Record):
    """The plan of a merge in parts, for its workers.

    Args:
        folder: the lake folder of the plan and of the workers' results.
        version_folder: the lake folder of the merged version.
        manifest: the manifest of the merged version, without its objects and columns.
        notes: the warnings about the inputs.
        sources: the inputs, best ranked first.
        parts: the number of parts to aim at.
        portion_rows: the number of rows that one worker samples or splits.
    """

    folder: str
    version_folder: str
    manifest: Manifest
    notes: list[str]
    sources: list[PlannedSource]
    parts: int
    portion_rows: int


class Slice(Record):
    """The rows of one part within a pack: a Parquet file at an offset, both in bytes."""

    part: int
    offset: int
    length: int


class Pack(Record):
    """The result of splitting a portion: one object with a Parquet file for each part, one after the other.

    An object for each part of each portion would need as many PUT requests as parts times portions.
    """

    key: str = ""
    slices: list[Slice] = Field(default_factory=list)


class PartResult(Record):
    """The result of merging one part."""

    data: DataObject
    provenance: DataObject | None
    columns: list[Column]
    key: list[str]
    fields: list[str]
    notes: Notes


class ParallelMerge:
    """One merge in parts.

    Args:
        plan: the plan, as `start` stores it.
        lake: where inputs, the plan, results and the version are.
        settings: the engine's limits.
    """

    def __init__(self, plan: Plan, lake: Lake, settings: Settings) -> None:
        self._plan = plan
        self._lake = lake
        self._settings = settings
        self._stored = [source.source() for source in plan.sources]
        self._having = [source for source in self._stored if source.columns]

    @classmethod
    def open(cls, folder: str, lake: Lake, settings: Settings) -> ParallelMerge:
        """Open a merge that was started.

        Args:
            folder: the lake folder of its plan.
            lake: where the plan is read.
            settings: the engine's limits.
        """
        return cls(Plan.model_validate_json(lake.get(object_keys.work_plan(folder))), lake, settings)

    @classmethod
    def start(cls, plan: Plan, lake: Lake, settings: Settings) -> ParallelMerge:
        """Check and store the plan of a new merge.

        Args:
            plan: the plan.
            lake: where the plan is stored.
            settings: the engine's limits.

        Raises:
            MergeFailed: the specification does not fit the columns.
        """
        merge = cls(plan, lake, settings)
        with lake.scratch() as scratch:
            # Reports errors of the specification before any worker starts.
            merge._partitioner(scratch.parent, [])
        lake.put_json(object_keys.work_plan(plan.folder), plan.model_dump(mode="json"))
        return merge

    @property
    def folder(self) -> str:
        """The lake folder of the plan and of the workers' results."""
        return self._plan.folder

    @property
    def version_folder(self) -> str:
        """The lake folder of the merged version."""
        return self._plan.version_folder

    # ---------------------------------------------------------------- progress

    def next_stage(self, ended: str | None = None) -> tuple[Stage, list[int]] | None:
        """Return the next stage and the numbers of its workers; None if all stages are done.

        Args:
            ended: the stage whose workers have just ended.

        Raises:
            MergeFailed: some workers of `ended` left no result.
        """
        # All stages are checked on each call, not only the one that ended: the answer depends on the objects in the
        # lake alone, so a repeated call or a redrive gives the same answer.
        for stage in STAGES:
            missing = [number for number, result in enumerate(self._results(stage)) if result is None]
            if not missing:
                continue
            if stage == ended:
                raise MergeFailed(
                    f"{len(missing)} workers of the merge ended without a result in the stage {stage!r}, the first is "
                    f"number {missing[0]}: they ran out of memory, disk or time. Lower MERGE_PARTITION_ROWS."
                )
            return stage, missing
        return None

    def _results(self, stage: Stage) -> list[Any | None]:
        count = len(self._starts) if stage == "merge" else len(self._portions)
        keys = [object_keys.work_result(self.folder, stage, number) for number in range(count)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self._lake.find_json, keys))

    @cached_property
    def _portions(self) -> list[Portion]:
        rows = [[part.rows for part in source.objects] for source in self._having]
        return divide_files(rows, self._plan.portion_rows)

    @cached_property
    def _samples(self) -> list[Sample]:
        return [Sample.model_validate(result or {}) for result in self._results("sample")]

    @cached_property
    def _starts(self) -> list[str]:
        """The first key of each part, from the sampled keys and their numbers of rows."""
        weights: dict[str, int] = {}
        for sampled in self._samples:
            for key, rows in sampled.keys.items():
                weights[key] = weights.get(key, 0) + rows
        return range_starts(weights, self._plan.parts)

    # ---------------------------------------------------------------- workers

    def work(self, stage: str, number: int) -> None:
        """Do the work of one worker and store its result.

        Args:
            stage: one of `STAGES`.
            number: the worker's number: of a portion, or of a part in the stage `merge`.

        Raises:
            MergeFailed: the specification does not fit the data.
        """
        with self._lake.scratch() as scratch:
            partition = self._partitioner(scratch.parent, self._samples if stage != "sample" else [])
            if stage == "sample":
                result = self._sample(partition, number, scratch.parent).model_dump(mode="json")
            elif stage == "split":
                result = self._split(partition, number, scratch.parent).model_dump(mode="json")
            else:
                result = self._merge(partition, number, scratch.parent).model_dump(mode="json")
        self._lake.put_json(object_keys.work_result(self.folder, stage, number), result)

    def _partitioner(self, folder: Path, samples: list[Sample]) -> Partitioner:
        """Return the stages of this merge.

        Args:
            folder: where the engine may write temporary files.
            samples: the samples of the portions; empty before that stage.
        """
        spec = merge_of(self._plan.manifest.spec["merge"])
        assert isinstance(spec, JoinMerge | UnionMerge), "documents are not merged in parts"
        wide: list[set[str]] = [set() for _ in self._having]
        for portion, sample in zip(self._portions, samples, strict=False):
            wide[portion.rank] |= set(sample.wide)
        wide_columns = iter(wide)
        wide_by_source = [next(wide_columns) if source.columns else set() for source in self._stored]
        return make_partitioner(spec, self._stored, wide_by_source, self._settings, folder)

    def _download(self, portion: Portion) -> Source:
        """Return a source with the local files of a portion."""
        source = self._having[portion.rank]
        files = self._lake.local_files(source.objects[portion.first : portion.first + portion.count])
        return portion.select(source, files)

    def _sample(self, partition: Partitioner, number: int, folder: Path) -> Sample:
        portion = self._portions[number]
        one_in = sampling_interval(
            sum(stored.rows for source in self._having for stored in source.objects), self._plan.parts
        )
        return partition.sample(portion.rank, self._download(portion), one_in, folder)

    def _split(self, partition: Partitioner, number: int, folder: Path) -> Pack:
        portion = self._portions[number]
        pieces = partition.split(portion.rank, self._download(portion), self._starts, folder)
        if not pieces:
            return Pack()
        packed, slices = folder / "pack", []
        with packed.open("wb") as file:
            for part, piece in pieces:
                slices.append(Slice(part=part, offset=file.tell(), length=piece.stat().st_size))
                file.write(piece.read_bytes())
                piece.unlink()
        # The key has a hash of the content: if a worker runs twice and its second run ends late, it cannot replace
        # an object that others already read by offsets.
        key = object_keys.merge_pack(self.folder, number, data_object("", packed, 0).sha256)
        self._lake.put_file(key, packed)
        return Pack(key=key, slices=slices)

    def _merge(self, partition: Partitioner, number: int, folder: Path) -> PartResult:
        overrides = [Override.model_validate(document) for document in self._plan.manifest.spec.get("overrides", [])]
        pieces = self._pieces(number, folder)
        merged = partition.merge(pieces, overrides, folder)
        version = self._plan.version_folder
        data = data_object(object_keys.data(version, number), merged.data, merged.rows)
        self._lake.put_file(data.key, merged.data)
        provenance = None
        if merged.provenance is not None:
            provenance = data_object(object_keys.provenance(version, number), merged.provenance, merged.rows)
            self._lake.put_file(provenance.key, merged.provenance)
        about = {"columns": merged.columns, "key": merged.key, "fields": merged.fields, "notes": merged.notes}
        return PartResult(data=data, provenance=provenance, **about)

    def _pieces(self, number: int, folder: Path) -> list[list[Path]]:
        """Download the rows of one part: the files for each source that has columns."""
        packs = [Pack.model_validate(slice_) for slice_ in self._results("split")]
        pieces: list[list[Path]] = [[] for _ in self._having]
        downloads: list[tuple[str, Slice, Path]] = []
        for portion, pack in zip(self._portions, packs, strict=True):
            for slice_ in pack.slices:
                if slice_.part != number:
                    continue
                path = folder / f"piece-{len(downloads)}.parquet"
                downloads.append((pack.key, slice_, path))
                pieces[portion.rank].append(path)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda download: self._download_slice(*download), downloads))
        return pieces

    def _download_slice(self, key: str, slice_: Slice, path: Path) -> None:
        self._lake.download_slice(key, slice_.offset, slice_.length, path)

    # ---------------------------------------------------------------- the manifest

    def manifest(self) -> Manifest:
        """Return the manifest of the merged version. Parts without rows are left out; if all are empty, one is kept."""
        parts = [PartResult.model_validate(result) for result in self._results("merge")]
        kept = [number for number, part in enumerate(parts) if part.data.rows] or [0]
        manifest = self._plan.manifest.model_copy(deep=True)
        manifest.objects = [parts[number].data for number in kept]
        manifest.provenance = [provenance for number in kept if (provenance := parts[number].provenance) is not None]
        manifest.rows = sum(stored.rows for stored in manifest.objects)
        manifest.bytes = sum(stored.bytes for stored in manifest.objects)
        manifest.columns, manifest.fields, manifest.key = parts[0].columns, parts[0].fields, parts[0].key or None
        if manifest.key:
            manifest.starts = ["", *(self._starts[number] for number in kept[1:])]
        notes = merge_notes([part.notes for part in parts])
        sampled = [lost for sample in self._samples for lost in sample.lost]
        notes.lost = merge_lost_digits([*sampled, *notes.lost])
        manifest.merge_warnings = notes.warnings()
        manifest.warnings = cap_notes([*self._plan.notes, *manifest.merge_warnings])
        return manifest
