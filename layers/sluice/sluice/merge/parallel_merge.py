"""A merge in parts as it lies in the lake: its plan, what its workers have left there, and what follows.

Every stage's result is an object of its own, found by its number. So a worker that is called again does
the same again, and whoever asks what is to be done next finds it by what is there already.
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
from sluice.lake.ordered import starts_of
from sluice.lake.parquet import data_object
from sluice.lake.store import Lake
from sluice.merge.notes import Notes, lost_together, together
from sluice.merge.partition import Partitioner, Portion, Sample, partitioner, portions, sampled_one_in
from sluice.merge.plan import Source
from sluice.settings import Settings

Stage = Literal["sample", "split", "merge"]
STAGES: tuple[Stage, ...] = ("sample", "split", "merge")
_AT_ONCE = 16


class PlannedSource(Record):
    """One version that takes part: what `Source` says, but for what is on a disk."""

    input: InputVersion
    columns: list[Column]
    objects: list[DataObject]
    position: list[str]

    @classmethod
    def of(cls, source: Source) -> PlannedSource:
        """The same as a document."""
        columns = list(source.columns.values())
        return cls(input=source.input, columns=columns, objects=source.objects, position=source.position)

    def source(self) -> Source:
        """The source as it is stored, without its files."""
        columns = {column.name: column for column in self.columns}
        return Source(self.input, columns, [], self.position, objects=self.objects)


class Plan(Record):
    """All that workers have to know, and all that the manifest says but for what they make.

    Args:
        folder: where the plan and what the workers leave lie.
        version_folder: where the version lies that they make.
        notes: the warnings about the inputs.
        parts: how many are wanted.
        portion_rows: how many rows a worker samples or splits.
    """

    folder: str
    version_folder: str
    manifest: Manifest
    notes: list[str]
    sources: list[PlannedSource]
    parts: int
    portion_rows: int


class Slice(Record):
    """Rows of one part within a pack: a Parquet file that begins at a byte of it."""

    part: int
    offset: int
    length: int


class Pack(Record):
    """What a portion's rows were split into: files one after the other in one object."""

    key: str = ""
    slices: list[Slice] = Field(default_factory=list)


class PartMade(Record):
    """One part of the merged rows."""

    data: DataObject
    provenance: DataObject | None
    columns: list[Column]
    key: list[str]
    fields: list[str]
    notes: Notes


