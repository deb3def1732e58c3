"""Removing what was computed of an erased record: versions of models and reports, and results of algorithms.

They cannot be rewritten record by record: a sum or a chart shows a record without naming it. So every version whose
inputs had the record, directly or through others, is removed, and a refresh computes the present ones again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from sluice.container import Container
from sluice.domain.algorithm_run import InputUse, StoredResult
from sluice.domain.dataset import InputVersion, Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.erasure.plan import find_manifest

_KINDS = {"model": "models", "report": "reports", "algorithm": "algorithm_tables"}


@dataclass
class Derived:
    """What was computed of versions that had the record.

    Args:
        services: the catalog and the lake.
        affected: the versions of datasources and merges that have had the record.
        hashes: the hashes of their contents with the record.
        projects: the projects that use them now. Others may have used them before; they and deleted ones are searched,
            too.
        results: the folders of the results of algorithms that have read it.
        versions: the versions of models, reports, and tables of results.
    """

    services: Container
    affected: set[tuple[DatasetId, int]]
    hashes: set[str]
    projects: Collection[str]
    results: set[str] = field(default_factory=set)
    versions: set[tuple[DatasetId, int]] = field(default_factory=set)

    def find(self) -> None:
        """Find them all: what was computed of a model that had it, too. Nothing is changed."""
        manifests = self._manifests()
        stored = self._stored_results()
        while True:
            before = len(self.results) + len(self.versions)
            for (dataset, number, key), manifest in manifests.items():
                in_result = any(key.startswith(f"{folder}/") for folder in self.results)
                if in_result or any(self._has_read(dataset, read) for read in manifest.inputs):
                    self.versions.add((dataset, number))
                    self.hashes.add(manifest.content_hash)
            for folder, result in stored.items():
                if any(self._has_used(use) for use in result.request.inputs.values()):
                    self.results.add(folder)
                    self.hashes.add(result.fingerprint)
            if before == len(self.results) + len(self.versions):
                return

    def owners(self) -> set[str]:
        """The projects that have them."""
        return {dataset.owner for dataset, _ in self.versions} | {folder.split("/")[1] for folder in self.results}

    def counts(self) -> Counter[str]:
        """How many there are, by kind."""
        found = Counter(_KINDS[(dataset.resource or ("model", ""))[0]] for dataset, _ in self.versions)
        found.pop("algorithm_tables", None)
        return found + Counter({"algorithm_results": len(self.results)})

    def remove(self, by: str) -> None:
        """Remove them from the catalog; their objects are removed as those that no version refers to.

        Args:
            by: the run that erases.
        """
        for dataset, number in sorted(self.versions):
            self.services.datasets.unpublish(dataset, number, by)
            self.services.erasures.remove_version(dataset, number)

    def _manifests(self) -> dict[tuple[DatasetId, int, str], Manifest]:
        found = {}
        for dataset in self.services.erasures.datasets("project"):
            if dataset.resource is None:
                continue
            for version in self.services.erasures.versions(dataset):
                manifest = find_manifest(self.services, version.manifest_key)
                if manifest is not None:
                    found[dataset, version.number, version.manifest_key] = manifest
        return found

    def _stored_results(self) -> dict[str, StoredResult]:
        found = {}
        for key in self.services.lake.list_keys("algorithms"):
            if key.endswith("/result.json") and key.count("/") == 4:
                document = self.services.lake.find_json(key)
                found[key.removesuffix("/result.json")] = StoredResult.model_validate(document)
        return found

    def _has_read(self, dataset: DatasetId, read: InputVersion) -> bool:
        if read.version == 0 and dataset.owner in self.projects:
            return True  # of the same refresh, when it had no number yet
        text = read.datasource if "/" in read.datasource else f"datasource/{read.datasource}"
        known = (DatasetId(text), read.version) in self.affected | self.versions
        return known or read.hash in self.hashes

    def _has_used(self, use: InputUse) -> bool:
        if use.run is not None:
            return use.hash in self.hashes or any(folder.endswith(f"/{use.run}") for folder in self.results)
        if use.dataset is None:
            return False  # a document that somebody has written
        known = use.version is not None and (use.dataset, use.version) in self.affected | self.versions
        return known or use.hash in self.hashes
