"""Files dropped into the inbox: starting their runs, and moving unreadable ones to `_failed/` or `_unknown/`."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from aws_lambda_powertools import Logger

from sluice.catalog.table import ConditionFailed
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.names import is_slug, rfc3339
from sluice.domain.run import FAILED, UNKNOWN, Drop, Run
from sluice.errors import PROBLEM_TYPE_PREFIX, UnreadableData, all_errors
from sluice.runs.queue import enqueue_writes, start_waiting
from sluice.runs.start import ingest_run
from sluice.sources.file.announcement import announcement_of
from sluice.sources.file.inbox import DroppedFile, starts_no_run

_UNREADABLE = {PROBLEM_TYPE_PREFIX + error.code for error in all_errors(UnreadableData)}
# Longer than the 14 days that an event can stay in the queue of undelivered events: it must find its lock.
_SEEN_SECONDS = 15 * 86400
# Shorter than `_SEEN_SECONDS`: of older files, the sweep could not tell by their locks that they were seen.
_SEARCH_SECONDS = 13 * 86400
_SWEEP = "inbox-sweep"
_SWEEP_POSITION = "inbox-sweep-end"
logger = Logger()


def receive_drop(services: Container, drop: Drop) -> Run | None:
    """Store the ingest run of a dropped file, and start waiting runs. It is safe to repeat.

    Returns:
        The run; None if the file was seen before, belongs to no datasource that takes drops, or was
        moved here by `reject_drop`.
    """
    run = _enqueue(services, drop)
    start_waiting(services)
    return run


def _enqueue(services: Container, drop: Drop) -> Run | None:
    """Put the run of a dropped file into the queue, unless the file was seen before."""
    slug, _, rest = drop.key.partition("/")
    if starts_no_run(drop.key) or _datasource_keeps_drops(services, slug):
        return None
    reason = _rejection_reason(services, slug, rest, drop.key)
    if reason is not None:
        services.inbox.set_aside(drop, UNKNOWN, reason)
        return None
    run = ingest_run(slug, "drop", "sluice", drop=drop)
    try:
        # One transaction: a process that is killed leaves no lock without a run, nor a run without a queue entry.
        seen = services.locks.acquire_write(drop.lock, _SEEN_SECONDS, run=run.id)
        services.batches.transact([seen, *enqueue_writes(services, run)])
    except ConditionFailed:
        return None
    return run


def _datasource_keeps_drops(services: Container, slug: str) -> bool:
    """Whether files in a datasource's folder are read by its runs, and start none."""
    definition = services.definitions.find("datasource", slug) if is_slug(slug) else None
    return definition is not None and Datasource.KINDS[definition.document["kind"]].KEEPS_DROPS


def receive_missed(services: Container, grace_seconds: float) -> int:
    """Queue runs for dropped files whose notifications were lost, and have files of readings read; oldest files first.

    Args:
        grace_seconds: ignore files that are younger, since their notifications may still arrive.

    Returns:
        The number of runs that were queued, and of files of readings.
    """
    deadline = time.monotonic() + services.settings.sweep_seconds
    if services.locks.acquire(_SWEEP, int(2 * services.settings.sweep_seconds)) is not None:
        return 0  # another sweep is running
    received = 0
    try:
        for drop in _missed_files(services, grace_seconds):
            try:
                received += _receive_missed_file(services, drop)
            except Exception:  # one bad file must not stop the sweep
                logger.exception("cannot queue a run for a dropped file", extra={"key": drop.key})
            if time.monotonic() > deadline:
                break  # the next sweep continues
    finally:
        services.locks.release(_SWEEP, "attribute_exists(#workspace_id)", {})
    return received


def _receive_missed_file(services: Container, drop: Drop) -> bool:
    """Queue the run of a file, or have the function `readings` called with it; whether there was something to do."""
    if not drop.has_readings:
        return _enqueue(services, drop) is not None
    services.functions.call_later(services.settings.readings_function, announcement_of(drop))
    return True


def _missed_files(services: Container, grace_seconds: float) -> list[Drop]:
    """Files that nobody has seen, among those that this sweep lists.

    Each sweep lists the inbox from the key at which the previous one stopped, and wraps around at the end.
    """
    moment = time.time()
    end = (services.locks.read(_SWEEP_POSITION) or {}).get("after")
    files: list[DroppedFile] = []
    listed = 0
    for page, following in services.inbox.files(end):
        listed += len(page)
        files += [file for file in page if grace_seconds <= moment - file.modified <= _SEARCH_SECONDS]
        end = following
        if listed >= services.settings.sweep_files:
            break
    services.locks.overwrite(_SWEEP_POSITION, _SEARCH_SECONDS, after=end)
    # S3 lists the newest version of a key first. The sort is stable, so versions with the same time, which S3 has
    # in whole seconds, are handled in the order in which they were dropped.
    files.reverse()
    files.sort(key=lambda file: (file.modified, file.key))
    listed_drops = [_drop(services, file) for file in files]
    drops = [drop for drop in listed_drops if drop.has_readings or not starts_no_run(drop.key)]
    seen = services.locks.held([drop.lock for drop in drops])
    unseen = [drop for drop in drops if drop.lock not in seen]
    if not unseen:
        return []
    slugs = {drop.key.partition("/")[0] for drop in unseen if not drop.has_readings}
    known = _known_versions(services, slugs, files[0].modified)
    return [drop for drop in unseen if (drop.key, drop.version_id) not in known]


def _drop(services: Container, file: DroppedFile) -> Drop:
    bucket = services.inbox.bucket
    return Drop(bucket=bucket, key=file.key, size=file.size, etag=file.etag, version_id=file.version_id)


def _known_versions(services: Container, slugs: set[str], modified: float) -> set[tuple[str, str | None]]:
    """The key and version of files that have a run but no lock: earlier releases named locks differently."""
    known = set()
    since = rfc3339(datetime.fromtimestamp(modified - 1, UTC))
    for slug in slugs:
        for run in services.runs.newest(DatasetId.of_datasource(slug)):
            if run.created_at < since:
                break
            if run.drop is not None:
                known.add((run.drop.key, run.drop.version_id))
    return known


def _rejection_reason(services: Container, slug: str, rest: str, key: str) -> str | None:
    """Why a file starts no run; None if it does."""
    if not rest or not is_slug(slug) or ".." in key.split("/"):
        return f"Drop files as <slug of a file datasource>/<name>; {key!r} does not have this form."
    definition = services.definitions.find("datasource", slug)
    if definition is None:
        return f"There is no datasource {slug!r}; create it, then drop the file again."
    kind = Datasource.KINDS[definition.document["kind"]]
    if kind.ARRIVAL != "dropped":
        return f"The datasource {slug!r} is of kind {kind.KIND}; only file datasources take drops."
    return None


def reject_drop(services: Container, run: Run) -> None:
    """Move the file of a failed run to `_failed/`, if the file is the reason; `{key}.reason.json` explains it."""
    if run.drop is None or run.error is None or run.error["type"] not in _UNREADABLE:
        return
    services.inbox.set_aside(run.drop, FAILED, run.error["detail"], run.id)
