"""Merge the published versions of a project's datasources into one version of the project's dataset."""

from __future__ import annotations

import gzip
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluice.catalog.assignments import Assigned
from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.json_text import dumps
from sluice.domain.merge import ConcatenationMerge, JoinMerge, Merge, RecursiveMerge, UnionMerge
from sluice.domain.override import Override
from sluice.domain.project import Project
from sluice.domain.run import Run, cap_notes
from sluice.errors import NothingToMerge
from sluice.formats.limits import Limits
from sluice.lake import object_keys
from sluice.lake.json_values import json_row
from sluice.lake.parquet import data_object, display_query, engine
from sluice.lake.store import Lake
from sluice.merge.documents import concatenate, merge_recursively
from sluice.merge.faults import unfit
from sluice.merge.input_versions import InputReader, Inputs, with_local_files
from sluice.merge.parallel_merge import ParallelMerge, Plan, PlannedSource
from sluice.merge.partition import part_count
from sluice.merge.plan import Source
from sluice.merge.row_merge import merge_rows
from sluice.merge.selected import selected_document
from sluice.settings import Settings
from sluice.versions.draft import assign_number, draft_manifest, reuse_contents
from sluice.versions.fingerprint import fingerprint_of

# What a merge writes, beside columns, objects, rows and bytes.
_CONTENTS = ("provenance", "starts", "key", "fields", "document", "merge_warnings")


@dataclass(frozen=True)
class Merged:
    """A version whose objects are written, and its manifest, which is not.

    Args:
        key: where the manifest belongs in the lake.
    """

    key: str
    manifest: Manifest


