"""A plain loop over the records of a batch: `readings_plain.py SENSORS SECONDS BATCHES WRITES`.

Each record is parsed, validated with pydantic and written as an item of DynamoDB, 25 in a request.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from datetime import datetime
from typing import Any, Literal

import boto3
from pydantic import BaseModel, ConfigDict

from benchmarks.peers.readings_stream import Event, batches, report

MOST_WRITES = 25
TABLE = "PlainReadings"


class Reading(BaseModel):
    """A reading as it arrives."""

    model_config = ConfigDict(extra="forbid")

    sensor: str
    time: datetime
    value: float
    quality: Literal["good", "uncertain", "bad"] = "good"
    revision: int = 0


def parsed(event: Event) -> list[Reading]:
    """The validated readings of an event."""
    return [Reading.model_validate(json.loads(b64decode(record["kinesis"]["data"]))) for record in event["Records"]]


def put(reading: Reading) -> dict[str, Any]:
    """The request to write a reading."""
    item = {
        "sensor": {"S": reading.sensor},
        "time": {"S": reading.time.isoformat()},
        "value": {"N": repr(reading.value)},
        "quality": {"S": reading.quality},
    }
    return {"PutRequest": {"Item": item}}


def main() -> None:
    """Measure it."""
    sensors, seconds, count, writes = map(int, sys.argv[1:])
    dynamodb = boto3.client("dynamodb")

    def consume(event: Event) -> None:
        readings = parsed(event)
        for first in range(0, len(readings) if writes else 0, MOST_WRITES):
            waiting: Any = {TABLE: [put(reading) for reading in readings[first : first + MOST_WRITES]]}
            while waiting:
                waiting = dynamodb.batch_write_item(RequestItems=waiting)["UnprocessedItems"]

    report(consume, batches(count, sensors, seconds))


if __name__ == "__main__":
    main()
