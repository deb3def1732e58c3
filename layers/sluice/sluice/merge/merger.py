"""The merge stage: the datasources' present versions to one version of the project's dataset."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from sluice import __version__
from sluice.catalog.assignments import Assigned
from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.json_text import dumps
from sluice.domain.merge import ConcatenationMerge, JoinMerge, Merge, RecursiveMerge, UnionMerge
from sluice.domain.names import now, rfc3339
from sluice.domain.override import Override
from sluice.domain.project import Project
from sluice.domain.run import Run, cap_notes
from sluice.errors import MergeFailed, NothingToMerge
from sluice.formats.limits import Limits
from sluice.lake import object_keys
from sluice.lake.json_values import json_row
from sluice.lake.parquet import data_object, engine, engine_name, shown_query
from sluice.lake.store import Lake
from sluice.merge.documents import concatenation, recursive
from sluice.merge.input_versions import Gatherer, Inputs, on_disk
from sluice.merge.parallel_merge import ParallelMerge, Plan, PlannedSource
from sluice.merge.partition import parts_for
from sluice.merge.plan import Source
from sluice.merge.row_merge import merge_rows
from sluice.merge.selected import selected_document
from sluice.settings import Settings


@dataclass(frozen=True)
class Merged:
    """A version whose objects are written, and its manifest, which is not.

    Args:
        key: where the manifest belongs in the lake.
    """

    key: str
    manifest: Manifest


class Merger:
    """Merges one project.

    Args:
        overrides: what people have put in the place of merged values.
    """

    def __init__(self, datasets: Datasets, lake: Lake, settings: Settings, overrides: Sequence[Override] = ()) -> None:
        self._datasets = datasets
        self._lake = lake
        self._settings = settings
        self._overrides = list(overrides)

    def merge(
        self, run: Run, project: Project, assigned: list[Assigned], failures: dict[str, str]
    ) -> Merged | ParallelMerge:
        """Write the objects of the version that the datasources' published versions make.

        Where the published version was made of the same, its objects are named again and no work is done.

        Args:
            assigned: the project's datasources, best ranked first.
            failures: why a datasource could not be ingested for this refresh, by its slug.

        Returns:
            The version; of a merge too large for one call, its parts, of which nothing is made yet.

        Raises:
            NothingToMerge: no datasource has a version.
            MergeFailed: the specification does not fit the columns.
        """
        # Read before the inputs: whoever publishes in between makes the commit fail, and the
        # merge is done again, so that published inputs never go back in time.
        dataset = DatasetId.of_project(project.slug)
        pointer = self._datasets.pointer(dataset)
        require_known_sources(project.merge, assigned)
        inputs = Gatherer(self._datasets, self._lake).gather(assigned, failures)
        require_inputs(project, inputs)
        parts = self._parts(project.merge, inputs)
        manifest = self._begun(run, project.merge, dataset, inputs, pointer.published or 0, parts)
        folder = object_keys.version_folder(run, manifest.fingerprint)
        manifest.number = pointer.latest + 1
        if pointer.published is not None and pointer.fingerprint == manifest.fingerprint:
            manifest.number = pointer.published
            self._repeat(manifest, self._datasets.version(dataset, pointer.published).manifest_key)
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
            return ParallelMerge.begun(plan, self._lake, self._settings)
        else:
            with self._lake.scratch() as scratch:
                self._write(folder, project.merge, on_disk(inputs.sources, self._lake), manifest, scratch.parent)
        manifest.warnings = cap_notes([*inputs.warnings, *inputs.missing, *manifest.merge_warnings])
        return Merged(object_keys.manifest(folder), manifest)

    def _parts(self, merge: Merge, inputs: Inputs) -> int:
        """Into how many parts the merge is divided."""
        if not isinstance(merge, JoinMerge | UnionMerge):
            return 1
        objects = [one for source in inputs.sources if source.columns for one in source.objects]
        return parts_for(sum(one.rows for one in objects), sum(one.bytes for one in objects), self._settings)

    def _begun(self, run: Run, merge: Merge, dataset: DatasetId, inputs: Inputs, base: int, parts: int) -> Manifest:
        """The manifest of a version, with all but what it is made of."""
        completeness, reasons = inputs.completeness
        moment = rfc3339(now())
        spec: dict[str, Any] = {"merge": merge.model_dump(mode="json")}
        if self._overrides:
            spec["overrides"] = [one.model_dump(mode="json") for one in self._overrides]
        return Manifest(
            dataset=dataset,
            run=run.id,
            attempt=run.attempt,
            stage="merged",
            created_at=moment,
            data_as_of=inputs.data_as_of or moment,
            columns=[],
            objects=[],
            rows=0,
            bytes=0,
            completeness=completeness,
            completeness_reasons=reasons,
            fingerprint=fingerprint(spec, inputs, parts, documents=not isinstance(merge, JoinMerge | UnionMerge)),
            engine=engine_name(),
            inputs=[source.input for source in inputs.sources],
            spec=spec,
            base=base,
            once=True,
        )

    def _repeat(self, manifest: Manifest, key: str) -> None:
        """Name the objects of a version that was made of the same."""
        made = self._lake.manifest(key)
        for name in (
            "columns",
            "objects",
            "rows",
            "bytes",
            "provenance",
            "starts",
            "key",
            "fields",
            "document",
            "merge_warnings",
        ):
            setattr(manifest, name, getattr(made, name))

    def _write(self, folder: str, merge: Merge, sources: list[Source], manifest: Manifest, scratch: Path) -> None:
        if isinstance(merge, JoinMerge | UnionMerge):
            made = merge_rows(merge, sources, self._settings, scratch, self._overrides)
            part = data_object(object_keys.data(folder, 0), made.data, made.rows)
            self._lake.put_file(part.key, made.data)
            manifest.objects, manifest.rows, manifest.bytes = [part], part.rows, part.bytes
            manifest.columns, manifest.merge_warnings = made.columns, made.warnings
            manifest.key, manifest.fields = made.key or None, made.fields
            if made.provenance is not None:
                told = data_object(object_keys.provenance(folder, 0), made.provenance, made.rows)
                self._lake.put_file(told.key, made.provenance)
                manifest.provenance = [told]
            return
        path = scratch / "document.json.gz"
        path.write_bytes(gzip.compress(dumps(merged_document(merge, sources, self._lake, self._settings)), mtime=0))
        part = data_object(object_keys.document(folder), path, 1)
        self._lake.put_file(part.key, path)
        manifest.document, manifest.rows, manifest.bytes = part, 1, part.bytes


def whole_of(parts: ParallelMerge) -> Merged:
    """The version that all parts of a merge make."""
    return Merged(object_keys.manifest(parts.version_folder), parts.manifest())


def require_known_sources(merge: Merge, assigned: list[Assigned]) -> None:
    """Refuse a specification that names datasources which are not the project's.

    Raises:
        MergeFailed: naming the first one.
    """
    if not isinstance(merge, JoinMerge | UnionMerge):
        return
    known = {one.datasource for one in assigned}
    primary = merge.primary if isinstance(merge, JoinMerge) else None
    for where, names in (("sources", sorted(merge.sources)), ("primary", [primary] if primary else [])):
        for name in names:
            if name not in known:
                there = ", ".join(sorted(known)) or "none"
                raise MergeFailed(
                    f"merge.{where} names {name!r}, which is no datasource of the project; it has {there}."
                )


def require_inputs(project: Project, inputs: Inputs) -> None:
    """Refuse to merge nothing; documents of nothing can be merged, unless something is missing.

    Raises:
        NothingToMerge: saying what is missing.
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


