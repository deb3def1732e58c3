"""The merge stage: the datasources' present versions to one version of the project's dataset."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from sluice import __version__
from sluice.catalog.assignments import Assigned
from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import InputVersion, Manifest
from sluice.domain.names import now, rfc3339
from sluice.domain.project import JoinMerge, Project
from sluice.domain.run import Completeness, Run, capped
from sluice.errors import NothingToMerge
from sluice.lake import keys
from sluice.lake.parquet import copy_to, data_object, engine, engine_name
from sluice.lake.store import Lake
from sluice.merge.plan import Source, merged_columns
from sluice.merge.sql import duplicates_query, join_query, nothing_query, union_query
from sluice.settings import Settings


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
        if not sources:
            raise NothingToMerge(
                f"No datasource of {project.slug!r} has data yet"
                + (": " + "; ".join(missing) if missing else "; assign one, then ingest it or drop a file")
                + "."
            )
        completeness, reasons = _completeness(sources, missing)
        manifest = Manifest(
            dataset=f"project/{project.slug}",
            run=run.id,
            attempt=run.attempt,
            stage="merged",
            created_at=rfc3339(now()),
            data_as_of=min(self._versions[source.input.datasource].data_as_of for source in sources),
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
        return self._write(run, project, sources, manifest)

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
        manifest = Manifest.model_validate(orjson.loads(self._lake.get(version.manifest_key)))
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
        files = [self._lake.local(part.key, part.sha256) for part in manifest.objects]
        return Source(taken, {column.name: column for column in version.schema_}, files)

    def _write(self, run: Run, project: Project, sources: list[Source], manifest: Manifest) -> str:
        spec = project.merge
        sources = _with_columns(sources)
        if not sources:
            query = nothing_query(manifest.columns)
        elif isinstance(spec, JoinMerge):
            query = join_query(spec, sources, manifest.columns)
        else:
            query = union_query(spec, sources, manifest.columns)
        folder = keys.version_folder(run, manifest.fingerprint)
        with self._lake.scratch() as scratch:
            with engine(self._settings, scratch.parent) as connection:
                for source in sources if spec.key else []:
                    repeated, keyless = connection.execute(duplicates_query(source, spec.key or [])).fetchone() or (
                        0,
                        0,
                    )
                    manifest.warnings += _left_out(source.input.datasource, repeated, keyless)
                connection.execute(f"COPY ({query}) {copy_to(scratch)}")
                counted = connection.execute(f"SELECT count(*) FROM read_parquet('{scratch}')").fetchone()
            part = data_object(keys.data(folder, 0), scratch, counted[0] if counted else 0)
            self._lake.put_file(part.key, scratch)
        manifest.objects, manifest.rows, manifest.bytes = [part], part.rows, part.bytes
        manifest.warnings = capped(manifest.warnings)
        key = keys.manifest(folder)
        self._lake.put_json(key, manifest.model_dump(mode="json"))
        return key


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
