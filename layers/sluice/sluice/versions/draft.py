"""The manifest of a version before its objects are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import Manifest, Pointer
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now, rfc3339
from sluice.domain.run import Completeness, Run
from sluice.lake.parquet import engine_name
from sluice.lake.store import Lake


def draft_manifest(
    run: Run,
    stage: Literal["records", "merged", "model", "report", "algorithm"],
    dataset: DatasetId,
    *,
    fingerprint: str,
    completeness: Completeness,
    spec: dict[str, Any],
    data_as_of: str | None = None,
    **fields: Any,
) -> Manifest:
    """Return the manifest of a version that a run makes now, without objects, rows and columns.

    Args:
        run: the run that makes the version.
        stage: the stage that makes it.
        dataset: the dataset.
        fingerprint: the hash of what decides about the bytes.
        completeness: what is known about the records.
        spec: the documents that the version is made by.
        data_as_of: as of when the data is, in RFC 3339; without it as of now.
        fields: further fields of the manifest.
    """
    created_at = rfc3339(now())
    nothing_written: dict[str, Any] = {"columns": [], "objects": [], "rows": 0, "bytes": 0}
    return Manifest(
        dataset=dataset,
        run=run.id,
        attempt=run.attempt,
        stage=stage,
        created_at=created_at,
        data_as_of=data_as_of or created_at,
        completeness=completeness,
        fingerprint=fingerprint,
        engine=engine_name(),
        spec=spec,
        **(nothing_written | fields),
    )


def assign_number(manifest: Manifest, pointer: Pointer) -> int | None:
    """Give a draft the number that its commit expects.

    Args:
        manifest: the draft, which gets the number.
        pointer: the pointer of its dataset.

    Returns:
        The published version that has the same fingerprint, which the draft then stands for; null if the
        draft is a new version.
    """
    same = pointer.published if pointer.fingerprint == manifest.fingerprint else None
    manifest.number = same or pointer.latest + 1
    return same


def reuse_contents(manifest: Manifest, number: int, names: Sequence[str], datasets: Datasets, lake: Lake) -> None:
    """Name the contents of an earlier version in a draft that has the same fingerprint.

    Args:
        manifest: the draft, which is changed.
        number: the earlier version.
        names: the fields that say what the stage has written, beside columns, objects, rows and bytes.
        datasets: the catalog of versions.
        lake: where the earlier manifest is.
    """
    earlier = lake.manifest(datasets.version(manifest.dataset, number).manifest_key)
    for name in ("columns", "objects", "rows", "bytes", *names):
        setattr(manifest, name, getattr(earlier, name))
