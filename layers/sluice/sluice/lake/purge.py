"""Removing objects with all their versions, so that nothing of their content stays in a bucket."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluice.aws import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# S3's limit for one request.
_AT_ONCE = 1000


@dataclass(frozen=True)
class ObjectVersion:
    """One version of an object.

    Args:
        key: the full key.
        version: S3's id; `null` for one that was written without versioning.
        latest: whether it is the one that readers get.
        marker: whether it only marks that the object was deleted.
    """

    key: str
    version: str
    latest: bool
    marker: bool


class VersionedObjects:
    """The objects of a bucket with all their versions.

    Args:
        s3: the client.
        bucket: the bucket.
    """

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """All versions and deletion markers of the objects whose keys begin with a prefix.

        Args:
            prefix: the beginning of the full keys.
        """
        with translated():
            for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix):
                for item in page.get("Versions", []):
                    yield ObjectVersion(item["Key"], item["VersionId"], item["IsLatest"], marker=False)
                for gone in page.get("DeleteMarkers", []):
                    yield ObjectVersion(gone["Key"], gone["VersionId"], gone["IsLatest"], marker=True)

    def read(self, version: ObjectVersion) -> bytes:
        """The content of a version, as stored."""
        with translated():
            return self._s3.get_object(Bucket=self._bucket, Key=version.key, VersionId=version.version)["Body"].read()

    def remove(self, versions: Collection[ObjectVersion]) -> None:
        """Remove versions for good. It is safe to repeat."""
        rest: list[Any] = [{"Key": version.key, "VersionId": version.version} for version in versions]
        while rest:
            batch, rest = rest[:_AT_ONCE], rest[_AT_ONCE:]
            with translated():
                self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True})

    def keep_only(self, prefix: str, keys: Collection[str]) -> int:
        """Remove everything below a prefix but the latest versions of some objects.

        Args:
            prefix: the beginning of the full keys.
            keys: the full keys of the objects that stay, in the version that readers get.

        Returns:
            How many objects, or older versions of them, were removed.
        """
        removed = [version for version in self.versions(prefix) if not (version.latest and version.key in keys)]
        self.remove(removed)
        return sum(not version.marker for version in removed)
