"""The merge stage: the datasources' present versions to one version of the project's dataset."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from sluice import __version__
from sluice.catalog.assignments import Assigned
from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import InputVersion, Manifest
from sluice.domain.json_text import dumps
from sluice.domain.names import now, rfc3339
from sluice.domain.project import ConcatenationMerge, JoinMerge, Project, RecursiveMerge, UnionMerge
from sluice.domain.run import Completeness, Run, capped
from sluice.errors import MergeFailed, NothingToMerge
from sluice.lake import keys
from sluice.lake.parquet import copy_to, data_object, engine, engine_name, quoted
from sluice.lake.rows import json_row
from sluice.lake.store import Lake
from sluice.merge.documents import concatenation, recursive
from sluice.merge.lists import made_into_lists
from sluice.merge.plan import Source, merged_columns
from sluice.merge.provenance import provenance_columns
from sluice.merge.rules import MOST_SOURCES
from sluice.merge.sql import duplicates_query, join_query, nothing_query, union_query
from sluice.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Merger:
    """Merges one project."""

    def __init__(self, datasets: Datasets, lake: Lake, settings: Settings) -> None:
        self._datasets = datasets
        self._lake = lake
        self._settings = settings

    def merge(self, run: Run, project: Project, assigned: list[Assigned], failures: dict[str, str]) -> str:
        """Write the version that the datasources' published versions make.

        Args:
            assigned: the project's datasources, best ranked first.
            failures: why a datasource could not be ingested for this refresh, by its slug.

        Returns:
            The key of the manifest, for the commit.

        Raises:
            NothingToMerge: no datasource has a version.
            MergeFailed: the specification does not fit the columns.
        """
        # Read before the inputs: whoever publishes in between makes the commit fail, and the
        # merge is done again, so that published inputs never go back in time.
        base = self._datasets.pointer(f"project/{project.slug}").published or 0
        sources, warnings, missing = self._sources(assigned, failures)
        documents = isinstance(project.merge, RecursiveMerge | ConcatenationMerge)
        if not sources and (missing or not documents):
            raise NothingToMerge(
                f"No datasource of {project.slug!r} has data yet"
                + (": " + "; ".join(missing) if missing else "; assign one, then ingest it or drop a file")
                + "."
            )
        completeness, reasons = _completeness(sources, missing)
        moment = rfc3339(now())
        manifest = Manifest(
            dataset=f"project/{project.slug}",
            run=run.id,
            attempt=run.attempt,
            stage="merged",
            created_at=moment,
            data_as_of=min((self._versions[source.input.datasource].data_as_of for source in sources), default=moment),
            columns=merged_columns(project.merge, _with_columns(sources)),
            objects=[],
            rows=0,
            bytes=0,
            completeness=completeness,
            completeness_reasons=reasons,
            warnings=[*warnings, *missing],
            fingerprint=_fingerprint(project, sources, completeness),
            engine=engine_name(),
            inputs=[source.input for source in sources],
            spec={"merge": project.merge.model_dump(mode="json")},
            base=base,
            once=True,
        )
        folder = keys.version_folder(run, manifest.fingerprint)
        if isinstance(project.merge, JoinMerge | UnionMerge):
            self._write_rows(folder, project.merge, sources, manifest)
        else:
            self._write_document(folder, project.merge, sources, manifest)
        manifest.warnings = capped(manifest.warnings)
        key = keys.manifest(folder)
        self._lake.put_json(key, manifest.model_dump(mode="json"))
        return key

    def _sources(self, assigned: list[Assigned], failures: dict[str, str]) -> tuple[list[Source], list[str], list[str]]:
        sources: list[Source] = []
        warnings: list[str] = []
        missing: list[str] = []
        self._versions: dict[str, Any] = {}
        for assignment in assigned:
            slug = assignment.datasource
            failure = failures.get(slug)
            pointer = self._datasets.pointer(f"datasource/{slug}")
            if pointer.published is None:
                said = f"{slug}: it has no data yet" + (f" ({failure})" if failure else "")
                (warnings if assignment.optional else missing).append(said)
                continue
            if failure:
                warnings.append(f"{slug}: {failure}; its version {pointer.published} is used")
            source = self._source(assignment, pointer.published)
            sources.append(source)
            if not source.columns:
                warnings.append(f"{slug}: its version {pointer.published} has no records")
        return sources, warnings, missing

    def _source(self, assignment: Assigned, number: int) -> Source:
        slug = assignment.datasource
        version = self._datasets.version(f"datasource/{slug}", number)
        self._versions[slug] = version
        manifest = self._lake.manifest(version.manifest_key)
        taken = InputVersion(
            datasource=slug,
            version=number,
            run=version.run,
            completeness=version.completeness,
            rows=version.rows,
            created_at=version.created_at,
            fingerprint=version.fingerprint,
            priority=assignment.priority,
            alias=assignment.table_name,
        )
        files = self._lake.local_files(manifest.objects)
        columns = {column.name: column for column in version.schema_}
        return Source(taken, columns, files, manifest.position, manifest.document)

    def _write_rows(self, folder: str, spec: JoinMerge | UnionMerge, sources: list[Source], manifest: Manifest) -> None:
        sources = _with_columns(sources)
        if len(sources) > MOST_SOURCES:
            raise MergeFailed(
                f"A project merges at most {MOST_SOURCES} datasources by rows; this one has {len(sources)}."
            )
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            repeated = self._left_out(connection, spec, sources, manifest)
            data = scratch.with_name("data.parquet")
            if not sources:
                query = nothing_query(manifest.columns)
            elif isinstance(spec, JoinMerge):
                query = self._joined(connection, spec, sources, manifest, repeated, folder)
            else:
                query = union_query(spec, sources, manifest.columns)
            written = connection.execute(f"COPY ({query}) {copy_to(data)}").fetchone()
            part = data_object(keys.data(folder, 0), data, int(written[0] if written else 0))
            self._lake.put_file(part.key, data)
        manifest.objects, manifest.rows, manifest.bytes = [part], part.rows, part.bytes

    def _left_out(
        self, connection: DuckDBPyConnection, spec: JoinMerge | UnionMerge, sources: list[Source], manifest: Manifest
    ) -> set[str]:
        """Note the rows that a key leaves out; the datasources in which a key comes again."""
        repeating = set()
        for source in sources if spec.key else []:
            repeated, keyless = connection.execute(duplicates_query(source, spec.key or [])).fetchone() or (0, 0)
            manifest.warnings += _left_out(source.input.datasource, repeated, keyless)
            if repeated:
                repeating.add(source.input.datasource)
        return repeating

    def _joined(
        self,
        connection: DuckDBPyConnection,
        spec: JoinMerge,
        sources: list[Source],
        manifest: Manifest,
        repeated: set[str],
        folder: str,
    ) -> str:
        """Join the sources in a table of the engine, write its provenance, and give the query of its data."""
        connection.execute(f"CREATE TEMP TABLE merged AS {join_query(spec, sources, manifest.columns, repeated)}")
        with self._lake.scratch() as scratch:
            made_into_lists(connection, spec, manifest.columns, scratch)
        fields = len(manifest.columns) - len(spec.key)
        names = ", ".join(provenance_columns(len(sources), fields))
        with self._lake.scratch() as scratch:
            written = connection.execute(f"COPY (SELECT {names} FROM merged) {copy_to(scratch)}").fetchone()
            manifest.provenance = data_object(keys.provenance(folder, 0), scratch, int(written[0] if written else 0))
            self._lake.put_file(manifest.provenance.key, scratch)
        return f"SELECT {', '.join(quoted(column.name) for column in manifest.columns)} FROM merged"

    def _write_document(
        self, folder: str, spec: RecursiveMerge | ConcatenationMerge, sources: list[Source], manifest: Manifest
    ) -> None:
        documents = [self._document(source) for source in sources]
        merged = recursive(documents) if isinstance(spec, RecursiveMerge) else concatenation(documents)
        with self._lake.scratch() as scratch:
            scratch.write_bytes(gzip.compress(dumps(merged), mtime=0))
            part = data_object(keys.document(folder), scratch, 1)
            self._lake.put_file(part.key, scratch)
        manifest.document, manifest.rows, manifest.bytes = part, 1, part.bytes

    def _document(self, source: Source) -> Any:
        """What the datasource's `records` selected; of rows that were added up, the rows."""
        if source.document is not None:
            return self._lake.document(source.document)
        if not source.columns:
            return []
        columns = list(source.columns.values())
        ordered = f"SELECT * EXCLUDE (_file_index, file_row_number) FROM {source.numbered_rows}"
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            found = connection.execute(f"{ordered} ORDER BY _file_index, file_row_number").fetchall()
        return [json_row(columns, values) for values in found]


