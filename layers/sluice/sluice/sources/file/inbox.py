"""The inbox: the bucket that files are dropped into."""

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
        modified: when S3 says that it was written, in epoch seconds.
    """

    key: str
    version_id: str
    etag: str
    size: int
    modified: float


class Inbox:
    """The bucket of dropped files: addresses for people, and what lies in it."""

    def __init__(self, s3: S3Client, links: S3Client, bucket: str, presigned_seconds: int) -> None:
        self._s3 = s3
        self._links = links
        self.bucket = bucket
        self._presigned_seconds = presigned_seconds

    def presigned_upload(self, slug: str, filename: str, most_bytes: int) -> dict[str, Any]:
        """A form that takes one file for a while.

        Returns:
            `{"url", "fields"}`: POST the fields, and the file as the last one, `file`.
        """
        return self._links.generate_presigned_post(
            self.bucket,
            f"{slug}/{filename}",
            Conditions=[["content-length-range", 1, most_bytes]],
            ExpiresIn=self._presigned_seconds,
        )

    def files(self, after: dict[str, str] | None) -> Iterator[tuple[list[DroppedFile], dict[str, str] | None]]:
        """The versions of all objects, page by page in the order of their keys.

        What was deleted is left out, with the versions below it. So are objects that were
        written while the bucket had no versioning: they cannot be told from those that follow.

        Args:
            after: what came with the page to go on after; null for the first one.

        Yields:
            The files of a page, newest first where a key has several, and what to go on after;
            null with the last page.
        """
        request: Any = {"Bucket": self.bucket, **(after or {})}
        deleted: dict[str, float] = {}
        while True:
            with translated():
                page = self._s3.list_object_versions(**request)
            for marker in page.get("DeleteMarkers", []):
                deleted.setdefault(marker["Key"], marker["LastModified"].timestamp())
            following = None
            if page.get("IsTruncated"):
                following = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
            yield _present(page, deleted), following
            if following is None:
                return
            request |= following


def _present(page: Any, deleted: dict[str, float]) -> list[DroppedFile]:
    files = []
    for version in page.get("Versions", []):
        modified = version["LastModified"].timestamp()
        if version["VersionId"] == "null" or (not version["IsLatest"] and modified <= deleted.get(version["Key"], 0)):
            continue
        etag = version["ETag"].strip('"')
        files.append(DroppedFile(version["Key"], version["VersionId"], etag, version["Size"], modified))
    return files
