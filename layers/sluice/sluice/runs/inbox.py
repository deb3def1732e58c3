"""Files dropped into the inbox: which run they start, and where those go that cannot be read."""

from __future__ import annotations

import hashlib
import re

import orjson
from botocore.exceptions import ClientError

from sluice.aws import translated
from sluice.bootstrap import Platform
from sluice.domain.names import is_slug, now, rfc3339
from sluice.domain.run import Drop, Run
from sluice.errors import PROBLEM_TYPE_PREFIX, UnreadableData, all_errors
from sluice.runs.starting import ingest_run, start_once

_UNREADABLE = {PROBLEM_TYPE_PREFIX + error.code for error in all_errors(UnreadableData)}
_UNKNOWN, _FAILED = "_unknown/", "_failed/"
_SEEN_SECONDS = 14 * 86400
# S3 takes 1024 bytes, and the reason needs some beside the file.
_LONGEST_KEY = 1000


def receive(services: Platform, drop: Drop) -> Run | None:
    """Start the ingest run of a dropped file, once however often it is announced.

    Returns:
        The run; none for a file of our own, one seen before, or one that is nobody's.
    """
    slug, _, rest = drop.key.partition("/")
    if drop.key.startswith((_UNKNOWN, _FAILED)) or drop.key.endswith("/"):
        return None
    reason = _refusal(services, slug, rest, drop.key)
    if reason is not None:
        _move(services, drop, _UNKNOWN, reason)
        return None
    lock = f"drop#{drop.bucket}/{drop.key}#{drop.version_id or drop.etag}#{drop.sequencer}"
    return start_once(services, lock, _SEEN_SECONDS, ingest_run(slug, "drop", "sluice", drop=drop))


def _refusal(services: Platform, slug: str, rest: str, key: str) -> str | None:
    if not rest or not is_slug(slug) or ".." in key.split("/"):
        return f"Drop files as <slug of a file datasource>/<name>; {key!r} is not of that form."
    found = services.definitions.find("datasource", slug)
    if found is None:
        return f"There is no datasource {slug!r}; create it, then drop the file again."
    if found.document["kind"] != "file":
        return f"The datasource {slug!r} is of kind {found.document['kind']}; only file datasources take drops."
    return None


def reject_drop(services: Platform, run: Run) -> None:
    """Move a file that could not be read to `_failed/`, with the reason beside it."""
    if run.drop is None or run.error is None or run.error["type"] not in _UNREADABLE:
        return
    _move(services, run.drop, _FAILED, run.error["detail"], run.id)


def _move(services: Platform, drop: Drop, folder: str, reason: str, run_id: str | None = None) -> None:
    """Copy, explain, then remove: whatever happens in between, the file is somewhere.

    Two steps of a path that lead upwards are written out, so that nobody who copies the bucket
    to a disk is led out of it.
    """
    target = folder + re.sub(r"(^|/)\.\.?(?=/|$)", lambda dots: dots[0].replace(".", "%2E"), drop.key)
    if len(target.encode()) > _LONGEST_KEY:
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


def _unchanged(services: Platform, drop: Drop) -> bool:
    """Whether the object is still the one that was announced: a newer one is not ours to move."""
    try:
        return bool(services.s3.head_object(Bucket=drop.bucket, Key=drop.key)["ETag"].strip('"') == drop.etag)
    except ClientError:
        return False
