"""The inbox: the bucket into which files are dropped."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import ClientError

from sluice.aws import translated
from sluice.domain.names import now, rfc3339
from sluice.domain.run import FAILED, READINGS, UNKNOWN, Drop

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


# S3's limit is 1024 bytes, and the key of the reason is longer than that of the file.
_MAX_KEY_BYTES = 1000


@dataclass(frozen=True)
class DroppedFile:
    """One version of an object in the inbox.

    Args:
        key: the object's key: `{datasource}/{filename}`.
        version_id: S3's id of the version.
        etag: the entity tag, without quotes.
        size: bytes.
        modified: the time at which S3 stored it, in epoch seconds.
    """

    key: str
    version_id: str
    etag: str
    size: int
    modified: float


class Inbox:
    """The bucket of dropped files: upload links, and the list of its files.

    Args:
        s3: lists the bucket.
        links: signs links with the endpoint that clients can reach.
        bucket: the bucket's name.
        presigned_seconds: how long an upload link is valid.
    """

    def __init__(self, s3: S3Client, links: S3Client, bucket: str, presigned_seconds: int) -> None:
        self._s3 = s3
        self._links = links
        self.bucket = bucket
        self._presigned_seconds = presigned_seconds

    def presigned_upload(self, folder: str, filename: str, max_bytes: int) -> dict[str, Any]:
        """Return a presigned form that uploads one file.

        Args:
            folder: the beginning of the key, with a slash at its end.
            filename: the name under which the file is stored.
            max_bytes: the most bytes that S3 accepts with this form.

        Returns:
            `{"url", "fields"}`: POST the fields, and the file as the last one, `file`.
        """
        return self._links.generate_presigned_post(
            self.bucket,
            folder + filename,
            Conditions=[["content-length-range", 1, max_bytes]],
            ExpiresIn=self._presigned_seconds,
        )

    def files(self, position: dict[str, str] | None) -> Iterator[tuple[list[DroppedFile], dict[str, str] | None]]:
        """List the versions of all objects, page by page in the order of their keys.

        Deleted objects are left out with all older versions of the same key. So are objects that were written
        without versioning (version `null`), since a later one replaces them under the same id.

        Args:
            position: the position that came with an earlier page; None: start at the beginning.

        Yields:
            The files of a page, newest first for each key, and the position after it; None with the last page.
        """
        request: Any = {"Bucket": self.bucket, **(position or {})}
        deleted: dict[str, float] = {}
        while True:
            with translated():
                page = self._s3.list_object_versions(**request)
            # Markers are listed newest first, so the first one of each key is the latest deletion.
            for marker in page.get("DeleteMarkers", []):
                deleted.setdefault(marker["Key"], marker["LastModified"].timestamp())
            next_position = None
            if page.get("IsTruncated"):
                next_position = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
            yield _present(page, deleted), next_position
            if next_position is None:
                return
            request |= next_position

    def set_aside(self, drop: Drop, folder: str, reason: str, run_id: str | None = None) -> None:
        """Move a file to a folder, and store the reason beside it as `{key}.reason.json`. It is safe to repeat.

        The original is deleted last, so a process that is killed leaves the file in at least one place.

        Args:
            drop: the file as it was announced; a newer object of the same key stays.
            folder: `UNKNOWN` or `FAILED`.
            reason: why no run can read it.
            run_id: the run that could not.
        """
        # `..` is escaped, so that copying the bucket to a disk writes nothing outside the target folder.
        target = folder + re.sub(r"(^|/)\.\.?(?=/|$)", lambda dots: dots[0].replace(".", "%2E"), drop.key)
        if len(target.encode()) > _MAX_KEY_BYTES:
            target = folder + hashlib.sha256(drop.key.encode()).hexdigest()
        source: Any = {"Bucket": drop.bucket, "Key": drop.key}
        pinned = source | ({"VersionId": drop.version_id} if drop.version_id else {})
        with translated():
            try:
                self._s3.copy_object(Bucket=drop.bucket, Key=target, CopySource=pinned, TaggingDirective="REPLACE")
            except ClientError as error:
                if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NoSuchVersion"):
                    return  # an earlier call has moved it
                raise
            explanation = {"key": drop.key, "reason": reason, "run": run_id, "at": rfc3339(now()), "bytes": drop.size}
            self._s3.put_object(
                Bucket=drop.bucket,
                Key=target + ".reason.json",
                Body=orjson.dumps(explanation, option=orjson.OPT_INDENT_2),
                ContentType="application/json",
            )
            if self._is_unchanged(drop):
                self._s3.delete_object(**source)

    def _is_unchanged(self, drop: Drop) -> bool:
        """Whether the key still has the announced object; a newer one must not be deleted."""
        try:
            return bool(self._s3.head_object(Bucket=drop.bucket, Key=drop.key)["ETag"].strip('"') == drop.etag)
        except ClientError:
            return False


def starts_no_run(key: str) -> bool:
    """Whether an object starts no run, since it was set aside, has readings of sensors, or is a folder."""
    return key.startswith((UNKNOWN, FAILED, READINGS)) or key.endswith("/")


def _present(page: Any, deleted: dict[str, float]) -> list[DroppedFile]:
    files = []
    for version in page.get("Versions", []):
        modified = version["LastModified"].timestamp()
        if version["VersionId"] == "null" or (not version["IsLatest"] and modified <= deleted.get(version["Key"], 0)):
            continue
        etag = version["ETag"].strip('"')
        files.append(DroppedFile(version["Key"], version["VersionId"], etag, version["Size"], modified))
    return files
