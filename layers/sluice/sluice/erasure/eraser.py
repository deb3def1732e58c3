"""One erasure, step by step. Each step can be repeated, so that one that was killed is simply done again.

The order keeps readers and a later call right: new objects are written first, then what refers to them is changed in
one write each, and only then the old objects are removed. The plan says everything that later steps need; it is
stored before the first change, and removed at the end.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress

from sluice.container import Container
from sluice.domain.dataset import Manifest, Tombstone
from sluice.domain.dataset_id import DatasetId
from sluice.domain.erasure import key_hash
from sluice.domain.run import Run
from sluice.erasure.answers import remove_answers
from sluice.erasure.derived import Derived
from sluice.erasure.events import clean_events
from sluice.erasure.matching import Key
from sluice.erasure.merges import MergedVersions, merge_keys
from sluice.erasure.names import expire_links, forget_drops
from sluice.erasure.notes import remove_overrides, remove_quotations
from sluice.erasure.plan import Plan, rewritten_page
from sluice.erasure.planner import Planner
from sluice.erasure.quotations import Quotations
from sluice.erasure.records import RecordVersions
from sluice.erasure.references import References
from sluice.erasure.removal import Removal
from sluice.erasure.unfinished import forget_ended
from sluice.errors import NotFound
from sluice.formats.limits import Limits
from sluice.lake import object_keys
from sluice.runs.start import refresh_for_change


class Eraser:
    """Erases one record.

    Args:
        services: the catalog, the lake and the inbox.
        run: the run of the erasure.
        key: the key of the record.
    """

    def __init__(self, services: Container, run: Run, key: Key) -> None:
        assert run.erasure is not None
        assert run.datasource is not None
        self._services = services
        self._run = run
        self._slug = run.datasource
        self._key = key
        self._tombstone = Tombstone(
            datasource=run.datasource,
            key_hash=run.erasure.key_hash,
            reason=run.erasure.reason,
            erased_at=run.created_at,
            erased_by=run.created_by,
            run=run.id,
            removed=run.erasure.removed,
        )

    # ---------------------------------------------------------------- the plan

    def plan(self, earlier: Sequence[Plan] = ()) -> Plan:
        """Find everything that has the record; nothing is changed.

        Args:
            earlier: the plans of runs that have erased a part of the record.

        Raises:
            CannotErase: the record cannot be removed from a page by itself.
        """
        rewritten = self._services.lake.find_json(object_keys.erasure(self._run.id, "pages")) or {}
        before = {page_hash for one in earlier for page_hash in [*one.pages, *one.unusable]}
        plan = Planner(self._services, self._slug, self._key, rewritten.values(), before).plan()
        for one in earlier:
            plan = plan.with_earlier(one)
        texts = set(plan.texts)
        records = RecordVersions(self._services, self._slug, self._key, plan, self._tombstone, texts).affected()
        affected = {(dataset, version.number) for dataset, version, _, _ in records} | self._removed_versions(plan)
        affected |= set(plan.versions)
        hashes = {manifest.content_hash for _, _, manifest, _ in records} | set(plan.hashes)
        rows = {(dataset, version.number): places for dataset, version, _, places in records}
        again = MergedVersions(self._services, affected, self._tombstone)
        merged = list(again.versions())
        for dataset, version, manifest in merged:
            again.require_possible(dataset, version, manifest)
            found = merge_keys(self._services, manifest, self._places_by_rank(manifest, rows))
            plan.merge_keys[dataset] = sorted({*plan.merge_keys.get(dataset, []), *found})
            affected.add((dataset, version.number))
            hashes.add(manifest.content_hash)
        owners = {dataset.owner for dataset, _, _ in merged}
        plan.projects = sorted({*plan.projects, *owners, *self._projects_of(plan)})
        derived = Derived(self._services, affected, hashes, plan.projects)
        derived.find()
        plan.projects = sorted({*plan.projects, *derived.owners()})
        plan.texts, plan.versions, plan.hashes = sorted(texts), sorted(affected), sorted(hashes)
        plan.counts = self._counts(plan, sum(map(len, rows.values())), len(records), len(merged), derived)
        return plan

    def _removed_versions(self, plan: Plan) -> set[tuple[DatasetId, int]]:
        """The versions that retention has removed: whatever was made of them may have the record."""
        removed = set()
        for dataset in map(DatasetId.of_datasource, plan.datasources):
            present = {version.number for version in self._services.erasures.versions(dataset)}
            latest = self._services.datasets.pointer(dataset).latest
            removed |= {(dataset, number) for number in range(1, latest + 1) if number not in present}
        return removed

    def _places_by_rank(
        self, manifest: Manifest, rows: Mapping[tuple[DatasetId, int], list[int]]
    ) -> dict[int, list[int]]:
        """The numbers of the record's rows by the rank of the input; inputs without columns have no rank."""
        places: dict[int, list[int]] = {}
        for read in manifest.inputs:
            dataset = DatasetId.of_datasource(read.datasource)
            with suppress(NotFound):
                if self._services.datasets.any_version(dataset, read.version).schema_:
                    places[len(places)] = rows.get((dataset, read.version), [])
        return places

    def _projects_of(self, plan: Plan) -> set[str]:
        """The projects that may read the datasources in SQL, merged or not."""
        return {one.project for slug in plan.datasources for one in self._services.assignments.of_datasource(slug)}

    def _counts(self, plan: Plan, rows: int, versions: int, merged: int, derived: Derived) -> dict[str, int]:
        counts = Counter(
            {
                "pages": len(plan.pages) + len(plan.unusable),
                "records": rows,
                "versions": versions,
                "merged_versions": merged,
                "files": len(plan.files),
                "batches": plan.batches,
                "overrides": len(remove_overrides(self._services, plan, change=False)),
                "answers": remove_answers(self._services, Quotations(plan.texts), change=False),
            }
        )
        return dict(sorted((counts + derived.counts()).items()))

    # ---------------------------------------------------------------- applying it

    def apply(self, plan: Plan) -> None:
        """Remove the record from everything that the plan names."""
        texts = set(plan.texts)
        affected = set(plan.versions)
        quotations = Quotations(texts)
        hashes = self._rewrite_pages(plan)
        # Before the merges, since those of documents read the pages.
        indexes = References(self._services, plan, hashes, quotations).update()
        RecordVersions(self._services, self._slug, self._key, plan, self._tombstone, texts).rewrite(hashes)
        MergedVersions(self._services, affected, self._tombstone, plan.merge_keys).rewrite()
        derived = Derived(self._services, affected, set(plan.hashes), plan.projects)
        derived.find()
        derived.remove(self._run.id)
        remove_overrides(self._services, plan)
        remove_quotations(self._services, plan, quotations)
        clean_events(self._services, quotations)
        remove_answers(self._services, quotations)
        expire_links(self._services, quotations)
        Removal(self._services, plan, derived.results).remove(indexes)
        forget_drops(self._services, plan, quotations)
        for dataset, number in plan.versions:
            self._services.datasets.republish(dataset, number, self._run.id)

    def _rewrite_pages(self, plan: Plan) -> dict[str, str]:
        """Write the pages with tombstones.

        Returns:
            The new hash of each, which is stored: a later call finds the old page removed.
        """
        lake, limits = self._services.lake, Limits.of(self._services.settings)
        key = object_keys.erasure(self._run.id, "pages")
        hashes: dict[str, str] = lake.find_json(key) or {}
        for page_hash, change in plan.pages.items():
            if page_hash not in hashes:
                with lake.raw(page_hash) as content:
                    changed = rewritten_page(content.read(), change, limits)
                hashes[page_hash] = lake.put_raw(io.BytesIO(changed))
        lake.put_json(key, hashes)
        return hashes

    # ---------------------------------------------------------------- the end

    def store_tombstones(self, plan: Plan) -> None:
        """Store what stays of the record, where `explain` and people find it."""
        own = DatasetId.of_datasource(self._slug)
        merged = {dataset: [key_hash(dataset, key) for key in keys] for dataset, keys in plan.merge_keys.items()}
        self._services.erasures.put(own, self._tombstone, [self._tombstone.key_hash])
        for dataset, hashes in merged.items():
            self._services.erasures.put(DatasetId(dataset), self._tombstone, hashes)

    def refresh(self, plan: Plan) -> None:
        """Have models, reports and results of algorithms computed again."""
        for slug in plan.projects:
            project = self._services.definitions.find("project", slug)
            published = self._services.datasets.pointer(DatasetId.of_project(slug)).published
            if project is not None and project.document["enabled"] and published is not None:
                with suppress(NotFound):
                    refresh_for_change(self._services, slug)

    def forget(self) -> None:
        """Remove the key and the plan of this run, and what runs have left that need neither any more."""
        forget_ended(self._services, self._run)
