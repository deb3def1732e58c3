"""Removing objects that still have the record: those that nothing refers to any more, and older versions of others."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.erasure.plan import Plan, find_manifest
from sluice.lake import object_keys
from sluice.lake.purge import ObjectVersion, VersionedObjects

# A run's id as a part of a key.
_RUN = re.compile(r"/([0-9A-HJKMNP-TV-Z]{26})/")


@dataclass
class Removal:
    """Removes objects of an erasure from both buckets.

    Args:
        services: the catalog, the lake and the inbox.
        plan: the plan.
        results: the folders of results of algorithms that have read the record.
    """

    services: Container
    plan: Plan
    results: Collection[str]
    _active: dict[str, bool] = field(default_factory=dict)

    def remove(self, indexes: Collection[str]) -> None:
        """Remove them. It is safe to repeat.

        Args:
            indexes: the keys of the indexes of pages, whose older versions name the old pages.
        """
        lake = self.services.lake
        objects = VersionedObjects(self.services.s3, lake.bucket)
        for page_hash in [*self.plan.pages, *self.plan.unusable]:
            objects.keep_only(lake.full_key(object_keys.raw(page_hash)), ())
        for key in indexes:
            objects.keep_only(lake.full_key(key), {lake.full_key(key)})
        for slug in self.plan.datasources:
            self._keep_referenced(objects, f"records/{slug}/", [DatasetId.of_datasource(slug)])
        for slug in self.plan.projects:
            owned = [dataset for dataset in self.services.erasures.datasets("project") if dataset.owner == slug]
            self._keep_referenced(objects, f"merged/{slug}/", [DatasetId.of_project(slug)])
            for folder in ("models", "reports"):
                self._keep_referenced(objects, f"{folder}/{slug}/", owned)
            self._remove_results(objects, slug)
        for folder in ("identities", "partitions"):
            self._remove_intermediate(objects, folder)
        inbox = VersionedObjects(self.services.s3, self.services.inbox.bucket)
        gone = [*self.plan.files, *self.plan.markers]
        inbox.remove([ObjectVersion(key, version, latest=False, marker=False) for key, version in gone])

    def _keep_referenced(self, objects: VersionedObjects, folder: str, datasets: Collection[DatasetId]) -> None:
        """Keep the objects that versions refer to, and those of active runs, which may still be committed.

        What else is there is of attempts that were never committed.
        """
        lake, keys = self.services.lake, set()
        for dataset in datasets:
            for version in self.services.erasures.versions(dataset):
                manifest = find_manifest(self.services, version.manifest_key)
                if manifest is not None:
                    document = [manifest.document] if manifest.document else []
                    parts = [*manifest.objects, *manifest.provenance, *document]
                    keys |= {version.manifest_key, *(part.key for part in parts)}
        keys |= {key for key in lake.list_keys(folder.rstrip("/")) if self._is_of_active_run(key)}
        objects.keep_only(lake.full_key(folder), set(map(lake.full_key, keys)))

    def _is_of_active_run(self, key: str) -> bool:
        found = _RUN.search(key)
        return found is not None and self._is_active(found[1])

    def _is_active(self, run_id: str) -> bool:
        if run_id not in self._active:
            run = self.services.runs.find(run_id)
            self._active[run_id] = run is not None and not run.finished and run.erasure is None
        return self._active[run_id]

    def _remove_results(self, objects: VersionedObjects, project: str) -> None:
        """Remove results that have read the record, and what attempts without a result have left."""
        lake = self.services.lake
        keys = lake.list_keys(f"algorithms/{project}")
        whole = {key.removesuffix("result.json") for key in keys if key.endswith("/result.json")}
        kept = whole - {f"{folder}/" for folder in self.results}
        present = {
            lake.full_key(key)
            for key in keys
            if "/".join(key.split("/")[:4]) + "/" in kept or self._is_of_active_run(key)
        }
        objects.keep_only(lake.full_key(f"algorithms/{project}/"), present)

    def _remove_intermediate(self, objects: VersionedObjects, folder: str) -> None:
        """Remove what runs keep for a later call or a redrive, of all runs that have ended."""
        lake = self.services.lake
        prefix = lake.full_key(f"{folder}/")
        found = list(objects.versions(prefix))
        objects.remove([version for version in found if not self._is_of_active_run(version.key)])
