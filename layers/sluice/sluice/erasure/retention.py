"""Retention: removing raw pages of older runs and older versions, where a datasource says how long they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

from aws_lambda_powertools import Logger

from sluice.container import Container
from sluice.domain.dataset import Manifest, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.names import now
from sluice.domain.run import FetchIndex
from sluice.erasure.plan import find_manifest
from sluice.erasure.unfinished import forget_ended
from sluice.errors import NotFound
from sluice.lake import object_keys
from sluice.lake.purge import VersionedObjects

logger = Logger()


def enforce_retention(services: Container) -> dict[str, int]:
    """Remove what the retention of each datasource no longer keeps, and the keys of erasures that have ended.

    It is safe to repeat.

    Returns:
        `{"pages", "versions"}`: how many were removed.
    """
    forget_ended(services)
    removed = {"pages": 0, "versions": 0}
    for definition in services.definitions.all("datasource"):
        retention = Datasource.model_validate(definition.document).retention
        try:
            if retention.versions is not None:
                removed["versions"] += remove_old_versions(services, definition.name, retention.versions)
            if retention.raw_days is not None:
                removed["pages"] += remove_old_pages(services, definition.name, retention.raw_days)
        except Exception:  # one datasource must not keep the others from it
            logger.exception("cannot enforce a retention", extra={"datasource": definition.name})
    return removed


def remove_old_versions(services: Container, slug: str, kept: int) -> int:
    """Remove all versions of a datasource but the newest ones.

    The published version stays, and so do versions that a published merge was made of.

    Args:
        services: the catalog and the lake.
        slug: the datasource.
        kept: how many of the newest versions stay.

    Returns:
        How many versions were removed.
    """
    dataset = DatasetId.of_datasource(slug)
    versions = services.erasures.versions(dataset)
    used = set(_merged_versions(services, slug))
    removed = 0
    for version in versions[:-kept]:
        if version.number not in used and services.datasets.remove_unpublished(dataset, version.number):
            removed += 1
    if removed or len(versions) > kept:
        _remove_unreferenced(services, slug, versions)
    return removed


def _merged_versions(services: Container, slug: str) -> Iterator[int]:
    """The versions of a datasource that published merges were made of."""
    for dataset in services.erasures.datasets("project"):
        if dataset.resource is not None:
            continue
        with suppress(NotFound):
            manifest = services.lake.manifest(services.datasets.published(dataset).manifest_key)
            yield from (read.version for read in manifest.inputs if read.datasource == slug)


def _remove_unreferenced(services: Container, slug: str, before: list[Version]) -> None:
    """Remove the objects of removed versions, except those that other versions have, too."""
    remaining = {version.number for version in services.erasures.versions(DatasetId.of_datasource(slug))}
    kept: set[str] = set()
    gone: dict[str, Manifest] = {}
    for version in before:
        manifest = find_manifest(services, version.manifest_key)
        if manifest is not None and version.number in remaining:
            kept |= {version.manifest_key, *(part.key for part in manifest.objects)}
            # Versions that add to others name them: their columns and pages are read when types change.
            kept |= set(_chain(services, manifest))
        elif manifest is not None:
            gone[version.manifest_key] = manifest
    lake = services.lake
    objects = VersionedObjects(services.s3, lake.bucket)
    for key, manifest in gone.items():
        for part in {key, *(part.key for part in manifest.objects)} - kept:
            objects.keep_only(lake.full_key(part), ())


def _chain(services: Container, manifest: Manifest) -> Iterator[str]:
    previous = manifest.previous
    while previous is not None:
        yield previous
        found = find_manifest(services, previous)
        previous = found.previous if found is not None else None


def remove_old_pages(services: Container, slug: str, days: int) -> int:
    """Remove the raw pages of a datasource's runs that are older than some days.

    Pages stay that a later run, another datasource or a waiting push has, too, and those of the published version's
    own run. What is left of the others is their receipts, and records made of them.

    Args:
        services: the catalog and the lake.
        slug: the datasource.
        days: for how many days pages are kept.

    Returns:
        How many pages were removed.
    """
    first_kept = (now() - timedelta(days=days)).date().isoformat()
    position = f"retention#{slug}"
    done = (services.locks.read(position) or {}).get("until", "")
    lake = services.lake
    old = [key for key in lake.list_keys(f"raw-index/{slug}") if done <= _day(key) < first_kept]
    published = _published_run(services, slug)
    old = [key for key in old if _run(key) != published]
    if not old:
        return 0
    expired = [FetchIndex.model_validate_json(lake.get(key)) for key in old]
    runs = {index.run for index in expired}
    candidates = {page for index in expired for page in _hashes(index)} - _needed(services, runs)
    objects = VersionedObjects(services.s3, lake.bucket)
    removed = sum(objects.keep_only(lake.full_key(object_keys.raw(page)), ()) > 0 for page in sorted(candidates))
    # The published version's pages are removed once another is published, so the position stays before its day.
    until = min([first_kept, *(_day(key) for key in lake.list_keys(f"raw-index/{slug}") if _run(key) == published)])
    services.locks.overwrite(position, _POSITION_SECONDS, until=until)
    return removed


# Without the position, all older runs are looked through again, which finds nothing.
_POSITION_SECONDS = 90 * 86_400


def _published_run(services: Container, slug: str) -> str | None:
    return services.datasets.pointer(DatasetId.of_datasource(slug)).run


def _day(key: str) -> str:
    return key.split("/")[2]


def _run(key: str) -> str:
    """The run of an index; a later attempt adds its number after a hyphen."""
    return key.rpartition("/")[2].removesuffix(".json").partition("-")[0]


def _hashes(index: FetchIndex) -> set[str]:
    found = {failure.get("hash") for page in index.pages for failure in page.failures}
    found |= {page.hash for page in [*index.pages, *index.unused_pages]} | {page.replaced for page in index.pages}
    return {page for page in found if page is not None}


def _needed(services: Container, runs: set[str]) -> set[str]:
    """The hashes of all pages that other runs than these, or waiting pushes, have."""
    needed = {batch.hash for _, batch in services.erasures.batches()}
    for key in services.lake.list_keys("raw-index"):
        if _run(key) not in runs:
            needed |= _hashes(FetchIndex.model_validate_json(services.lake.get(key)))
    needed |= {receipt.hash for run, receipt in services.erasures.receipts() if run not in runs and receipt.hash}
    return needed
