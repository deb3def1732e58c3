"""Files dropped into the inbox: which run they start, and where those go that cannot be read."""

from __future__ import annotations

import hashlib
import re
import time
from datetime import UTC, datetime

import orjson
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from sluice.aws import translated
from sluice.catalog.table import ConditionFailed
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.names import is_slug, now, rfc3339
from sluice.domain.run import Drop, Run
from sluice.errors import PROBLEM_TYPE_PREFIX, UnreadableData, all_errors
from sluice.runs.queue import enqueue_writes, start_waiting
from sluice.runs.start import ingest_run
from sluice.sources.file.inbox import DroppedFile

_UNREADABLE = {PROBLEM_TYPE_PREFIX + error.code for error in all_errors(UnreadableData)}
_UNKNOWN, _FAILED = "_unknown/", "_failed/"
# Longer than an event can wait in the queue of undelivered ones, 14 days.
_SEEN_SECONDS = 15 * 86400
# The sweep looks for lost files as long as it can tell by their locks that they were seen.
_SEARCH_SECONDS = 13 * 86400
_SWEEP = "inbox-sweep"
_SWEEP_POSITION = "inbox-sweep-end"
# S3 takes 1024 bytes, and the reason needs some beside the file.
_MAX_KEY_BYTES = 1000
logger = Logger()


def receive_drop(services: Container, drop: Drop) -> Run | None:
    """Store the ingest run of a dropped file, once however often it is announced, and start what waits.

    Returns:
        The run; none for a file of our own, one seen before, or one that is nobody's.
    """
    run = _enqueue(services, drop)
    start_waiting(services)
    return run


def _enqueue(services: Container, drop: Drop) -> Run | None:
    """Let the run of a dropped file wait, unless the file was seen before."""
    slug, _, rest = drop.key.partition("/")
    if _is_moved_or_folder(drop.key) or _datasource_keeps_drops(services, slug):
        return None
    reason = _rejection_reason(services, slug, rest, drop.key)
    if reason is not None:
        _move(services, drop, _UNKNOWN, reason)
        return None
    run = ingest_run(slug, "drop", "sluice", drop=drop)
    try:
        seen = services.locks.acquire_write(_lock(drop), _SEEN_SECONDS, run=run.id)
        services.batches.transact([seen, *enqueue_writes(services, run)])
    except ConditionFailed:
        return None
    return run


def _is_moved_or_folder(key: str) -> bool:
    """Whether an object is one that was moved, or a folder."""
    return key.startswith((_UNKNOWN, _FAILED)) or key.endswith("/")


def _datasource_keeps_drops(services: Container, slug: str) -> bool:
    """Whether files in a folder are there to be read by the runs of its datasource."""
    found = services.definitions.find("datasource", slug) if is_slug(slug) else None
    return found is not None and Datasource.KINDS[found.document["kind"]].KEEPS_DROPS


def _lock(drop: Drop) -> str:
    """The name of the lock that says that a file was seen; without versions its sequencer tells it apart."""
    return f"drop#{drop.bucket}/{drop.key}#{drop.version_id or f'{drop.etag}#{drop.sequencer}'}"


def receive_missed(services: Container, grace_seconds: float) -> int:
    """Take up the dropped files whose notifications were lost, the oldest first.

    Args:
        grace_seconds: leave files alone that are younger: their notification may be on its way.

    Returns:
        How many runs now wait because of this.
    """
    deadline = time.monotonic() + services.settings.sweep_seconds
    if services.locks.acquire(_SWEEP, int(2 * services.settings.sweep_seconds)) is not None:
        return 0  # another sweep is at it
    received = 0
    try:
        for drop in _missed_files(services, grace_seconds):
            try:
                received += _enqueue(services, drop) is not None
            except Exception:  # one file that cannot be taken up must not keep the others from it
                logger.exception("cannot take up", extra={"key": drop.key})
            if time.monotonic() > deadline:
                break  # the next sweep takes up the rest
    finally:
        services.locks.release(_SWEEP, "attribute_exists(#workspace_id)", {})
    return received


