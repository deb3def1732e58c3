"""The fetch stage of a dropped file: one page, kept as received."""

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

_SPOOL = 8 << 20


def fetch_drop(
    run: Run, drop: Drop, datasource: Datasource, s3: S3Client, lake: Lake, pages: Pages, max_bytes: int
) -> FetchIndex:
    """Bring a dropped file into the lake; doing it again after a crash changes nothing.

    Raises:
        EmptyData, DataTooLarge: the file has no bytes, or more than the setting allows.
        SourceUnreachable: the object was deleted before it could be read.
    """
    good = [receipt for receipt in pages.of_run(run.id) if receipt.ok]
    if not good:
        if drop.size > max_bytes:
            raise DataTooLarge(
                f"The file has {drop.size} bytes; at most {max_bytes} are taken. Split it, or raise MAX_DROP_BYTES."
            )
        if drop.size == 0:
            raise EmptyData("The file is empty.")
        receipt = _receive(drop, s3, lake)
        pages.put(run.id, receipt)
        good = [receipt]
    return FetchIndex(
        datasource=datasource.slug,
        run=run.id,
        attempt=run.attempt,
        fetched_at=good[0].fetched_at,
        pages=good,
        completeness="complete",
        requests=0,
    )


def _receive(drop: Drop, s3: S3Client, lake: Lake) -> PageReceipt:
    which: Any = {"Bucket": drop.bucket, "Key": drop.key}
    # The very object that was announced, even if another has been dropped over it since.
    which |= {"VersionId": drop.version_id} if drop.version_id else {"IfMatch": drop.etag}
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as body, translated():
        try:
            answer = s3.get_object(**which)
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
        for chunk in answer["Body"].iter_chunks(1 << 20):
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
        media_type=answer.get("ContentType"),
        filename=drop.key.rpartition("/")[2],
        fetched_at=rfc3339(now()),
        etag=drop.etag,
        last_modified=rfc3339(answer["LastModified"].replace(microsecond=0)),
        older_in_second=_older_in_second(drop, int(answer["LastModified"].timestamp()), s3),
    )


def _older_in_second(drop: Drop, second: int, s3: S3Client) -> int:
    """How many versions of the file's key were written before it within the same second.

    S3 tells times in seconds, and lists the versions of a key from the newest to the oldest.
    """
    if drop.version_id is None:
        return 0
    older, seen = 0, False
    with translated():
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=drop.bucket, Prefix=drop.key):
            for version in page.get("Versions", []):
                if version["Key"] != drop.key:
                    return older  # keys come in order: the others only begin with this one
                if seen and int(version["LastModified"].timestamp()) < second:
                    return older
                older += seen
                seen = seen or version["VersionId"] == drop.version_id
    return older
