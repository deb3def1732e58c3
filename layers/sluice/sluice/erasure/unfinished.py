"""Erasures that were cancelled or have failed after their first change: what they have planned must not be lost.

What was computed of a record is found through versions that have it. Once these are rewritten, only the plan says what
else has the record; so it is kept until the run is redriven, or another erasure of the same record has done it all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ulid import ULID

from sluice.container import Container
from sluice.domain.names import now
from sluice.domain.run import Run
from sluice.erasure.plan import Plan
from sluice.lake import object_keys
from sluice.lake.purge import VersionedObjects

# The key is stored before its run, which may follow within this time.
_LOST_AFTER = timedelta(hours=1)


def unfinished_plans(services: Container, run: Run) -> list[Plan]:
    """The plans of ended runs that have erased a part of the record that a run erases."""
    plans = []
    for run_id in _run_ids(services):
        other = services.runs.find(run_id)
        if other is not None and other.id != run.id and other.finished and _erases_same(other, run):
            document = services.lake.find_json(object_keys.erasure(run_id, "plan"))
            plans += [Plan.model_validate(document)] if document is not None else []
    return plans


def forget_ended(services: Container, completed: Run | None = None) -> None:
    """Remove keys and plans, with all versions of their objects, of ended runs that have nothing left to do.

    Args:
        services: the catalog and the lake.
        completed: a run that has erased its record; what earlier runs have left of that is erased, too.
    """
    lake = services.lake
    objects = VersionedObjects(services.s3, lake.bucket)
    for run_id in _run_ids(services):
        run = services.runs.find(run_id)
        if run is None:
            is_done = now() - ULID.from_str(run_id).datetime > _LOST_AFTER
        elif completed is not None and _erases_same(run, completed) and not completed.dry_run:
            is_done = run.finished or run.id == completed.id
        else:
            is_begun = lake.find_json(object_keys.erasure(run_id, "plan")) is not None
            is_own = completed is not None and run.id == completed.id
            is_done = is_own or (run.finished and not is_begun)
        if is_done:
            objects.keep_only(f"{lake.full_key('erasures/')}{run_id}/", ())


def _run_ids(services: Container) -> Iterator[str]:
    objects, prefix = VersionedObjects(services.s3, services.lake.bucket), services.lake.full_key("erasures/")
    yield from sorted({version.key.removeprefix(prefix).partition("/")[0] for version in objects.versions(prefix)})


def _erases_same(run: Run, other: Run) -> bool:
    if run.erasure is None or other.erasure is None:
        return False
    return (run.datasource, run.erasure.key_hash) == (other.datasource, other.erasure.key_hash)