class Merger:
    """Merges the datasources of one project.

    Args:
        datasets: the catalog of versions, for the published versions of the inputs.
        lake: where inputs are read and the merged version is written.
        settings: limits of memory and of a merge in one call.
        overrides: values that users entered; they replace merged values.
    """

    def __init__(self, datasets: Datasets, lake: Lake, settings: Settings, overrides: Sequence[Override] = ()) -> None:
        self._datasets = datasets
        self._lake = lake
        self._settings = settings
        self._overrides = list(overrides)

    def merge(
        self,
        run: Run,
        project: Project,
        assigned: list[Assigned],
        failures: dict[str, str],
        refreshable: Collection[str],
    ) -> Merged | ParallelMerge:
        """Merge the published versions and write the objects, or plan a merge in parts.

        If the published version has the same fingerprint, the new manifest names its objects and nothing is merged.

        Args:
            run: the refresh that merges.
            project: the project, with its merge specification.
            assigned: the project's datasources, best ranked first.
            failures: the error of each datasource that this refresh could not ingest, by slug.
            refreshable: the datasources that refreshes fetch, by slug.

        Returns:
            The version, with its manifest to be written. If the merge is too large for one call, the planned
            `ParallelMerge` instead; its workers have not started.

        Raises:
            NothingToMerge: no datasource has a version.
            MergeFailed: the specification does not fit the columns.
        """
        # Read the pointer before the inputs: if someone publishes in between, the commit fails and the
        # merge is repeated, so that a published version never has older inputs than the one before it.
        dataset = DatasetId.of_project(project.slug)
        pointer = self._datasets.pointer(dataset)
        check_source_names(project.merge, assigned)
        inputs = InputReader(self._datasets, self._lake).read(assigned, failures, refreshable=refreshable)
        check_inputs(project, inputs)
        merge = applicable_merge(project.merge, inputs)
        parts = self.part_count(merge, inputs)
        manifest = self._draft(run, merge, dataset, inputs, pointer.published or 0, parts)
        folder = object_keys.version_folder(run, manifest.fingerprint)
        # The models and reports of this run refer to this number, so the commit fails if another version takes it.
        unchanged_version = assign_number(manifest, pointer)
        if unchanged_version is not None:
            reuse_contents(manifest, unchanged_version, _CONTENTS, self._datasets, self._lake)
        elif parts > 1:
            plan = Plan(
                folder=object_keys.work_folder(run, manifest.fingerprint),
                version_folder=folder,
                manifest=manifest,
                notes=[*inputs.warnings, *inputs.missing],
                sources=[PlannedSource.of(source) for source in inputs.sources],
                parts=parts,
                portion_rows=self._settings.merge_partition_rows,
            )
            return ParallelMerge.start(plan, self._lake, self._settings)
        else:
            with self._lake.scratch() as scratch:
                self.write(folder, merge, with_local_files(inputs.sources, self._lake), manifest, scratch.parent)
        manifest.warnings = cap_notes([*inputs.warnings, *inputs.missing, *manifest.merge_warnings])
        return Merged(object_keys.manifest(folder), manifest)

    def part_count(self, merge: Merge, inputs: Inputs) -> int:
        """Return the number of parts of a merge; only rows can be merged in parts.

        Args:
            merge: the specification.
            inputs: what is merged.
        """
        if not isinstance(merge, JoinMerge | UnionMerge):
            return 1
        objects = [stored for source in inputs.sources if source.columns for stored in source.objects]
        return part_count(
            sum(stored.rows for stored in objects), sum(stored.bytes for stored in objects), self._settings
        )

    def _draft(self, run: Run, merge: Merge, dataset: DatasetId, inputs: Inputs, base: int, parts: int) -> Manifest:
        completeness, reasons = inputs.completeness
        spec: dict[str, Any] = {"merge": merge.model_dump(mode="json")}
        if self._overrides:
            spec["overrides"] = [override.model_dump(mode="json") for override in self._overrides]
        return draft_manifest(
            run,
            "merged",
            dataset,
            fingerprint=merge_fingerprint(spec, inputs, parts, documents=not isinstance(merge, JoinMerge | UnionMerge)),
            completeness=completeness,
            spec=spec,
            data_as_of=inputs.data_as_of,
            refreshed_at=inputs.refreshed_at,
            completeness_reasons=reasons,
            stale=inputs.stale,
            inputs=[source.input for source in inputs.sources],
            base=base,
            once=True,
        )

    def write(self, folder: str, merge: Merge, sources: list[Source], manifest: Manifest, scratch: Path) -> None:
        """Merge in this process, write the objects, and name them in the manifest.

        Args:
            folder: the lake folder of the objects.
            merge: the specification.
            sources: the inputs with local files, best ranked first.
            manifest: the manifest, which is changed.
            scratch: a folder for temporary files.
        """
        if isinstance(merge, JoinMerge | UnionMerge):
            merged = merge_rows(merge, sources, self._settings, scratch, self._overrides)
            part = data_object(object_keys.data(folder, 0), merged.data, merged.rows)
            self._lake.put_file(part.key, merged.data)
            manifest.objects, manifest.rows, manifest.bytes = [part], part.rows, part.bytes
            manifest.columns, manifest.merge_warnings = merged.columns, merged.warnings
            manifest.key, manifest.fields = merged.key or None, merged.fields
            if merged.provenance is not None:
                provenance = data_object(object_keys.provenance(folder, 0), merged.provenance, merged.rows)
                self._lake.put_file(provenance.key, merged.provenance)
                manifest.provenance = [provenance]
            return
        path = scratch / "document.json.gz"
        # mtime=0: the same document always has the same bytes, and so the same hash.
        path.write_bytes(gzip.compress(dumps(merge_documents(merge, sources, self._lake, self._settings)), mtime=0))
        part = data_object(object_keys.document(folder), path, 1)
        self._lake.put_file(part.key, path)
        manifest.document, manifest.rows, manifest.bytes = part, 1, part.bytes


def finish_parallel(parallel: ParallelMerge) -> Merged:
    """Return the version of a merge in parts whose workers have all finished."""
    return Merged(object_keys.manifest(parallel.version_folder), parallel.manifest())


def check_source_names(merge: Merge, assigned: list[Assigned]) -> None:
    """Check that a specification names datasources of the project only.

    Args:
        merge: the specification; merges of documents name no datasources.
        assigned: the project's datasources.

    Raises:
        MergeFailed: it names another datasource.
    """
    if not isinstance(merge, JoinMerge | UnionMerge):
        return
    known = {assignment.datasource for assignment in assigned}
    primary = merge.primary if isinstance(merge, JoinMerge) else None
    for option, names in (("sources", sorted(merge.sources)), ("primary", [primary] if primary else [])):
        for name in names:
            if name not in known:
                known_names = ", ".join(sorted(known)) or "none"
                raise unfit(
                    ("merge", option, *([name] if option == "sources" else [])),
                    f"merge.{option} names {name!r}, which is not a datasource of the project; it has {known_names}.",
                )


