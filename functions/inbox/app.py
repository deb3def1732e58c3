"""The function `inbox`: a dropped file starts an ingest run."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from sluice.container import container
from sluice.domain.run import Drop
from sluice.runs.drops import receive


def handler(event: dict[str, Any], context: Any) -> None:
    """Take what S3 says through EventBridge or, on an emulator, by itself.

    Each object starts one run, however often it is announced.
    """
    for drop in _announced(event):
        receive(container(), drop)


def _announced(event: dict[str, Any]) -> Iterator[Drop]:
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
