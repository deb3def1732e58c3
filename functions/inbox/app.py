"""The function `inbox`: a dropped file starts an ingest run."""

from typing import Any
from urllib.parse import unquote_plus

from sluice.bootstrap import platform
from sluice.domain.run import Drop
from sluice.runs.inbox import receive


def handler(event: dict[str, Any], context: Any) -> None:
    """Take an S3 notification; each of its objects starts one run, however often it is told."""
    for record in event["Records"]:
        stored = record["s3"]["object"]
        drop = Drop(
            bucket=record["s3"]["bucket"]["name"],
            key=unquote_plus(stored["key"]),
            size=stored.get("size", 0),
            etag=stored.get("eTag", ""),
            version_id=stored.get("versionId"),
            sequencer=stored.get("sequencer", ""),
        )
        receive(platform(), drop)