def applicable_merge(merge: Merge, inputs: Inputs) -> Merge:
    """Return a merge without the rules of fields that only datasources without data can have.

    While all datasources have data, such a rule is a mistake, and the merge is returned as it is.

    Args:
        merge: the specification.
        inputs: its inputs, which get a warning for each rule that is left out.
    """
    if not isinstance(merge, JoinMerge) or not inputs.lacks_data or not inputs.sources:
        return merge
    # Renamed and computed columns count by their old and new names, so that no rule is left out by mistake.
    known = {name for source in inputs.sources for name in source.columns}
    for options in merge.sources.values():
        known |= {*options.rename.values(), *options.compute}
    fields = {
        name: rule for name, rule in merge.fields.items() if name in known and (rule.by is None or rule.by in known)
    }
    inputs.warnings += [
        f"merge.fields: the rule of {name!r} is not used while datasources have no data yet"
        for name in merge.fields
        if name not in fields
    ]
    return merge.model_copy(update={"fields": fields})


def check_inputs(project: Project, inputs: Inputs) -> None:
    """Check that there is something to merge.

    A merge of documents without inputs is valid and gives an empty document, unless a required datasource
    has no data.

    Args:
        project: the project that is merged.
        inputs: its inputs.

    Raises:
        NothingToMerge: no datasource has data; the message names the required ones.
    """
    documents = isinstance(project.merge, RecursiveMerge | ConcatenationMerge)
    if inputs.sources or (documents and not inputs.missing):
        return
    missing = "; ".join(inputs.missing)
    raise NothingToMerge(
        f"No datasource of {project.slug!r} has data yet"
        + (f": {missing}" if missing else "; assign one, then ingest it or drop a file")
        + "."
    )


def merge_documents(
    merge: RecursiveMerge | ConcatenationMerge, sources: list[Source], lake: Lake, settings: Settings
) -> Any:
    """Merge whole documents.

    Args:
        merge: the strategy.
        sources: the inputs with local files, best ranked first.
        lake: where the pages of the inputs are read.
        settings: limits of the parsers.

    Returns:
        The merged JSON value.
    """
    documents = [source_document(source, lake, settings) for source in sources]
    return merge_recursively(documents) if isinstance(merge, RecursiveMerge) else concatenate(documents)


def source_document(source: Source, lake: Lake, settings: Settings) -> Any:
    """Return what the datasource's `records` selected, or its rows as a list if the version has no document.

    Args:
        source: the input with local files.
        lake: where its pages are read.
        settings: limits of the parsers.
    """
    selected = None
    if source.manifest is not None:
        selected = selected_document(source.manifest, lake, Limits.of(settings))
    if selected is not None:
        return selected.value
    return rows_as_document(source, lake, settings)


def rows_as_document(source: Source, lake: Lake, settings: Settings) -> list[dict[str, Any]]:
    """Return the rows of a version as a list of objects, in the version's order.

    Args:
        source: the version with local files.
        lake: gives the scratch folder.
        settings: the engine's limits.
    """
    if not source.columns:
        return []
    columns = list(source.columns.values())
    with lake.scratch() as scratch, engine(settings, scratch.parent) as connection:
        query = f"SELECT * FROM {source.rows} ORDER BY __sluice_at"
        rows = connection.execute(display_query(query, columns)).fetchall()
    return [json_row(columns, values) for values in rows]


def merge_fingerprint(spec: dict[str, Any], inputs: Inputs, parts: int, *, documents: bool) -> str:
    """Hash everything that the result of a merge depends on: equal fingerprints mean equal bytes.

    Args:
        spec: the merge and the overrides, as JSON.
        inputs: the versions that are merged.
        parts: the number of parts of the merge.
        documents: whether the merge reads the pages' documents. Different documents can have equal rows, so
            the hashes of the rows are not enough and the pages count too.

    Returns:
        `sha256:` and 64 hexadecimal digits.
    """
    decisive: dict[str, Any] = {
        "spec": spec,
        "inputs": [
            [source.input.datasource, source.input.hash, source.input.completeness] for source in inputs.sources
        ],
        "completeness": inputs.completeness[0],
    }
    if inputs.stale:
        decisive["stale"] = [[entry.datasource, entry.version] for entry in inputs.stale]
    if parts > 1:
        decisive["parts"] = parts
    if documents:
        decisive["pages"] = [source.manifest.pages if source.manifest else [] for source in inputs.sources]
    return fingerprint_of(decisive)
