"""Commits: the versions that a run has made, their publication and the run's end, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sluice.catalog.datasets import Datasets, pointer_unchanged, publication_time
from sluice.catalog.publications import Publications
from sluice.catalog.runs import Runs
from sluice.catalog.table import ConditionFailed, Item, Table, Write
from sluice.catalog.transactions import transact
from sluice.catalog.upgrades import newest
from sluice.domain.dataset import Manifest, Pointer, publication_refusal
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now, parse_time, rfc3339
from sluice.domain.run import MAX_NOTES, Run, cap_notes
from sluice.domain.stale_input import IngestFailure
from sluice.errors import DataTooLarge, RunStopped, VersionConflict

_NEW_VERSION = "attribute_not_exists(#number)"
# DynamoDB's limit for an item is 400 KB, and the schema is the only part of a version without a limit of its own.
_MAX_SCHEMA_BYTES = 300_000


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


class Commits:
    """Commits to the tables `Datasets` and `Versions`."""

    def __init__(
        self,
        tables: tuple[Table, Table],
        datasets: Datasets,
        runs: Runs,
        publications: Publications,
        workspace: str,
    ) -> None:
        self._pointers, self._versions = tables
        self._datasets = datasets
        self._runs = runs
        self._publications = publications
        self._workspace = workspace

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
            stale=[entry.model_dump() for entry in manifest.stale[:MAX_NOTES]],
            warnings=[*warnings, *refusals],
            progress={"stage": "commit", "current": 1, "total": 1},
        )
        try:
            # The order matters: `position` below tells which condition failed.
            transact(
                self._pointers.client, [finish_write, owner, *(write for commit in commits for write in commit.writes)]
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
        pointer = self._datasets.pointer(manifest.dataset)
        if manifest.base is not None and (pointer.published or 0) != manifest.base:
            raise VersionConflict(f"{manifest.dataset} was published again while this run worked on it.")
        # The same inputs again: the published version stays, and only the time of the check changes.
        repeated = manifest.once and manifest.fingerprint == pointer.fingerprint and pointer.published is not None
        number = pointer.published if repeated else pointer.latest + 1
        assert number is not None
        if manifest.number is not None and manifest.number != number:
            raise VersionConflict(f"{manifest.dataset} got another version while this run worked on it.")
        refusal = None if repeated else publication_refusal(pointer, manifest, run.id)
        published_at = publication_time(pointer) if refusal is None else None
        writes = [self._pointer_write(pointer, manifest, run, number, published_at, repeated)]
        # Followers are also told that a datasource which had failed was found unchanged: the projects that
        # merged its earlier version as stale merge it again.
        if published_at is not None and (not repeated or (pointer.failure is not None and run.replay is None)):
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

        A replay reads pages that were received before, so it says nothing about the upstream: the data stays as old
        as it was, and a failed ingest stays noted.

        Args:
            published_at: the time of publication; None if the version is not published.
            repeated: whether the published version is the same, so that only its data was checked again.
        """
        # Reading may have upgraded the pointer, so that what was read of it is written in the current format.
        form = {"schema_version": newest("pointer"), "hidden": pointer.hidden}
        changes: Item = {"latest": max(number, pointer.latest), **form}
        if published_at is not None:
            changes |= {"data_as_of": manifest.data_as_of, "refreshed_at": manifest.refreshed_at}
        if published_at is not None and run.replay is None:
            changes |= {"checked_at": rfc3339(now()), "failure": None}
            changes |= {"published_at": published_at} if pointer.failure is not None else {}
        elif published_at is None and manifest.completeness == "partial":
            changes |= {"failure": _incomplete_ingest(run, manifest).model_dump()}
        if published_at is not None and not repeated:
            changes |= {
                "published": number,
                "completeness": manifest.completeness,
                "run": run.id,
                "fingerprint": manifest.fingerprint,
                "published_at": published_at,
                "origin": manifest.origin.model_dump() if manifest.origin else None,
            }
        return self._pointers.update(self._key(pointer.dataset), changes, *pointer_unchanged(pointer))

    def _item(self, manifest: Manifest, manifest_key: str, number: int, moment: str) -> Item:
        return {
            "workspace_dataset": f"{self._workspace}#{manifest.dataset}",
            "number": number,
            "rows": manifest.rows,
            "bytes": manifest.bytes,
            "schema": [column.model_dump() for column in manifest.columns],
            "completeness": manifest.completeness,
            "completeness_reasons": cap_notes(manifest.completeness_reasons),
            "stale": [entry.model_dump() for entry in manifest.stale[:MAX_NOTES]],
            "run": manifest.run,
            "created_at": moment,
            "data_as_of": manifest.data_as_of,
            "fingerprint": manifest.fingerprint,
            "manifest_key": manifest_key,
            "schema_version": newest("version"),
        }

    def _key(self, dataset: DatasetId) -> Item:
        return {"workspace": self._workspace, "dataset": dataset}


def _incomplete_ingest(run: Run, manifest: Manifest) -> IngestFailure:
    """The failure of a run whose version is partial, so that an earlier version stays published."""
    reasons = "; ".join(manifest.completeness_reasons[:3]) or "pages are missing"
    return IngestFailure(run=run.id, at=rfc3339(now()), error=f"The run {run.id} is partial: {reasons}")


def _require_storable(manifest: Manifest) -> None:
    size = sum(len(column.name.encode()) + 40 for column in manifest.columns)
    if size > _MAX_SCHEMA_BYTES:
        raise DataTooLarge(f"The names of the {len(manifest.columns)} columns are too long; choose some with `fields`.")
