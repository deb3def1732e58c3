"""Versions of datasets, the published pointer, and the one transaction that commits a version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sluice.catalog.definitions import Definition, Definitions, Kind
from sluice.catalog.publications import Publications, micro
from sluice.catalog.runs import Runs
from sluice.catalog.table import MOST_TOGETHER, ConditionFailed, Item, Table, Write, batch_get, transact, transact_get
from sluice.catalog.upgrades import newest, upgraded
from sluice.domain.dataset import Manifest, Pointer, Version, publication_refusal
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now, parse_time, rfc3339
from sluice.domain.run import Run, cap_notes
from sluice.errors import Conflict, DataTooLarge, Invalid, NotFound, NotPublished, RunStopped, VersionConflict


@dataclass(frozen=True)
class _Commit:
    number: int
    writes: list[Write]
    refusal: str | None


class Datasets:
    """The tables `Datasets` and `Versions`."""

    def __init__(
        self, datasets: Table, versions: Table, runs: Runs, publications: Publications, workspace: str
    ) -> None:
        self._datasets = datasets
        self._versions = versions
        self._runs = runs
        self._publications = publications
        self._workspace = workspace

    def pointer(self, dataset: DatasetId) -> Pointer:
        """Which version is published; a dataset without any has a pointer to none."""
        return _pointer(dataset, self._datasets.get(self._key(dataset)))

    def pointers_with(
        self, kind: Kind, name: str, datasets: list[DatasetId], definitions: Definitions
    ) -> tuple[Definition | None, dict[DatasetId, Pointer]]:
        """A definition and the pointers of datasets, by one request."""
        distinct = list(dict.fromkeys(datasets))
        wanted = [(self._datasets, self._key(dataset)) for dataset in distinct]
        definition, *items = batch_get(self._datasets.client, [definitions.wanted(kind, name), *wanted])
        pointers = {dataset: _pointer(dataset, item) for dataset, item in zip(distinct, items, strict=True)}
        return definitions.made_of(kind, definition), pointers

    def version(self, dataset: DatasetId, number: int) -> Version:
        """One version.

        Raises:
            NotFound: there is no such version.
        """
        item = self._versions.get({"workspace_dataset": f"{self._workspace}#{dataset}", "number": number})
        if item is None or number <= self.pointer(dataset).floor:
            raise NotFound(f"There is no version {number} of {dataset}.")
        return Version.model_validate(item)

    def any_version(self, dataset: DatasetId, number: int) -> Version:
        """A version, even of a definition that was deleted since: what a merge has read stays explained.

        Raises:
            NotFound: there is no such version.
        """
        item = self._versions.get({"workspace_dataset": f"{self._workspace}#{dataset}", "number": number})
        if item is None:
            raise NotFound(f"There is no version {number} of {dataset}.")
        return Version.model_validate(item)

    def published(self, dataset: DatasetId) -> Version:
        """The version that readers get.

        Raises:
            NotPublished: there is none yet.
        """
        return self._shown(self.pointer(dataset))

    def published_together(self, datasets: list[DatasetId]) -> dict[str, Version]:
        """The versions that readers of several datasets get, as they were published at one moment.

        Raises:
            NotPublished: one has none yet.
            Invalid: there are more than DynamoDB reads at one moment.
        """
        if len(datasets) > MOST_TOGETHER:
            raise Invalid(f"At most {MOST_TOGETHER} tables can be read together.")
        if not datasets:
            return {}
        found = transact_get(self._datasets.client, [(self._datasets, self._key(one)) for one in datasets])
        pointers = [_pointer(dataset, item) for dataset, item in zip(datasets, found, strict=True)]
        return {pointer.dataset: self._shown(pointer) for pointer in pointers}

    def _shown(self, pointer: Pointer) -> Version:
        """The version that a pointer shows; what is shown is hidden from nobody."""
        if pointer.published is None:
            raise NotPublished(f"Nothing of {pointer.dataset} has been published yet; start a run.")
        version = self.any_version(pointer.dataset, pointer.published)
        return version.model_copy(update={"data_as_of": pointer.data_as_of or version.data_as_of})

    def version_as_of(self, dataset: DatasetId, moment: datetime) -> Version:
        """The version that was published at a moment.

        Times are shown to the millisecond and kept to the microsecond: a whole millisecond means all of it.

        Raises:
            NotPublished: none was, as far as is known.
        """
        if moment.microsecond % 1000 == 0:
            moment = moment.replace(microsecond=moment.microsecond + 999)
        publication = self._publications.last(dataset, moment)
        number = publication.number if publication else self._published_before_history(dataset, moment)
        if number is None or number <= self.pointer(dataset).floor:
            raise NotPublished(f"Nothing of {dataset} was published at {rfc3339(moment)}, as far as is known.")
        return self.version(dataset, number)

    def _published_before_history(self, dataset: DatasetId, moment: datetime) -> int | None:
        """The version that a release before 0.3 published, which kept no history, and that still is."""
        pointer = self.pointer(dataset)
        if pointer.published is None or pointer.published_at is not None:
            return None
        made = parse_time(self.version(dataset, pointer.published).created_at)
        return pointer.published if made <= moment else None

    def promote(self, dataset: DatasetId, number: int, by: str) -> Version:
        """Publish a version that is there, an earlier or a later one: for all readers at once.

        Raises:
            NotFound: there is no such version.
            Conflict: others keep publishing at the same time.
        """
        for _ in range(_PROMOTE_TRIES):
            version, pointer = self.version(dataset, number), self.pointer(dataset)
            if pointer.published == number:
                return version
            moment = _later(pointer)
            changes = {
                "schema_version": newest("pointer"),
                "hidden": pointer.hidden,
                "published": number,
                "completeness": version.completeness,
                "run": version.run,
                "fingerprint": version.fingerprint,
                "published_at": moment,
                "data_as_of": None,
                "origin": None,
            }
            pointing = self._datasets.update(self._key(dataset), changes, *_unchanged(pointer))
            try:
                transact(self._datasets.client, [pointing, self._publications.put(dataset, moment, number, by)])
            except ConditionFailed:
                continue
            return version
        raise Conflict(f"{dataset} is being published by others all the time; try again.")

    def versions(self, dataset: DatasetId, limit: int, before: int | None) -> tuple[list[Version], int | None]:
        """Versions from the newest on; and the number to go on before."""
        condition = "#workspace_dataset = :pk AND #number BETWEEN :low AND :high"
        values: Item = {
            "pk": f"{self._workspace}#{dataset}",
            "low": self.pointer(dataset).floor + 1,
            "high": _NO_NUMBER if before is None else before - 1,
        }
        page = self._versions.query(condition, values, limit=limit + 1, newest_first=True)
        found = [Version.model_validate(item) for item in page.items]
        return found[:limit], found[limit - 1].number if len(found) > limit else None

    def of_run(self, dataset: DatasetId, run: str) -> Version:
        """The version that a run has made.

        Raises:
            NotPublished: there is no version at all.
            NotFound: the run has made none of this dataset.
        """
        before: int | None = None
        while True:
            found, before = self.versions(dataset, _SEARCHED, before)
            for version in found:
                if version.run == run:
                    return version
            if before is None:
                if not found:
                    raise NotPublished(f"Nothing of {dataset} has been made yet; start a run.")
                raise NotFound(f"The run {run!r} has made no version of {dataset}.")

    def hiding(self, dataset: DatasetId, by: str) -> list[Write]:
        """The part of a deletion that takes the dataset's versions out of everybody's sight.

        Whoever makes a definition of the same name later must not find the data of this one;
        numbers go on, so that no version is ever written over.

        Args:
            by: the principal that deletes, for the followers of publications.
        """
        pointer = self.pointer(dataset)
        if pointer.latest == 0:
            return []
        hidden = pointer.model_dump(include={"floor", *_SHOWN}, exclude_none=True)
        changes = {
            "schema_version": newest("pointer"),
            "floor": pointer.latest,
            "hidden": hidden,
            **dict.fromkeys(_SHOWN),
        }
        return [
            self._datasets.update(self._key(dataset), changes, "#latest = :latest", {"latest": pointer.latest}),
            *([self._publications.put(dataset, _later(pointer), None, by)] if pointer.published is not None else []),
        ]

    def showing(self, dataset: DatasetId, by: str) -> list[Write]:
        """The part of a restoration that brings back what `hiding` has hidden.

        Args:
            by: the principal that restores, for the followers of publications.
        """
        pointer = self.pointer(dataset)
        if pointer.hidden is None:
            return []
        changes = {**dict.fromkeys(_SHOWN), **pointer.hidden, "hidden": None}
        number = pointer.hidden.get("published")
        return [
            self._datasets.update(self._key(dataset), changes, "#latest = :latest", {"latest": pointer.latest}),
            *([self._publications.put(dataset, _later(pointer), number, by)] if number is not None else []),
        ]

    def _key(self, dataset: DatasetId) -> Item:
        return {"workspace": self._workspace, "dataset": dataset}

    def commit(self, run: Run, made: Sequence[tuple[str, Manifest]], owner: Write) -> Run:
        """Make versions of the objects that manifests name: all of them, or nothing.

        Numbers, pointers and the run's status change in one transaction. Committing again what
        this run has committed is answered with the finished run.

        Args:
            made: the manifests' keys, and the manifests; the run's own first.
            owner: the condition that what the run works for is still there.

        Raises:
            VersionConflict: somebody committed meanwhile; what was made of stale inputs is made again.
            RunStopped: the run was cancelled or started anew.
        """
        commits = [self._prepared(run, key, manifest) for key, manifest in made]
        first, manifest = commits[0], made[0][1]
        warnings = [note for _, other in made for note in other.warnings]
        refusals = [one.refusal for one in commits if one.refusal]
        finishing = self._runs.finishing(
            run,
            status="partial" if manifest.completeness == "partial" else "succeeded",
            version=first.number,
            finished_at=rfc3339(now()),
            rows=manifest.rows if manifest.added is None else manifest.added,
            bytes=manifest.bytes,
            fingerprint=manifest.fingerprint,
            completeness=manifest.completeness,
            completeness_reasons=cap_notes(manifest.completeness_reasons),
            warnings=[*warnings, *refusals],
            progress={"stage": "commit", "current": 1, "total": 1},
        )
        try:
            transact(self._datasets.client, [finishing, owner, *(write for one in commits for write in one.writes)])
        except ConditionFailed as failure:
            if failure.position == 0:
                return self._committed_before(run)
            if failure.position == 1:
                raise RunStopped(f"What the run {run.id} works for was deleted before it could be committed.") from None
            raise VersionConflict(f"{run.owner} was committed meanwhile; trying again.") from None
        return self._runs.get(run.id)

    def _prepared(self, run: Run, manifest_key: str, manifest: Manifest) -> _Commit:
        """The part of a commit that one manifest is: its number, its writes, and why it does not take the pointer."""
        _require_storable(manifest)
        pointer = self.pointer(manifest.dataset)
        if manifest.base is not None and (pointer.published or 0) != manifest.base:
            raise VersionConflict(f"{manifest.dataset} was published again while this run worked on it.")
        repeated = manifest.once and manifest.fingerprint == pointer.fingerprint and pointer.published is not None
        number = pointer.published if repeated else pointer.latest + 1
        assert number is not None
        if manifest.number is not None and manifest.number != number:
            raise VersionConflict(f"{manifest.dataset} got another version while this run worked on it.")
        refusal = None if repeated else publication_refusal(pointer, manifest, run.id)
        published_at = _later(pointer) if refusal is None else None
        writes = [self._pointing(pointer, manifest, run, number, published_at, repeated)]
        if not repeated and published_at is not None:
            writes.append(self._publications.put(manifest.dataset, published_at, number, run.id))
        if not repeated:
            moment = parse_time(published_at) if published_at is not None else now()
            item = self._item(manifest, manifest_key, number, rfc3339(moment))
            writes.append(self._versions.put(item, _NEW_VERSION))
        return _Commit(number, writes, refusal)

    def _committed_before(self, run: Run) -> Run:
        stored = self._runs.get(run.id)
        if stored.attempt == run.attempt and stored.status in ("succeeded", "partial"):
            return stored
        raise RunStopped(f"The run {run.id} was stopped or started anew before it could be committed.")

    def _pointing(
        self, pointer: Pointer, manifest: Manifest, run: Run, number: int, published_at: str | None, repeated: bool
    ) -> Write:
        """The part of a commit that changes the pointer.

        Args:
            published_at: when the version takes the pointer; none if it does not.
        """
        form = {"schema_version": newest("pointer"), "hidden": pointer.hidden}  # which reading may have upgraded
        changes: Item = {"latest": max(number, pointer.latest), **form}
        if published_at is not None:
            changes |= {"checked_at": rfc3339(now()), "data_as_of": manifest.data_as_of}
        if published_at is not None and not repeated:
            changes |= {
                "published": number,
                "completeness": manifest.completeness,
                "run": run.id,
                "fingerprint": manifest.fingerprint,
                "published_at": published_at,
                "origin": manifest.origin.model_dump() if manifest.origin else None,
            }
        return self._datasets.update(self._key(pointer.dataset), changes, *_unchanged(pointer))

    def _item(self, manifest: Manifest, manifest_key: str, number: int, moment: str) -> Item:
        return {
            "workspace_dataset": f"{self._workspace}#{manifest.dataset}",
            "number": number,
            "rows": manifest.rows,
            "bytes": manifest.bytes,
            "schema": [column.model_dump() for column in manifest.columns],
            "completeness": manifest.completeness,
            "completeness_reasons": cap_notes(manifest.completeness_reasons),
            "run": manifest.run,
            "created_at": moment,
            "data_as_of": manifest.data_as_of,
            "fingerprint": manifest.fingerprint,
            "manifest_key": manifest_key,
            "schema_version": newest("version"),
        }


# What of a pointer readers see.
def _pointer(dataset: DatasetId, item: Item | None) -> Pointer:
    return Pointer.model_validate(upgraded("pointer", item)) if item else Pointer(dataset=dataset)


_SHOWN = ("published", "completeness", "run", "fingerprint", "checked_at", "published_at", "data_as_of", "origin")
_PROMOTE_TRIES = 20
_NO_NUMBER = 10**15
_SEARCHED = 200
_NEW_VERSION = "attribute_not_exists(#number)"
# An item may have 400 KB, and the schema is the one part of a version that may grow.
_MOST_SCHEMA_BYTES = 300_000


def _unchanged(pointer: Pointer) -> tuple[str, Item]:
    """The condition that a pointer is as it was read."""
    same = "#latest = :latest AND " + (
        "#published = :published" if pointer.published is not None else "attribute_not_exists(#published)"
    )
    values: Item = {"latest": pointer.latest}
    if pointer.published is not None:
        values["published"] = pointer.published
    if pointer.published_at is not None:
        same += " AND #published_at = :published_at"
        values["published_at"] = pointer.published_at
    return f"attribute_not_exists(#dataset) OR ({same})", values


def _later(pointer: Pointer) -> str:
    """Now, but after the publication before: clocks differ, and the history must not go back."""
    moment = now()
    if pointer.published_at is not None:
        moment = max(moment, parse_time(pointer.published_at) + timedelta(microseconds=1))
    return micro(moment)


def _require_storable(manifest: Manifest) -> None:
    size = sum(len(column.name.encode()) + 40 for column in manifest.columns)
    if size > _MOST_SCHEMA_BYTES:
        raise DataTooLarge(f"The names of the {len(manifest.columns)} columns are too long; choose some with `fields`.")