def _with_columns(sources: list[Source]) -> list[Source]:
    """The sources that have any: one whose upstream answered an empty list has none."""
    return [source for source in sources if source.columns]


def _left_out(slug: str, repeated: int, keyless: int) -> list[str]:
    notes = []
    if repeated:
        notes.append(f"{slug}: {repeated} rows have a key that comes again later; the last of each is used")
    if keyless:
        notes.append(f"{slug}: {keyless} rows lack a value in the key and were left out")
    return notes


def _completeness(sources: list[Source], missing: list[str]) -> tuple[Completeness, list[str]]:
    by_state: dict[str, list[str]] = {"partial": list(missing), "unproven": []}
    for source in sources:
        taken = source.input
        if taken.completeness != "complete":
            by_state[taken.completeness].append(
                f"{taken.datasource}: its version {taken.version} is {taken.completeness}"
            )
    reasons = capped(by_state["partial"] + by_state["unproven"])
    if by_state["partial"]:
        return "partial", reasons
    return ("unproven" if by_state["unproven"] else "complete"), reasons


def _fingerprint(project: Project, sources: list[Source], completeness: str) -> str:
    decides = {
        "release": __version__,
        "engine": engine_name(),
        "merge": project.merge.model_dump(mode="json"),
        "inputs": [
            [source.input.datasource, source.input.fingerprint, source.input.version, source.input.priority]
            for source in sources
        ],
        "completeness": completeness,
    }
    return "sha256:" + hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)).hexdigest()
