"""The versions that a merge reads: the published ones, or those that are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sluice.catalog.assignments import Assigned
from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import InputVersion
from sluice.domain.dataset_id import DatasetId
from sluice.domain.run import Completeness, cap_notes
from sluice.lake.store import Lake
from sluice.merge.plan import Source


@dataclass
class Inputs:
    """What takes part, and what should but cannot.

    Args:
        sources: best ranked first.
        missing: why a required datasource takes no part.
        data_as_of: the time of the oldest source's data.
    """

    sources: list[Source] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    data_as_of: str | None = None

    @property
    def completeness(self) -> tuple[Completeness, list[str]]:
        """What may be said of a dataset that is made of these, and why."""
        by_state: dict[str, list[str]] = {"partial": list(self.missing), "unproven": []}
        for taken in (source.input for source in self.sources):
            if taken.completeness != "complete":
                said = f"{taken.datasource}: its version {taken.version} is {taken.completeness}"
                by_state[taken.completeness].append(said)
        reasons = cap_notes(by_state["partial"] + by_state["unproven"])
        if by_state["partial"]:
            return "partial", reasons
        return ("unproven" if by_state["unproven"] else "complete"), reasons


class Gatherer:
    """Finds the versions of a project's datasources."""

    def __init__(self, datasets: Datasets, lake: Lake) -> None:
        self._datasets = datasets
        self._lake = lake

    def gather(
        self, assigned: list[Assigned], failures: Mapping[str, str], versions: Mapping[str, int] | None = None
    ) -> Inputs:
        """The inputs of a merge.

        Args:
            assigned: the project's datasources, best ranked first.
            failures: why a datasource could not be ingested just now, by its slug.
            versions: versions to be read instead of the published ones.

        Raises:
            NotFound: there is no such version.
        """
        inputs = Inputs()
        for assignment in assigned:
            slug = assignment.datasource
            failure = failures.get(slug)
            pointer = self._datasets.pointer(DatasetId.of_datasource(slug))
            number = (versions or {}).get(slug) or pointer.published
            if number is None:
                said = f"{slug}: it has no data yet" + (f" ({failure})" if failure else "")
                (inputs.warnings if assignment.optional else inputs.missing).append(said)
                continue
            if failure:
                inputs.warnings.append(f"{slug}: {failure}; its version {number} is used")
            # Data that was found unchanged is as new as when it was looked at.
            seen = pointer.data_as_of if number == pointer.published else None
            self._add(inputs, assignment, number, seen)
        return inputs

    def _add(self, inputs: Inputs, assignment: Assigned, number: int, seen: str | None) -> None:
        slug = assignment.datasource
        version = self._datasets.version(DatasetId.of_datasource(slug), number)
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
            hash=manifest.content_hash,
        )
        columns = {column.name: column for column in version.schema_}
        source = Source(taken, columns, [], manifest.position, manifest, manifest.objects)
        inputs.sources.append(source)
        inputs.data_as_of = min(filter(None, [inputs.data_as_of, seen or version.data_as_of]))
        if not columns:
            inputs.warnings.append(f"{slug}: its version {number} has no records")


def on_disk(sources: list[Source], lake: Lake) -> list[Source]:
    """Sources with their files."""
    return [replace(source, files=lake.local_files(source.objects)) for source in sources]
