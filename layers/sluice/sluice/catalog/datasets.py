"""Versions of datasets, the published pointer, and the one transaction that commits a version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sluice.catalog.definitions import Definition, Definitions, Kind
from sluice.catalog.publications import Publications, rfc3339_micro
from sluice.catalog.runs import Runs
from sluice.catalog.table import MAX_BATCH_ITEMS, ConditionFailed, Item, Table, Write, batch_get, transact, transact_get
from sluice.catalog.upgrades import newest, upgraded
from sluice.domain.dataset import Manifest, Pointer, Version, publication_refusal
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now, parse_time, rfc3339
from sluice.domain.run import Run, cap_notes
from sluice.errors import Conflict, DataTooLarge, Invalid, NotFound, NotPublished, RunStopped, VersionConflict


@dataclass(frozen=True)
class _Commit:
    """What the commit of one manifest consists of.

    Args:
        number: the version's number.
        writes: the pointer's write first.
        refusal: why the version does not become the published one; None if it does.
    """

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
        """The pointer, which names the published version; of a dataset without versions, an empty one."""
        return _pointer(dataset, self._datasets.get(self._key(dataset)))

    def definition_and_pointers(
        self, kind: Kind, name: str, datasets: list[DatasetId], definitions: Definitions
    ) -> tuple[Definition | None, dict[DatasetId, Pointer]]:
        """A definition and the pointers of datasets, by one request.

        Args:
            kind: the definition's kind.
            name: the definition's name.
            datasets: at most 99, since one request reads 100 items.
            definitions: the catalog's definitions.

        Returns:
            The definition, None if there is none; and the pointer of each dataset.
        """
        distinct = list(dict.fromkeys(datasets))  # BatchGetItem refuses a request that names a key twice
        keys = [(self._datasets, self._key(dataset)) for dataset in distinct]
        definition, *items = batch_get(self._datasets.client, [definitions.location(kind, name), *keys])
        pointers = {dataset: _pointer(dataset, item) for dataset, item in zip(distinct, items, strict=True)}
        return definitions.from_item(kind, definition), pointers

    def version(self, dataset: DatasetId, number: int) -> Version:
        """One version.

        Raises:
            NotFound: there is no such version, or it belongs to a deleted definition of the same name.
        """
        item = self._versions.get({"workspace_dataset": f"{self._workspace}#{dataset}", "number": number})
        if item is None or number <= self.pointer(dataset).floor:
            raise NotFound(f"There is no version {number} of {dataset}.")
        return Version.model_validate(item)

    def any_version(self, dataset: DatasetId, number: int) -> Version:
        """One version, even if its definition was deleted, so that what a merge has read can be explained.

        Raises:
            NotFound: there is no such version.
        """
        item = self._versions.get({"workspace_dataset": f"{self._workspace}#{dataset}", "number": number})
        if item is None:
            raise NotFound(f"There is no version {number} of {dataset}.")
        return Version.model_validate(item)

    def published(self, dataset: DatasetId) -> Version:
        """The published version.

        Raises:
            NotPublished: no version was published yet.
        """
        return self._published_version(self.pointer(dataset))

    def published_at_once(self, datasets: list[DatasetId]) -> dict[str, Version]:
        """The published versions of several datasets at one moment.

        A reader never gets one dataset from before and another one from after the same commit.

        Returns:
            The versions by the datasets' ids.

        Raises:
            NotPublished: one of them has no published version.
            Invalid: there are more datasets than DynamoDB reads in one transaction.
        """
        if len(datasets) > MAX_BATCH_ITEMS:
            raise Invalid(f"At most {MAX_BATCH_ITEMS} tables can be read together.")
        if not datasets:
            return {}
        items = transact_get(self._datasets.client, [(self._datasets, self._key(dataset)) for dataset in datasets])
        pointers = [_pointer(dataset, item) for dataset, item in zip(datasets, items, strict=True)]
        return {pointer.dataset: self._published_version(pointer) for pointer in pointers}

    def _published_version(self, pointer: Pointer) -> Version:
        """The version that a pointer names."""
        if pointer.published is None:
            raise NotPublished(f"Nothing of {pointer.dataset} has been published yet; start a run.")
        # No check of the floor: a deletion clears `published`, so what a pointer names is never hidden.
        version = self.any_version(pointer.dataset, pointer.published)
        return version.model_copy(update={"data_as_of": pointer.data_as_of or version.data_as_of})

    def version_as_of(self, dataset: DatasetId, moment: datetime) -> Version:
        """The version that was the published one at a moment.

        Raises:
            NotPublished: none was, as far as the history goes.
        """
        # The API shows times in milliseconds, the history has microseconds. So a time that a caller has read
        # from the API includes the publications later in the same millisecond.
        if moment.microsecond % 1000 == 0:
            moment = moment.replace(microsecond=moment.microsecond + 999)
        publication = self._publications.last(dataset, moment)
        number = publication.number if publication else self._published_before_history(dataset, moment)
        if number is None or number <= self.pointer(dataset).floor:
            raise NotPublished(f"Nothing of {dataset} was published at {rfc3339(moment)}, as far as is known.")
        return self.version(dataset, number)

    def _published_before_history(self, dataset: DatasetId, moment: datetime) -> int | None:
        """The version that a release before 0.3 published and that is still published: it stored no history."""
        pointer = self.pointer(dataset)
        if pointer.published is None or pointer.published_at is not None:
            return None
        created_at = parse_time(self.version(dataset, pointer.published).created_at)
        return pointer.published if created_at <= moment else None

    def promote(self, dataset: DatasetId, number: int, by: str) -> Version:
        """Publish an existing version, for all readers at once.

        Args:
            number: an earlier or later version than the published one.
            by: the principal that publishes it.

        Returns:
            The version, which now is the published one.

        Raises:
            NotFound: there is no such version.
            Conflict: other publications of the dataset came first each time.
        """
        for _ in range(_PROMOTE_ATTEMPTS):
            version, pointer = self.version(dataset, number), self.pointer(dataset)
            if pointer.published == number:
                return version
            moment = _publication_time(pointer)
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
            pointer_write = self._datasets.update(self._key(dataset), changes, *_pointer_unchanged(pointer))
            publication_write = self._publications.put_write(dataset, moment, number, by)
            try:
                transact(self._datasets.client, [pointer_write, publication_write])
            except ConditionFailed:
                continue
            return version
        raise Conflict(f"Other requests are publishing versions of {dataset}; try again.")

    def versions(self, dataset: DatasetId, limit: int, before: int | None) -> tuple[list[Version], int | None]:
        """One page of the versions, newest first.

        Args:
            before: a number; the page begins with the next lower one. None begins with the newest version.

        Returns:
            The versions, and the number that the next page begins before; None if there is none.
        """
        condition = "#workspace_dataset = :pk AND #number BETWEEN :low AND :high"
        values: Item = {
            "pk": f"{self._workspace}#{dataset}",
            "low": self.pointer(dataset).floor + 1,
            "high": _ABOVE_ALL_NUMBERS if before is None else before - 1,
        }
        page = self._versions.query(condition, values, limit=limit + 1, newest_first=True)
        versions = [Version.model_validate(item) for item in page.items]
        return versions[:limit], versions[limit - 1].number if len(versions) > limit else None

    def of_run(self, dataset: DatasetId, run: str) -> Version:
        """The version of a dataset that a run has committed.

        Raises:
            NotPublished: the dataset has no versions.
            NotFound: the run has committed no version of this dataset.
        """
        before: int | None = None
        while True:
            versions, before = self.versions(dataset, _SEARCH_PAGE, before)
            for version in versions:
                if version.run == run:
                    return version
            if before is None:
                if not versions:
                    raise NotPublished(f"{dataset} has no versions yet; start a run.")
                raise NotFound(f"The run {run!r} has created no version of {dataset}.")

    def hide_writes(self, dataset: DatasetId, by: str) -> list[Write]:
        """The writes of a deletion that hide the dataset's versions.

        A definition that is created later under the same name must not show this one's data. So the
        versions up to now are below the pointer's `floor`. Numbers continue after them, so that no
        version is ever overwritten.

        Args:
            by: the principal that deletes the definition.
        """
        pointer = self.pointer(dataset)
        if pointer.latest == 0:
            return []
        hidden = pointer.model_dump(include={"floor", *_PUBLISHED_ATTRIBUTES}, exclude_none=True)
        changes = {
            "schema_version": newest("pointer"),
            "floor": pointer.latest,
            "hidden": hidden,
            **dict.fromkeys(_PUBLISHED_ATTRIBUTES),
        }
        return self._visibility_writes(pointer, changes, pointer.published is not None, None, by)

    def show_writes(self, dataset: DatasetId, by: str) -> list[Write]:
        """The writes of a restoration that show again what `hide_writes` has hidden.

        Args:
            by: the principal that restores the definition.
        """
        pointer = self.pointer(dataset)
        if pointer.hidden is None:
            return []
        changes = {**dict.fromkeys(_PUBLISHED_ATTRIBUTES), **pointer.hidden, "hidden": None}
        number = pointer.hidden.get("published")
        return self._visibility_writes(pointer, changes, number is not None, number, by)

    def _visibility_writes(
        self, pointer: Pointer, changes: Item, is_publication: bool, number: int | None, by: str
    ) -> list[Write]:
        """The writes that hide or show a dataset, and the publication that tells its followers."""
        if not is_publication:
            return [self._datasets.update(self._key(pointer.dataset), changes, *_pointer_unchanged(pointer))]
        # The pointer keeps the time, hidden or not: the next publication must be later, whatever its clock says.
        moment = _publication_time(pointer)
        changes |= {"published_at": moment}
        return [
            self._datasets.update(self._key(pointer.dataset), changes, *_pointer_unchanged(pointer)),
            self._publications.put_write(pointer.dataset, moment, number, by),
        ]

    def _key(self, dataset: DatasetId) -> Item:
        return {"workspace": self._workspace, "dataset": dataset}

    def commit(self, run: Run, manifests: Sequence[tuple[str, Manifest]], owner: Write) -> Run:
        """Create the versions that manifests describe and publish them, in one transaction with the run's end.

        It is safe to repeat: a commit that has succeeded before returns the finished run.

        Args:
            manifests: each manifest with its key in the lake; the run's own dataset first.
            owner: the write that requires the run's datasource or project to exist still.

        Returns:
            The finished run.

        Raises:
            VersionConflict: another commit came first, so the inputs may be stale: repeat the stage.
            RunStopped: the run was cancelled or redriven, or its owner was deleted.
        """
        commits = [self._prepare(run, key, manifest) for key, manifest in manifests]
        first, manifest = commits[0], manifests[0][1]
        warnings = [warning for _, other in manifests for warning in other.warnings]
        refusals = [commit.refusal for commit in commits if commit.refusal]
        finish_write = self._runs.finish_write(
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
            # The order matters: `position` below tells which condition failed.
            transact(
                self._datasets.client, [finish_write, owner, *(write for commit in commits for write in commit.writes)]
            )
        except ConditionFailed as failure:
            if failure.position == 0:
                return self._previous_result(run)
            if failure.position == 1:
                raise RunStopped(
                    f"The {run.type.belongs_to} of the run {run.id} was deleted before the run could be committed."
                ) from None
            raise VersionConflict(f"Another run has committed {run.owner} meanwhile; trying again.") from None
        return self._runs.get(run.id)

    def _prepare(self, run: Run, manifest_key: str, manifest: Manifest) -> _Commit:
        """The part of a commit that one manifest causes."""
        _require_storable(manifest)
        pointer = self.pointer(manifest.dataset)
        if manifest.base is not None and (pointer.published or 0) != manifest.base:
            raise VersionConflict(f"{manifest.dataset} was published again while this run worked on it.")
        # The same inputs again: the published version stays, and only the time of the check changes.
        repeated = manifest.once and manifest.fingerprint == pointer.fingerprint and pointer.published is not None
        number = pointer.published if repeated else pointer.latest + 1
        assert number is not None
        if manifest.number is not None and manifest.number != number:
            raise VersionConflict(f"{manifest.dataset} got another version while this run worked on it.")
        refusal = None if repeated else publication_refusal(pointer, manifest, run.id)
        published_at = _publication_time(pointer) if refusal is None else None
        writes = [self._pointer_write(pointer, manifest, run, number, published_at, repeated)]
        if not repeated and published_at is not None:
            writes.append(self._publications.put_write(manifest.dataset, published_at, number, run.id))
        if not repeated:
            moment = parse_time(published_at) if published_at is not None else now()
            item = self._item(manifest, manifest_key, number, rfc3339(moment))
            writes.append(self._versions.put(item, _NEW_VERSION))
        return _Commit(number, writes, refusal)

    def _previous_result(self, run: Run) -> Run:
        stored = self._runs.get(run.id)
        if stored.attempt == run.attempt and stored.status in ("succeeded", "partial"):
            return stored
        raise RunStopped(f"The run {run.id} was stopped or started anew before it could be committed.")

    def _pointer_write(
        self, pointer: Pointer, manifest: Manifest, run: Run, number: int, published_at: str | None, repeated: bool
    ) -> Write:
        """The write of the pointer in a commit.

        Args:
            published_at: the time of publication; None if the version is not published.
            repeated: whether the published version is the same, so that only its data was checked again.
        """
        # Reading may have upgraded the pointer, so that what was read of it is written in the current format.
        form = {"schema_version": newest("pointer"), "hidden": pointer.hidden}
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
        return self._datasets.update(self._key(pointer.dataset), changes, *_pointer_unchanged(pointer))

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


def _pointer(dataset: DatasetId, item: Item | None) -> Pointer:
    return Pointer.model_validate(upgraded("pointer", item)) if item else Pointer(dataset=dataset)


# The attributes of a pointer that describe the published version.
_PUBLISHED_ATTRIBUTES = (
    "published",
    "completeness",
    "run",
    "fingerprint",
    "checked_at",
    "published_at",
    "data_as_of",
    "origin",
)
_PROMOTE_ATTEMPTS = 20  # an attempt fails only if another write of the pointer succeeded
_ABOVE_ALL_NUMBERS = 10**15
_SEARCH_PAGE = 200
_NEW_VERSION = "attribute_not_exists(#number)"
# DynamoDB's limit for an item is 400 KB, and the schema is the only part of a version without a limit of its own.
_MAX_SCHEMA_BYTES = 300_000


def _pointer_unchanged(pointer: Pointer) -> tuple[str, Item]:
    """The condition, with its values, that a pointer has not changed since it was read."""
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


def _publication_time(pointer: Pointer) -> str:
    """The time of a publication that happens now, later than that of the previous one."""
    # The clocks of two processes differ, and the history must have the order of the commits.
    moment = now()
    if pointer.published_at is not None:
        moment = max(moment, parse_time(pointer.published_at) + timedelta(microseconds=1))
    return rfc3339_micro(moment)


def _require_storable(manifest: Manifest) -> None:
    size = sum(len(column.name.encode()) + 40 for column in manifest.columns)
    if size > _MAX_SCHEMA_BYTES:
        raise DataTooLarge(f"The names of the {len(manifest.columns)} columns are too long; choose some with `fields`.")
