"""What an erasure needs of the catalog: to read all that could name a record, and to change it afterwards.

Nothing else rewrites versions and receipts: they are immutable otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from sluice.catalog.batches import Batch
from sluice.catalog.definitions import decode_definition, encode_document
from sluice.catalog.table import ConditionFailed, Item, Table
from sluice.domain.dataset import Manifest, Tombstone, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.run import MAX_NOTES, PageReceipt
from sluice.domain.run_failure import RunFailure

_PREFIX = "erased"


class Erasures:
    """Tombstones, and the changes that leave no trace of a record.

    Tombstones are items `erased/{dataset}/{run}` beside the pointers, in the table `Datasets`.

    Args:
        definitions: the table `Definitions`.
        datasets: the table `Datasets`.
        versions: the table `Versions`.
        pages: the table `Pages`.
        runs: the table `Runs`.
        batches: the table `Batches`.
        locks: the table `Locks`.
        deliveries: the table `Deliveries`.
        workspace: the workspace.
    """

    def __init__(
        self,
        definitions: Table,
        datasets: Table,
        versions: Table,
        pages: Table,
        runs: Table,
        batches: Table,
        locks: Table,
        deliveries: Table,
        workspace: str,
    ) -> None:
        self._definitions = definitions
        self._datasets = datasets
        self._versions = versions
        self._pages = pages
        self._runs = runs
        self._batches = batches
        self._locks = locks
        self._deliveries = deliveries
        self._workspace = workspace

    # ---------------------------------------------------------------- tombstones

    def put(self, dataset: DatasetId, tombstone: Tombstone, hashes: list[str]) -> None:
        """Store a tombstone.

        Args:
            hashes: the hashes of all keys under which it is looked up: of the datasource and of merges.
        """
        key = self._dataset_key(f"{_PREFIX}/{dataset}/{tombstone.run}")
        changes = {"tombstone": tombstone.model_dump(), "hashes": hashes}
        self._datasets.execute(self._datasets.update(key, changes, _ALWAYS))

    def of(self, dataset: DatasetId, key_hash: str | None = None) -> list[Tombstone]:
        """The tombstones of a dataset, the oldest first.

        Args:
            key_hash: only those of this key, as `domain.erasure.key_hash` returns it.
        """
        items = self._datasets.query_all(
            "#workspace = :pk AND begins_with(#dataset, :prefix)",
            {"pk": self._workspace, "prefix": f"{_PREFIX}/{dataset}/"},
        )
        return [
            Tombstone.model_validate(item["tombstone"])
            for item in items
            if key_hash is None or key_hash in item["hashes"]
        ]

    # ---------------------------------------------------------------- versions

    def datasets(self, owner: str) -> list[DatasetId]:
        """All datasets that have a pointer, deleted ones included.

        Args:
            owner: `datasource` or `project`.
        """
        values = {"pk": self._workspace, "prefix": f"{owner}/"}
        items = self._datasets.query_all("#workspace = :pk AND begins_with(#dataset, :prefix)", values)
        return [DatasetId(item["dataset"]) for item in items]

    def versions(self, dataset: DatasetId) -> list[Version]:
        """All versions of a dataset, the oldest first, those of deleted definitions included."""
        items = self._versions.query_all("#workspace_dataset = :pk", {"pk": f"{self._workspace}#{dataset}"})
        return [Version.model_validate(item) for item in items]

    def update_version(self, dataset: DatasetId, number: int, manifest: Manifest) -> None:
        """Give a version the numbers and the fingerprint of its rewritten manifest, and its pointer, too."""
        changes = {
            "rows": manifest.rows,
            "bytes": manifest.bytes,
            "schema": [column.model_dump() for column in manifest.columns],
            "fingerprint": manifest.fingerprint,
        }
        with suppress(ConditionFailed):  # an earlier call has removed it
            self._versions.execute(
                self._versions.update(self._version_key(dataset, number), changes, "attribute_exists(#number)")
            )
        with suppress(ConditionFailed):  # another version is published
            self._datasets.execute(
                self._datasets.update(
                    self._dataset_key(dataset),
                    {"fingerprint": manifest.fingerprint},
                    "#published = :number",
                    {"number": number},
                )
            )

    def remove_version(self, dataset: DatasetId, number: int) -> None:
        """Remove a version from the catalog, if it is there; its number is not used again."""
        self._versions.execute(self._versions.delete(self._version_key(dataset, number), _ALWAYS))

    def update_notes(self, dataset: DatasetId, number: int, manifest: Manifest) -> None:
        """Change why a version is incomplete, and what stands in for missing data, if it is there."""
        changes = {
            "completeness_reasons": manifest.completeness_reasons,
            "stale": [entry.model_dump() for entry in manifest.stale[:MAX_NOTES]],
        }
        with suppress(ConditionFailed):
            self._versions.execute(
                self._versions.update(self._version_key(dataset, number), changes, "attribute_exists(#number)")
            )

    def update_pointer(self, dataset: DatasetId, **changes: Any) -> None:
        """Change attributes of a dataset's pointer, if it is there."""
        with suppress(ConditionFailed):
            self._datasets.execute(
                self._datasets.update(self._dataset_key(dataset), changes, "attribute_exists(#dataset)")
            )

    def forget_tests(self, owner: DatasetId) -> None:
        """Remove the latest results of tests, which quote values: of a dataset, and of what belongs to it."""
        values = {"pk": self._workspace, "prefix": f"tests/{owner}"}
        for item in self._datasets.query_all("#workspace = :pk AND begins_with(#dataset, :prefix)", values):
            if item["dataset"] == f"tests/{owner}" or item["dataset"].startswith(f"tests/{owner}/"):
                self._datasets.execute(self._datasets.delete(self._dataset_key(item["dataset"]), _ALWAYS))

    # ---------------------------------------------------------------- overrides

    def overrides(self, project: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The names and documents of a project's overrides, deleted ones included."""
        values = {"pk": f"{self._workspace}#override", "prefix": f"{project}#"}
        for item in self._definitions.query_all("#workspace_kind = :pk AND begins_with(#name, :prefix)", values):
            yield item["name"], decode_definition("override", item).document

    def remove_override(self, name: str) -> None:
        """Remove an override, if it is there; nothing of it stays."""
        key = {"workspace_kind": f"{self._workspace}#override", "name": name}
        self._definitions.execute(self._definitions.delete(key, _ALWAYS))

    # ---------------------------------------------------------------- links

    def links(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The names and documents of the signed links of all projects, deleted ones included."""
        for item in self._definitions.query_all("#workspace_kind = :pk", {"pk": f"{self._workspace}#link"}):
            yield item["name"], decode_definition("link", item).document

    def update_link(self, name: str, document: dict[str, Any]) -> None:
        """Change the document of a link, if it is there."""
        key = {"workspace_kind": f"{self._workspace}#link", "name": name}
        with suppress(ConditionFailed):
            self._definitions.execute(
                self._definitions.update(key, {"document": encode_document(document)}, "attribute_exists(#name)")
            )

    # ---------------------------------------------------------------- pages

    def receipts(self) -> Iterator[tuple[str, PageReceipt]]:
        """All receipts of the workspace, each with the id of its run; the whole table is read."""
        for item in self._pages.scan_all():
            workspace, _, run = item["workspace_run"].partition("#")
            if workspace == self._workspace:
                yield run, PageReceipt.model_validate(item)

    def update_batch(self, run: str, batch: Batch) -> None:
        """Change what a waiting push says about its page, if it still waits."""
        key = {"workspace_run": f"{self._workspace}#{run}", "batch": batch.id}
        changes = {"hash": batch.hash, "erased": batch.erased, "gaps": batch.gaps}
        with suppress(ConditionFailed):  # a run has taken it
            self._batches.execute(self._batches.update(key, changes, "attribute_exists(#batch)"))

    def update_receipt(self, run: str, receipt: PageReceipt) -> None:
        """Change what a receipt says about its page, if it is there."""
        key = {"workspace_run": f"{self._workspace}#{run}", "number": receipt.number}
        document = receipt.model_dump(mode="json")
        names = ("hash", "erased", "gaps", "replaced", "failures", "records_hash", "url", "filename", "resume")
        changes = {name: document[name] for name in names}
        with suppress(ConditionFailed):  # it has expired
            self._pages.execute(self._pages.update(key, changes, "attribute_exists(#number)"))

    def batches(self) -> Iterator[tuple[str, Batch]]:
        """All pushes that wait, each with the id of its run; the whole table is read."""
        for item in self._batches.scan_all():
            workspace, _, run = item["workspace_run"].partition("#")
            if workspace == self._workspace and "hash" in item:
                yield run, Batch.model_validate({**item, "id": item["batch"]})

    # ---------------------------------------------------------------- locks and runs

    def locks(self, *prefixes: str) -> Iterator[Item]:
        """All items of the table `Locks` whose names begin with one of these; the whole table is read."""
        for item in self._locks.scan_all():
            workspace, _, name = item["workspace_id"].partition("#")
            if workspace == self._workspace and name.startswith(prefixes):
                yield item | {"name": name}

    def remove_lock(self, name: str) -> None:
        """Remove a lock, or a stored answer, if it is there."""
        self._locks.execute(self._locks.delete({"workspace_id": f"{self._workspace}#{name}"}, _ALWAYS))

    def update_lock(self, name: str, **changes: Any) -> None:
        """Change the attributes of a lock or stored answer, if it is there."""
        with suppress(ConditionFailed):  # it has expired
            key = {"workspace_id": f"{self._workspace}#{name}"}
            self._locks.execute(self._locks.update(key, changes, "attribute_exists(#workspace_id)"))

    def update_run(self, run: str, **changes: Any) -> None:
        """Change the attributes of a run, if it is there, whatever its status."""
        with suppress(ConditionFailed):  # it has expired
            key = {"workspace": self._workspace, "run_id": run}
            self._runs.execute(self._runs.update(key, changes, "attribute_exists(#run_id)"))

    # ---------------------------------------------------------------- events

    def failures(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The keys and errors of failures of runs that were not delivered to every follower."""
        values = {"pk": self._workspace, "prefix": f"{RunFailure.PREFIX}/"}
        for item in self._datasets.query_all("#workspace = :pk AND begins_with(#dataset, :prefix)", values):
            if item.get("error"):
                yield item["dataset"], item["error"]

    def update_failure(self, key: str, error: dict[str, Any]) -> None:
        """Change the error of a failure, if it still waits."""
        with suppress(ConditionFailed):
            self._datasets.execute(
                self._datasets.update(self._dataset_key(key), {"error": error}, "attribute_exists(#dataset)")
            )

    def deliveries(self) -> Iterator[Item]:
        """All deliveries of failures of runs to webhooks; the whole table is read."""
        for item in self._deliveries.scan_all():
            workspace = item["workspace_subscription"].partition("#")[0]
            if workspace == self._workspace and item["event"] == RunFailure.TYPE:
                yield item

    def update_delivery(self, item: Item, body: str) -> None:
        """Change the body that a delivery sends, if it is there."""
        key = {name: item[name] for name in ("workspace_subscription", "delivery")}
        with suppress(ConditionFailed):  # it has expired
            self._deliveries.execute(self._deliveries.update(key, {"body": body}, "attribute_exists(#delivery)"))

    def _dataset_key(self, dataset: str) -> Item:
        return {"workspace": self._workspace, "dataset": dataset}

    def _version_key(self, dataset: DatasetId, number: int) -> Item:
        return {"workspace_dataset": f"{self._workspace}#{dataset}", "number": number}


_ALWAYS = "attribute_exists(#expires_at) OR attribute_not_exists(#expires_at)"