def _missed_files(services: Container, grace_seconds: float) -> list[Drop]:
    """Files that no run was stored for, among those that this sweep looks at.

    A sweep goes on after the key at which the one before it ended, and begins anew at the end.
    """
    moment = time.time()
    end = (services.locks.read(_SWEEP_POSITION) or {}).get("after")
    files: list[DroppedFile] = []
    looked_at = 0
    for page, following in services.inbox.files(end):
        looked_at += len(page)
        files += [file for file in page if grace_seconds <= moment - file.modified <= _SEARCH_SECONDS]
        end = following
        if looked_at >= services.settings.sweep_files:
            break
    services.locks.overwrite(_SWEEP_POSITION, _SEARCH_SECONDS, after=end)
    files.reverse()  # a key's older versions first
    files.sort(key=lambda file: (file.modified, file.key))
    drops = [_drop(services, file) for file in files if not _is_moved_or_folder(file.key)]
    seen = services.locks.held([_lock(drop) for drop in drops])
    unseen = [drop for drop in drops if _lock(drop) not in seen]
    if not unseen:
        return []
    known = _known_versions(services, {drop.key.partition("/")[0] for drop in unseen}, files[0].modified)
    return [drop for drop in unseen if (drop.key, drop.version_id) not in known]


def _drop(services: Container, file: DroppedFile) -> Drop:
    bucket = services.inbox.bucket
    return Drop(bucket=bucket, key=file.key, size=file.size, etag=file.etag, version_id=file.version_id)


def _known_versions(services: Container, slugs: set[str], modified: float) -> set[tuple[str, str | None]]:
    """The files that have a run although their lock is gone: an earlier release named locks otherwise."""
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
    if not rest or not is_slug(slug) or ".." in key.split("/"):
        return f"Drop files as <slug of a file datasource>/<name>; {key!r} is not of that form."
    found = services.definitions.find("datasource", slug)
    if found is None:
        return f"There is no datasource {slug!r}; create it, then drop the file again."
    kind = Datasource.KINDS[found.document["kind"]]
    if kind.ARRIVAL != "dropped":
        return f"The datasource {slug!r} is of kind {kind.KIND}; only file datasources take drops."
    return None


def reject_drop(services: Container, run: Run) -> None:
    """Move a file that could not be read to `_failed/`, with the reason beside it."""
    if run.drop is None or run.error is None or run.error["type"] not in _UNREADABLE:
        return
    _move(services, run.drop, _FAILED, run.error["detail"], run.id)


def _move(services: Container, drop: Drop, folder: str, reason: str, run_id: str | None = None) -> None:
    """Copy, explain, then remove: whatever happens in between, the file is somewhere.

    Two steps of a path that lead upwards are written out, so that nobody who copies the bucket
    to a disk is led out of it.
    """
    target = folder + re.sub(r"(^|/)\.\.?(?=/|$)", lambda dots: dots[0].replace(".", "%2E"), drop.key)
    if len(target.encode()) > _MAX_KEY_BYTES:
        target = folder + hashlib.sha256(drop.key.encode()).hexdigest()
    source = {"Bucket": drop.bucket, "Key": drop.key}
    pinned = source | ({"VersionId": drop.version_id} if drop.version_id else {})
    with translated():
        try:
            services.s3.copy_object(Bucket=drop.bucket, Key=target, CopySource=pinned, TaggingDirective="REPLACE")
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NoSuchVersion"):
                return  # it was moved before
            raise
        explained = {"key": drop.key, "reason": reason, "run": run_id, "at": rfc3339(now()), "bytes": drop.size}
        services.s3.put_object(
            Bucket=drop.bucket,
            Key=target + ".reason.json",
            Body=orjson.dumps(explained, option=orjson.OPT_INDENT_2),
            ContentType="application/json",
        )
        if _unchanged(services, drop):
            services.s3.delete_object(**source)


def _unchanged(services: Container, drop: Drop) -> bool:
    """Whether the object is still the one that was announced: a newer one is not ours to move."""
    try:
        return bool(services.s3.head_object(Bucket=drop.bucket, Key=drop.key)["ETag"].strip('"') == drop.etag)
    except ClientError:
        return False
