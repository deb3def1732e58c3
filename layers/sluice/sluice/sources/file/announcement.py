"""What S3 says when a file is dropped: through EventBridge or, on an emulator, by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from sluice.domain.run import Drop


def announced(event: dict[str, Any]) -> Iterator[Drop]:
    """The dropped files that an event of S3 names.

    Args:
        event: an `Object Created` of EventBridge, or a notification of S3 with `Records`.

    Raises:
        KeyError: it is neither.
    """
    if "detail" in event:
        stored = event["detail"]["object"]
        yield Drop(
            bucket=event["detail"]["bucket"]["name"],
            key=stored["key"],
            size=stored.get("size", 0),
            etag=stored.get("etag", ""),
            version_id=stored.get("version-id"),
            sequencer=stored.get("sequencer", ""),
        )
        return
    for record in event["Records"]:
        stored = record["s3"]["object"]
        yield Drop(
            bucket=record["s3"]["bucket"]["name"],
            key=unquote_plus(stored["key"]),
            size=stored.get("size", 0),
            etag=stored.get("eTag", ""),
            version_id=stored.get("versionId"),
            sequencer=stored.get("sequencer", ""),
        )
