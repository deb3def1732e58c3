"""Versions of datasets, the published pointer, and the one transaction that commits a version."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from sluice.catalog.definitions import Definition, Definitions, Kind
from sluice.catalog.publications import Publications, rfc3339_micro
from sluice.catalog.table import ConditionFailed, Item, Table, Write
from sluice.catalog.transactions import MAX_BATCH_ITEMS, batch_get, transact, transact_get
from sluice.catalog.upgrades import newest, upgraded
from sluice.domain.dataset import Pointer, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now, parse_time, rfc3339
from sluice.domain.stale_input import IngestFailure
from sluice.errors import Conflict, Invalid, NotFound, NotPublished


class Datasets:
    """The tables `Datasets` and `Versions`."""

    def __init__(self, datasets: Table, versions: Table, publications: Publications, workspace: str) -> None:
        self._datasets = datasets
        self._versions = versions
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
        seen = pointer.data_as_of or version.data_as_of
        return version.model_copy(update={"data_as_of": seen, "failure": pointer.failure})

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
            moment = publication_time(pointer)
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
            pointer_write = self._datasets.update(self._key(dataset), changes, *pointer_unchanged(pointer))
            publication_write = self._publications.put_write(dataset, moment, number, by)
            try:
                transact(self._datasets.client, [pointer_write, publication_write])
            except ConditionFailed:
                continue
            return version
        raise Conflict(f"Other requests are publishing versions of {dataset}; try again.")

    def remove_unpublished(self, dataset: DatasetId, number: int) -> bool:
        """Remove a version from the catalog, unless it is the published one; its number is not used again.

        Returns:
            Whether it is removed.
        """
        key = {"workspace_dataset": f"{self._workspace}#{dataset}", "number": number}
        unpublished = "attribute_not_exists(#published) OR #published <> :number"
        writes = [
            self._versions.delete(key, "attribute_exists(#number)"),
            self._datasets.check(self._key(dataset), unpublished, {"number": number}),
        ]
        try:
            transact(self._versions.client, writes)
        except ConditionFailed:
            return False
        return True

    def republish(self, dataset: DatasetId, number: int, by: str) -> None:
        """Tell followers and caches that the content of a published version has changed, as by an erasure.

        Args:
            number: the version; nothing happens if another one is published.
            by: the run that has changed it.
        """
        for _ in range(_PROMOTE_ATTEMPTS):
            pointer = self.pointer(dataset)
            if pointer.published != number:
                return
            moment = publication_time(pointer)
            changes = {"schema_version": newest("pointer"), "hidden": pointer.hidden, "published_at": moment}
            write = self._datasets.update(self._key(dataset), changes, *pointer_unchanged(pointer))
            with suppress(ConditionFailed):
                transact(self._datasets.client, [write, self._publications.put_write(dataset, moment, number, by)])
                return
        raise Conflict(f"Other requests are publishing versions of {dataset}; try again.")

    def unpublish(self, dataset: DatasetId, number: int, by: str) -> None:
        """Leave a dataset without a published version, if this is the published one.

        Args:
            by: the run that does it.
        """
        for _ in range(_PROMOTE_ATTEMPTS):
            pointer = self.pointer(dataset)
            if pointer.published != number:
                return
            writes = self._visibility_writes(pointer, dict.fromkeys(_PUBLISHED_ATTRIBUTES), True, None, by)
            with suppress(ConditionFailed):
                transact(self._datasets.client, writes)
                return
        raise Conflict(f"Other requests are publishing versions of {dataset}; try again.")

    def note_failure(self, dataset: DatasetId, failure: IngestFailure, started_at: str) -> None:
        """Store that the latest ingest of a dataset has failed, so that its published version stands in.

        Nothing is stored if nothing is published, or if another ingest has succeeded since this one was started. A
        later success removes it.

        Args:
            failure: the failed ingest.
            started_at: when it was started, RFC 3339.
        """
        condition = "attribute_exists(#published) AND (attribute_not_exists(#checked_at) OR #checked_at < :started)"
        changes = {"failure": failure.model_dump()}
        with suppress(ConditionFailed):
            values = {"started": started_at}
            self._datasets.execute(self._datasets.update(self._key(dataset), changes, condition, values))

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
            return [self._datasets.update(self._key(pointer.dataset), changes, *pointer_unchanged(pointer))]
        # The pointer keeps the time, hidden or not: the next publication must be later, whatever its clock says.
        moment = publication_time(pointer)
        changes |= {"published_at": moment}
        return [
            self._datasets.update(self._key(pointer.dataset), changes, *pointer_unchanged(pointer)),
            self._publications.put_write(pointer.dataset, moment, number, by),
        ]

    def _key(self, dataset: DatasetId) -> Item:
        return {"workspace": self._workspace, "dataset": dataset}


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
    "refreshed_at",
    "origin",
    "failure",
)
_PROMOTE_ATTEMPTS = 20  # an attempt fails only if another write of the pointer succeeded
_ABOVE_ALL_NUMBERS = 10**15
_SEARCH_PAGE = 200


def pointer_unchanged(pointer: Pointer) -> tuple[str, Item]:
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


def publication_time(pointer: Pointer) -> str:
    """The time of a publication that happens now, later than that of the previous one."""
    # The clocks of two processes differ, and the history must have the order of the commits.
    moment = now()
    if pointer.published_at is not None:
        moment = max(moment, parse_time(pointer.published_at) + timedelta(microseconds=1))
    return rfc3339_micro(moment)
