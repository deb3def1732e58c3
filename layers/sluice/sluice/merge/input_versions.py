"""The versions that a merge reads: the published ones, or those that the caller names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from sluice.catalog.assignments import Assigned
from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import InputVersion, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now, rfc3339
from sluice.domain.run import Completeness, cap_notes, least_complete
from sluice.domain.stale_input import StaleInput, stale_input
from sluice.lake.store import Lake
from sluice.merge.plan import Source


@dataclass
class Inputs:
    """The inputs of a merge.

    Args:
        sources: the versions that are merged, best ranked first.
        warnings: messages about inputs that are stale, empty or optional and missing.
        missing: messages about required datasources that have no data.
        stale: the versions that stand in for datasources that could not be fetched.
        lacks_data: whether a datasource, required or optional, has no data yet.
        data_as_of: when the oldest input was fetched, RFC 3339.
        refreshed_at: when the oldest of the inputs that refreshes fetch was last fetched with success; when the
            inputs were read if there are none; RFC 3339.
    """

    sources: list[Source] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    stale: list[StaleInput] = field(default_factory=list)
    lacks_data: bool = False
    data_as_of: str | None = None
    refreshed_at: str = field(default_factory=lambda: rfc3339(now()))

    @property
    def completeness(self) -> tuple[Completeness, list[str]]:
        """The completeness of a dataset made of these inputs, and the reasons if it is not complete."""
        by_state: dict[Completeness, list[str]] = {
            "partial": list(self.missing),
            "stale": [entry.sentence for entry in self.stale],
            "unproven": [],
        }
        for version in (source.input for source in self.sources):
            if version.completeness != "complete":
                reason = f"{version.datasource}: its version {version.version} is {version.completeness}"
                by_state[version.completeness].append(reason)
        reasons = cap_notes([reason for texts in by_state.values() for reason in texts])
        return least_complete(state for state, texts in by_state.items() if texts), reasons


class InputReader:
    """Reads the catalog's entries and manifests of a project's inputs."""

    def __init__(self, datasets: Datasets, lake: Lake) -> None:
        self._datasets = datasets
        self._lake = lake

    def read(
        self,
        assigned: list[Assigned],
        failures: Mapping[str, str],
        versions: Mapping[str, int] | None = None,
        refreshable: Collection[str] = (),
    ) -> Inputs:
        """Read the inputs of a merge; no data is downloaded.

        Args:
            assigned: the project's datasources, best ranked first.
            failures: the error of each datasource that this refresh could not ingest, by slug. For the others, the
                pointer tells whether their latest ingest has failed.
            versions: versions to read instead of the published ones, by slug.
            refreshable: the datasources that refreshes fetch, by slug.

        Raises:
            NotFound: one of `versions` does not exist.
        """
        inputs = Inputs()
        for assignment in assigned:
            slug = assignment.datasource
            pointer = self._datasets.pointer(DatasetId.of_datasource(slug))
            failure = failures.get(slug) or (pointer.failure.error if pointer.failure else None)
            named = (versions or {}).get(slug)
            number = named or pointer.published
            if number is None:
                inputs.lacks_data = True
                message = f"{slug}: it has no data yet" + (f" ({failure})" if failure else "")
                (inputs.warnings if assignment.optional else inputs.missing).append(message)
                continue
            version = self._datasets.version(DatasetId.of_datasource(slug), number)
            # A file that was added before adds no version, but moves the pointer's `data_as_of`.
            seen = (pointer.data_as_of if number == pointer.published else None) or version.data_as_of
            if failure and named is None:
                inputs.stale.append(stale_input(slug, number, seen, failure))
                inputs.warnings.append(inputs.stale[-1].sentence)
            if slug in refreshable and pointer.checked_at is not None:
                inputs.refreshed_at = min(inputs.refreshed_at, pointer.checked_at)
            self._add(inputs, assignment, version, seen)
        return inputs

    def _add(self, inputs: Inputs, assignment: Assigned, version: Version, seen: str) -> None:
        slug, number = assignment.datasource, version.number
        manifest = self._lake.manifest(version.manifest_key)
        input_version = InputVersion(
            datasource=slug,
            version=number,
            run=version.run,
            completeness=version.completeness,
            rows=version.rows,
            created_at=version.created_at,
            fingerprint=version.fingerprint,
            priority=assignment.priority,
            alias=assignment.table_name,
            hash=manifest.content_hash,
        )
        columns = {column.name: column for column in version.schema_}
        source = Source(input_version, columns, [], manifest.position, manifest, manifest.objects)
        inputs.sources.append(source)
        inputs.data_as_of = min(filter(None, [inputs.data_as_of, seen]))
        if not columns:
            inputs.warnings.append(f"{slug}: its version {number} has no records")


def with_local_files(sources: list[Source], lake: Lake) -> list[Source]:
    """Download the objects of sources.

    Args:
        sources: as read from the catalog.
        lake: where their objects are.

    Returns:
        The sources with `files` set.
    """
    return [replace(source, files=lake.local_files(source.objects)) for source in sources]
