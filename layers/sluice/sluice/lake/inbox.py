"""The inbox: the bucket that files are dropped into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Inbox:
    """The bucket of dropped files, as far as people need addresses in it."""

    def __init__(self, links: S3Client, bucket: str, presigned_seconds: int) -> None:
        self._links = links
        self._bucket = bucket
        self._presigned_seconds = presigned_seconds

    def presigned_upload(self, slug: str, filename: str, most_bytes: int) -> dict[str, Any]:
        """A form that takes one file for a while.

        Returns:
            `{"url", "fields"}`: POST the fields, and the file as the last one, `file`.
        """
        return self._links.generate_presigned_post(
            self._bucket,
            f"{slug}/{filename}",
            Conditions=[["content-length-range", 1, most_bytes]],
            ExpiresIn=self._presigned_seconds,
        )
