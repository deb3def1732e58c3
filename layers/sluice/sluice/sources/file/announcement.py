"""S3's notifications of dropped files, which come through EventBridge or, on an emulator, directly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from sluice.domain.run import Drop


def announces_files(event: dict[str, Any]) -> bool:
    """Whether an event of Lambda is a notification of S3, in either form."""
    return "detail" in event or any("s3" in record for record in event.get("Records", [])[:1])


def announcement_of(drop: Drop) -> dict[str, Any]:
    """The notification of an object, in EventBridge's form."""
    item = {"key": drop.key, "size": drop.size, "etag": drop.etag, "version-id": drop.version_id}
    return {"detail": {"bucket": {"name": drop.bucket}, "object": item}}


def dropped_files(event: dict[str, Any]) -> Iterator[Drop]:
    """The objects that either form of a notification names; only S3's own form encodes their keys.

    Args:
        event: an `Object Created` of EventBridge, or a notification of S3 with `Records`.

    Raises:
        KeyError: it is neither.
    """
    if "detail" in event:
        item = event["detail"]["object"]
        yield Drop(
            bucket=event["detail"]["bucket"]["name"],
            key=item["key"],
            size=item.get("size", 0),
            etag=item.get("etag", ""),
            version_id=item.get("version-id"),
            sequencer=item.get("sequencer", ""),
        )
        return
    for record in event["Records"]:
        item = record["s3"]["object"]
        yield Drop(
            bucket=record["s3"]["bucket"]["name"],
            # S3's own notifications encode keys as HTML forms do; EventBridge's do not.
            key=unquote_plus(item["key"]),
            size=item.get("size", 0),
            etag=item.get("eTag", ""),
            version_id=item.get("versionId"),
            sequencer=item.get("sequencer", ""),
        )
