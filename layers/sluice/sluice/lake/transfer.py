"""Files to S3 and back: in one request while they are small, in parts when they are large."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Above this, parts that travel side by side are worth importing the library that moves them.
_ONE_REQUEST = 32 << 20
_CHUNK = 1 << 20


def upload(s3: S3Client, path: Path, bucket: str, key: str) -> None:
    """Write an object from a file."""
    if path.stat().st_size <= _ONE_REQUEST:
        with path.open("rb") as file:
            s3.put_object(Bucket=bucket, Key=key, Body=file)
        return
    from s3transfer.manager import TransferManager

    with TransferManager(s3) as manager:
        manager.upload(str(path), bucket, key).result()


def download(s3: S3Client, bucket: str, key: str, path: Path) -> None:
    """Read an object into a file.

    Raises:
        ClientError: there is no such object.
    """
    answer = s3.get_object(Bucket=bucket, Key=key)
    if answer["ContentLength"] <= _ONE_REQUEST:
        with path.open("wb") as file, answer["Body"] as body:
            shutil.copyfileobj(body, file, _CHUNK)
        return
    answer["Body"].close()
    from s3transfer.manager import TransferManager

    with TransferManager(s3) as manager:
        manager.download(bucket, key, str(path)).result()
