"""Comparing two versions of a project."""

from __future__ import annotations

from sluice.catalog.datasets import Datasets
from sluice.domain.dataset_id import DatasetId
from sluice.errors import Conflict
from sluice.lake.store import Lake
from sluice.merge.diff import Differ
from sluice.settings import Settings


def open_diff(
    datasets: Datasets, lake: Lake, settings: Settings, dataset: DatasetId, older: int | None, newer: int
) -> tuple[int, Differ]:
    """Prepare the comparison of two versions.

    Args:
        older: the older version's number; null for the one before `newer`.
        newer: the newer version's number.

    Returns:
        The older version's number, and what reads the changes.

    Raises:
        Conflict: `newer` is the first version, or the versions have different keys.
        NotFound: there is no such version.
    """
    older = older or newer - 1
    if older == 0:
        raise Conflict(f"Version {newer} is the first one, so there is no earlier version to compare it with.")
    old, new = (lake.manifest(datasets.version(dataset, number).manifest_key) for number in (older, newer))
    return older, Differ(lake, settings, old, new)
