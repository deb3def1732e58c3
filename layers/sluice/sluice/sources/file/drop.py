"""The fetch stage of a dropped file, which becomes one page."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sluice.aws import translated
from sluice.catalog.runs import Pages
from sluice.domain.datasource import Datasource
from sluice.domain.names import now, rfc3339
from sluice.domain.run import Drop, FetchIndex, PageReceipt, Run
from sluice.errors import DataTooLarge, EmptyData, SourceUnreachable
from sluice.lake.store import Lake

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Larger files are buffered on disk instead of in memory.
_SPOOL = 8 << 20


def fetch_drop(
    run: Run, drop: Drop, datasource: Datasource, s3: S3Client, lake: Lake, pages: Pages, max_bytes: int
) -> FetchIndex:
    """Copy a dropped file into the lake. The function is idempotent: it can be repeated after a crash.

    Args:
        run: the run of the file.
        drop: the bucket, key and version of the file.
        datasource: the datasource that the file belongs to.
        s3: reads the inbox.
        lake: receives the file.
        pages: receives the receipt.
        max_bytes: the setting `MAX_DROP_BYTES`.

    Raises:
        EmptyData: the file has no bytes.
        DataTooLarge: the file has more than `max_bytes` bytes.
        SourceUnreachable: the file was deleted before it could be read.
    """
    receipts = [receipt for receipt in pages.of_run(run.id) if receipt.ok]
    if not receipts:
        if drop.size > max_bytes:
            raise DataTooLarge(
                f"The file has {drop.size} bytes; the limit is {max_bytes}. Split it, or raise MAX_DROP_BYTES."
            )
        if drop.size == 0:
            raise EmptyData("The file is empty.")
        receipt = _receive(drop, s3, lake)
        pages.put(run.id, receipt)
        receipts = [receipt]
    return FetchIndex(
        datasource=datasource.slug,
        run=run.id,
        attempt=run.attempt,
        fetched_at=receipts[0].fetched_at,
        pages=receipts,
        completeness="complete",
        requests=0,
    )


def _receive(drop: Drop, s3: S3Client, lake: Lake) -> PageReceipt:
    object_version: Any = {"Bucket": drop.bucket, "Key": drop.key}
    # Read the version that was announced, even if another file has been dropped under the same key since.
    object_version |= {"VersionId": drop.version_id} if drop.version_id else {"IfMatch": drop.etag}
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as body, translated():
        try:
            response = s3.get_object(**object_version)
        except ClientError as error:
            if error.response["Error"]["Code"] not in (
                "NoSuchKey",
                "NoSuchVersion",
                "PreconditionFailed",
                "412",
                "404",
            ):
                raise
            raise SourceUnreachable(
                "The file was deleted or replaced before it could be read; drop it again."
            ) from None
        for chunk in response["Body"].iter_chunks(1 << 20):
            body.write(chunk)
        body.seek(0)
        digest = lake.put_raw(body)
    return PageReceipt(
        number=1,
        ok=True,
        url=f"drop:{drop.key}",
        status=200,
        hash=digest,
        bytes=drop.size,
        media_type=response.get("ContentType"),
        filename=drop.key.rpartition("/")[2],
        fetched_at=rfc3339(now()),
        etag=drop.etag,
        last_modified=rfc3339(response["LastModified"].replace(microsecond=0)),
        older_in_second=_older_in_second(drop, int(response["LastModified"].timestamp()), s3),
    )


def _older_in_second(drop: Drop, second: int, s3: S3Client) -> int:
    """Count the versions of the key that were written before this one within the same second.

    S3 reports times in seconds, so times alone do not order two drops in one second. It lists the versions of a
    key from the newest to the oldest, which does.
    """
    if drop.version_id is None:
        return 0
    older, seen = 0, False
    with translated():
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=drop.bucket, Prefix=drop.key):
            for version in page.get("Versions", []):
                if version["Key"] != drop.key:
                    return older  # the list is ordered by key; the remaining keys only have this key as prefix
                if seen and int(version["LastModified"].timestamp()) < second:
                    return older
                older += seen
                seen = seen or version["VersionId"] == drop.version_id
    return older
