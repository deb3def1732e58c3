"""The inbox: the bucket into which files are dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluice.aws import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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

    def presigned_upload(self, slug: str, filename: str, max_bytes: int) -> dict[str, Any]:
        """Return a presigned form that uploads one file.

        Args:
            slug: the datasource.
            filename: the name under which the file is stored.
            max_bytes: the most bytes that S3 accepts with this form.

        Returns:
            `{"url", "fields"}`: POST the fields, and the file as the last one, `file`.
        """
        return self._links.generate_presigned_post(
            self.bucket,
            f"{slug}/{filename}",
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


def _present(page: Any, deleted: dict[str, float]) -> list[DroppedFile]:
    files = []
    for version in page.get("Versions", []):
        modified = version["LastModified"].timestamp()
        if version["VersionId"] == "null" or (not version["IsLatest"] and modified <= deleted.get(version["Key"], 0)):
            continue
        etag = version["ETag"].strip('"')
        files.append(DroppedFile(version["Key"], version["VersionId"], etag, version["Size"], modified))
    return files