class ParallelMerge:
    """One merge in parts.

    Args:
        plan: as `begin` has written it.
    """

    def __init__(self, plan: Plan, lake: Lake, settings: Settings) -> None:
        self._plan = plan
        self._lake = lake
        self._settings = settings
        self._stored = [one.source() for one in plan.sources]
        self._having = [one for one in self._stored if one.columns]

    @classmethod
    def opened(cls, folder: str, lake: Lake, settings: Settings) -> ParallelMerge:
        """The merge whose plan is in a folder."""
        return cls(Plan.model_validate_json(lake.get(object_keys.work_plan(folder))), lake, settings)

    @classmethod
    def begun(cls, plan: Plan, lake: Lake, settings: Settings) -> ParallelMerge:
        """A new merge, its plan written for its workers.

        Raises:
            MergeFailed: the specification does not fit the columns.
        """
        made = cls(plan, lake, settings)
        with lake.scratch() as scratch:
            made._partitioner(scratch.parent, [])
        lake.put_json(object_keys.work_plan(plan.folder), plan.model_dump(mode="json"))
        return made

    @property
    def folder(self) -> str:
        """Where the plan and what the workers leave lie."""
        return self._plan.folder

    @property
    def version_folder(self) -> str:
        """Where the version lies that is made."""
        return self._plan.version_folder

    # ---------------------------------------------------------------- what is to be done

    def next_stage(self, ended: str | None = None) -> tuple[Stage, list[int]] | None:
        """The stage that comes next and its workers' numbers; none when everything is there.

        Args:
            ended: the stage whose workers have ended just now.

        Raises:
            MergeFailed: some of them have left nothing.
        """
        for stage in STAGES:
            missing = [number for number, found in enumerate(self._results(stage)) if found is None]
            if not missing:
                continue
            if stage == ended:
                raise MergeFailed(
                    f"{len(missing)} of the merge's workers ended without a result in the stage {stage!r}, the first "
                    f"of them number {missing[0]}: they ran out of memory, disk or time; lower MERGE_PARTITION_ROWS."
                )
            return stage, missing
        return None

    def _results(self, stage: Stage) -> list[Any | None]:
        count = len(self._starts) if stage == "merge" else len(self._portions)
        found = [object_keys.work_result(self.folder, stage, number) for number in range(count)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self._lake.find_json, found))

    @cached_property
    def _portions(self) -> list[Portion]:
        rows = [[part.rows for part in one.objects] for one in self._having]
        return portions(rows, self._plan.portion_rows)

    @cached_property
    def _samples(self) -> list[Sample]:
        return [Sample.model_validate(one or {}) for one in self._results("sample")]

    @cached_property
    def _starts(self) -> list[str]:
        """Where the parts begin, by the keys that were sampled."""
        weights: dict[str, int] = {}
        for sampled in self._samples:
            for key, rows in sampled.keys.items():
                weights[key] = weights.get(key, 0) + rows
        return starts_of(weights, self._plan.parts)

    # ---------------------------------------------------------------- what workers do

    def work(self, stage: str, number: int) -> None:
        """Do one worker's part of a stage.

        Raises:
            MergeFailed: the specification does not fit the data.
        """
        with self._lake.scratch() as scratch:
            partition = self._partitioner(scratch.parent, self._samples if stage != "sample" else [])
            if stage == "sample":
                made = self._sampled(partition, number, scratch.parent).model_dump(mode="json")
            elif stage == "split":
                made = self._split(partition, number, scratch.parent).model_dump(mode="json")
            else:
                made = self._merged(partition, number, scratch.parent).model_dump(mode="json")
        self._lake.put_json(object_keys.work_result(self.folder, stage, number), made)

    def _partitioner(self, folder: Path, samples: list[Sample]) -> Partitioner:
        """What workers have to know.

        Args:
            samples: those of the portions, as far as they were taken.
        """
        spec = merge_of(self._plan.manifest.spec["merge"])
        assert isinstance(spec, JoinMerge | UnionMerge), "documents are merged whole"
        wide: list[set[str]] = [set() for _ in self._having]
        for portion, sample in zip(self._portions, samples, strict=False):
            wide[portion.rank] |= set(sample.wide)
        found = iter(wide)
        each = [next(found) if one.columns else set() for one in self._stored]
        return partitioner(spec, self._stored, each, self._settings, folder)

    def _fetched(self, portion: Portion) -> Source:
        """A portion of a source, on this disk."""
        source = self._having[portion.rank]
        files = self._lake.local_files(source.objects[portion.first : portion.first + portion.count])
        return portion.of(source, files)

    def _sampled(self, partition: Partitioner, number: int, folder: Path) -> Sample:
        portion = self._portions[number]
        one_in = sampled_one_in(sum(one.rows for source in self._having for one in source.objects), self._plan.parts)
        return partition.sample(portion.rank, self._fetched(portion), one_in, folder)

    def _split(self, partition: Partitioner, number: int, folder: Path) -> Pack:
        portion = self._portions[number]
        pieces = partition.split(portion.rank, self._fetched(portion), self._starts, folder)
        if not pieces:
            return Pack()
        packed, slices = folder / "pack", []
        with packed.open("wb") as file:
            for part, piece in pieces:
                slices.append(Slice(part=part, offset=file.tell(), length=piece.stat().st_size))
                file.write(piece.read_bytes())
                piece.unlink()
        # Named by its content: a worker that is late cannot change what others read by its slices.
        key = object_keys.merge_pack(self.folder, number, data_object("", packed, 0).sha256)
        self._lake.put_file(key, packed)
        return Pack(key=key, slices=slices)

    def _merged(self, partition: Partitioner, number: int, folder: Path) -> PartMade:
        overrides = [Override.model_validate(one) for one in self._plan.manifest.spec.get("overrides", [])]
        pieces = self._pieces(number, folder)
        made = partition.merge(pieces, overrides, folder)
        version = self._plan.version_folder
        data = data_object(object_keys.data(version, number), made.data, made.rows)
        self._lake.put_file(data.key, made.data)
        provenance = None
        if made.provenance is not None:
            provenance = data_object(object_keys.provenance(version, number), made.provenance, made.rows)
            self._lake.put_file(provenance.key, made.provenance)
        about = {"columns": made.columns, "key": made.key, "fields": made.fields, "notes": made.notes}
        return PartMade(data=data, provenance=provenance, **about)

    def _pieces(self, number: int, folder: Path) -> list[list[Path]]:
        """The files of one part's rows, for each source that has columns."""
        packs = [Pack.model_validate(one) for one in self._results("split")]
        pieces: list[list[Path]] = [[] for _ in self._having]
        wanted: list[tuple[str, Slice, Path]] = []
        for portion, pack in zip(self._portions, packs, strict=True):
            for one in (slice_ for slice_ in pack.slices if slice_.part == number):
                path = folder / f"piece-{len(wanted)}.parquet"
                wanted.append((pack.key, one, path))
                pieces[portion.rank].append(path)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda one: self._lake.slice_to(one[0], one[1].offset, one[1].length, one[2]), wanted))
        return pieces

    # ---------------------------------------------------------------- the end

    def manifest(self) -> Manifest:
        """The manifest of all parts together; those without rows are left out, unless all are."""
        parts = [PartMade.model_validate(one) for one in self._results("merge")]
        kept = [place for place, one in enumerate(parts) if one.data.rows] or [0]
        made = self._plan.manifest.model_copy(deep=True)
        made.objects = [parts[place].data for place in kept]
        made.provenance = [one for place in kept if (one := parts[place].provenance) is not None]
        made.rows, made.bytes = sum(one.rows for one in made.objects), sum(one.bytes for one in made.objects)
        made.columns, made.fields, made.key = parts[0].columns, parts[0].fields, parts[0].key or None
        if made.key:
            made.starts = ["", *(self._starts[place] for place in kept[1:])]
        notes = together([one.notes for one in parts])
        sampled = [lost for sample in self._samples for lost in sample.lost]
        notes.lost = lost_together([*sampled, *notes.lost])
        made.merge_warnings = notes.warnings()
        made.warnings = cap_notes([*self._plan.notes, *made.merge_warnings])
        return made