def merged_document(
    merge: RecursiveMerge | ConcatenationMerge, sources: list[Source], lake: Lake, settings: Settings
) -> Any:
    """The document that a merge of documents makes."""
    documents = [document_of(source, lake, settings) for source in sources]
    return recursive(documents) if isinstance(merge, RecursiveMerge) else concatenation(documents)


def document_of(source: Source, lake: Lake, settings: Settings) -> Any:
    """What the datasource's `records` selected; of rows that were added up, the rows."""
    selected = None
    if source.manifest is not None:
        selected = selected_document(source.manifest, lake, Limits.of(settings))
    if selected is not None:
        return selected.value
    return rows_as_document(source, lake, settings)


def rows_as_document(source: Source, lake: Lake, settings: Settings) -> list[dict[str, Any]]:
    """The rows of a version that has no document of its own."""
    if not source.columns:
        return []
    columns = list(source.columns.values())
    with lake.scratch() as scratch, engine(settings, scratch.parent) as connection:
        query = f"SELECT * FROM {source.rows} ORDER BY __sluice_at"
        found = connection.execute(shown_query(query, columns)).fetchall()
    return [json_row(columns, values) for values in found]


def fingerprint(spec: dict[str, Any], inputs: Inputs, parts: int, *, documents: bool) -> str:
    """What a merge's result depends on, as one hash: the same one means the same bytes.

    Args:
        parts: into how many it is divided.
        documents: whether it reads what was selected in the pages, of which equal rows may be made.
    """
    decides: dict[str, Any] = {
        "release": __version__,
        "engine": engine_name(),
        "spec": spec,
        "inputs": [
            [source.input.datasource, source.input.hash, source.input.completeness] for source in inputs.sources
        ],
        "completeness": inputs.completeness[0],
    }
    if parts > 1:
        decides["parts"] = parts
    if documents:
        decides["pages"] = [source.manifest.pages if source.manifest else [] for source in inputs.sources]
    return "sha256:" + hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)).hexdigest()
