"""Merging again what was merged with an erased record: the result is what the inputs without it give."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sluice.container import Container
from sluice.domain.dataset import InputVersion, Manifest, Tombstone, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.erasure import key_text
from sluice.domain.merge import ConcatenationMerge, JoinMerge, RecursiveMerge, UnionMerge, merge_of
from sluice.domain.override import Override
from sluice.domain.run import cap_notes
from sluice.domain.schema import Column, convert
from sluice.erasure.plan import find_manifest
from sluice.errors import CannotErase, Invalid, NotFound
from sluice.lake import object_keys
from sluice.lake.parquet import display_query, engine, literal, quoted
from sluice.merge.input_versions import Inputs, with_local_files
from sluice.merge.key_matching import parse_key
from sluice.merge.merger import Merger, merge_fingerprint
from sluice.merge.parallel_merge import ParallelMerge, Plan, PlannedSource
from sluice.merge.plan import Source
from sluice.merge.provenance import row_column

Affected = set[tuple[DatasetId, int]]
MergeKey = tuple[str, ...]


@dataclass
class MergedVersions:
    """The merged versions that have read a version with the record.

    Args:
        services: the catalog and the lake.
        affected: the datasources' versions that have had the record.
        tombstone: what the manifests say of it afterwards.
        keys: the keys under which merges had the record, by dataset.
    """

    services: Container
    affected: Affected
    tombstone: Tombstone
    keys: Mapping[str, Collection[MergeKey]] = field(default_factory=dict)

    def versions(self) -> Iterator[tuple[DatasetId, Version, Manifest]]:
        """The versions to merge again; those that are done, too."""
        for dataset in self.services.erasures.datasets("project"):
            if dataset.resource is not None:
                continue
            for version in self.services.erasures.versions(dataset):
                manifest = find_manifest(self.services, version.manifest_key)
                if manifest is not None and any(
                    (DatasetId.of_datasource(read.datasource), read.version) in self.affected
                    for read in manifest.inputs
                ):
                    yield dataset, version, manifest

    def rewrite(self) -> Affected:
        """Merge the versions again, each in the place of the old one; remove those that cannot be.

        Returns:
            All versions that were merged with the record.
        """
        found: Affected = set()
        for dataset, version, manifest in self.versions():
            found.add((dataset, version.number))
            if not self._has_inputs(manifest):
                self.services.erasures.remove_version(dataset, version.number)
                continue
            if not any(tombstone.run == self.tombstone.run for tombstone in manifest.erased):
                manifest = self._merged_again(dataset, version, manifest)
                self.services.lake.put_json(version.manifest_key, manifest.model_dump(mode="json"))
            self.services.erasures.update_version(dataset, version.number, manifest)
        return found

    def require_possible(self, dataset: DatasetId, version: Version, manifest: Manifest) -> None:
        """Check that a version can be merged again or removed.

        Raises:
            CannotErase: it is published, and one of its inputs was removed.
        """
        if self._has_inputs(manifest) or self.services.datasets.pointer(dataset).published != version.number:
            return
        raise CannotErase(
            f"The published version {version.number} of {dataset} cannot be merged again, since a version that it was "
            "merged from was removed; refresh the project, then redrive the run."
        )

    def _has_inputs(self, manifest: Manifest) -> bool:
        try:
            for read in manifest.inputs:
                self._source(read)
        except NotFound:
            return False
        return True

    def _merged_again(self, dataset: DatasetId, version: Version, manifest: Manifest) -> Manifest:
        merge = merge_of(manifest.spec["merge"])
        sources = [self._source(read) for read in manifest.inputs]
        overrides = self._kept_overrides(dataset, manifest)
        settings = self.services.settings
        spec = {"merge": manifest.spec["merge"]}
        if overrides:
            spec["overrides"] = [override.model_dump(mode="json") for override in overrides]
        documents = not isinstance(merge, JoinMerge | UnionMerge)
        merger = Merger(self.services.datasets, self.services.lake, settings, overrides)
        inputs = Inputs(sources=sources, stale=manifest.stale)
        parts = merger.part_count(merge, inputs)
        changed = manifest.model_copy(
            update={
                "spec": spec,
                "inputs": [source.input for source in sources],
                "erased": [*manifest.erased, self.tombstone],
                "provenance": [],
                "starts": [],
                "document": None,
            }
        )
        changed.fingerprint = merge_fingerprint(spec, inputs, parts, documents=documents)
        folder = f"{version.manifest_key.removesuffix('/manifest.json')}/erased-{self.tombstone.run.lower()}"
        if parts > 1:
            changed = self._in_parts(changed, folder, sources, parts)
        else:
            with self.services.lake.scratch() as scratch:
                merger.write(folder, merge, with_local_files(sources, self.services.lake), changed, scratch.parent)
            notes = [note for note in manifest.warnings if note not in manifest.merge_warnings]
            changed.warnings = cap_notes([*notes, *changed.merge_warnings])
        return changed

    def _in_parts(self, manifest: Manifest, folder: str, sources: list[Source], parts: int) -> Manifest:
        """Merge in parts, one after the other in this process."""
        plan = Plan(
            folder=object_keys.erased_work_folder(self.tombstone.run, manifest.fingerprint),
            version_folder=folder,
            manifest=manifest,
            notes=[note for note in manifest.warnings if note not in manifest.merge_warnings],
            sources=[PlannedSource.of(source) for source in sources],
            parts=parts,
            portion_rows=self.services.settings.merge_partition_rows,
        )
        parallel = ParallelMerge.start(plan, self.services.lake, self.services.settings)
        stage = parallel.next_stage()
        while stage is not None:
            name, numbers = stage
            for number in numbers:
                ParallelMerge.open(plan.folder, self.services.lake, self.services.settings).work(name, number)
            parallel = ParallelMerge.open(plan.folder, self.services.lake, self.services.settings)
            stage = parallel.next_stage(name)
        return parallel.manifest()

    def _source(self, read: InputVersion) -> Source:
        stored = self.services.datasets.any_version(DatasetId.of_datasource(read.datasource), read.version)
        manifest = self.services.lake.manifest(stored.manifest_key)
        changes = {"rows": stored.rows, "fingerprint": stored.fingerprint, "hash": manifest.content_hash}
        columns = {column.name: column for column in stored.schema_}
        return Source(read.model_copy(update=changes), columns, [], manifest.position, manifest, manifest.objects)

    def _kept_overrides(self, dataset: DatasetId, manifest: Manifest) -> list[Override]:
        overrides = [Override.model_validate(document) for document in manifest.spec.get("overrides", [])]
        return [override for override in overrides if not is_of_record(manifest, override, self.keys.get(dataset, []))]


def is_of_record(manifest: Manifest, override: Override, keys: Collection[MergeKey]) -> bool:
    """Whether an override is of a record that the erased one was merged into.

    Args:
        manifest: the manifest of the merged version.
        override: the override.
        keys: the keys of the erased record in merges of the project, as texts.
    """
    spec = merge_of(manifest.spec["merge"])
    if not keys or isinstance(spec, RecursiveMerge | ConcatenationMerge):
        return False
    columns = {column.name: column for column in manifest.columns}
    try:
        parsed = parse_key(spec, [columns[name] for name in manifest.key or []], override.key)
    except Invalid:  # the merge ignored this override for the same reason
        return False
    return tuple(map(key_text, parsed)) in keys


def merge_keys(services: Container, manifest: Manifest, places: Mapping[int, Collection[int]]) -> set[MergeKey]:
    """The keys of the merged rows that were made of some rows of the inputs, as texts.

    Args:
        services: the lake.
        manifest: the manifest of the merged version.
        places: the numbers of the rows, by the rank of the input.

    Returns:
        The keys; empty if the rows have no key.
    """
    if not manifest.key:
        return set()
    by_name = {column.name: column for column in manifest.columns}
    columns = [by_name[name] for name in manifest.key]
    terms = [f"{row_column(rank)} IN ({', '.join(map(str, rows))})" for rank, rows in places.items() if rows]
    keys: set[MergeKey] = set()
    lake, settings = services.lake, services.settings
    for data, provenance in zip(manifest.objects, manifest.provenance, strict=False):
        data_path = lake.local(data.key, data.sha256)
        provenance_path = lake.local(provenance.key, provenance.sha256)
        with lake.scratch() as scratch, engine(settings, scratch.parent) as connection:
            query = f"""
                SELECT {", ".join(f"data.{quoted(column.name)}" for column in columns)}
                FROM read_parquet({literal(str(data_path))}, file_row_number = true) AS data
                JOIN read_parquet({literal(str(provenance_path))}, file_row_number = true) AS provenance
                USING (file_row_number) WHERE {" OR ".join(terms) or "false"}
            """
            found = connection.execute(display_query(query, columns)).fetchall()
        keys |= {tuple(stored_text(column, value) for column, value in zip(columns, row, strict=True)) for row in found}
    return keys


def stored_text(column: Column, value: Any) -> str:
    """A value of a merged key as `parse_key` returns it, as text."""
    return value if column.type == "json" else key_text(convert(value, column.type))
