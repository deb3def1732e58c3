"""Files to and from S3: small ones in one request, large ones in parts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Above this size, concurrent parts save more time than importing s3transfer costs.
_ONE_REQUEST = 32 << 20
_CHUNK = 1 << 20


def upload(s3: S3Client, path: Path, bucket: str, key: str) -> None:
    """Write an object from a file.

    Args:
        s3: the client.
        path: the file.
        bucket: the bucket.
        key: the full key.
    """
    if path.stat().st_size <= _ONE_REQUEST:
        with path.open("rb") as file:
            s3.put_object(Bucket=bucket, Key=key, Body=file)
        return
    from s3transfer.manager import TransferManager

    with TransferManager(s3) as manager:
        manager.upload(str(path), bucket, key).result()


def download(s3: S3Client, bucket: str, key: str, path: Path) -> None:
    """Read an object into a file.

    Args:
        s3: the client.
        bucket: the bucket.
        key: the full key.
        path: the file.

    Raises:
        ClientError: there is no such object.
    """
    response = s3.get_object(Bucket=bucket, Key=key)
    if response["ContentLength"] <= _ONE_REQUEST:
        with path.open("wb") as file, response["Body"] as body:
            shutil.copyfileobj(body, file, _CHUNK)
        return
    # The size was needed to decide; the parts are requested anew.
    response["Body"].close()
    from s3transfer.manager import TransferManager

    with TransferManager(s3) as manager:
        manager.download(bucket, key, str(path)).result()
