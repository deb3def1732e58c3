"""A data scientists' program: it reads the stream of readings itself, and sends back how unusual each hour was.

    python blueprints/fpso/consumer.py --checkpoint scores.json

It is one consumer of several: it keeps its own place in the stream, in the checkpoint's file, and disturbs nobody.
The score of a sensor's hour is the distance of its mean from the median of all its hours, in median absolute
deviations (times 1.4826, so that it is about the standard deviation of normal values). Scores are pushed into the
datasource `scores`, whose records have a key: a batch that is sent again changes nothing.

It needs boto3 and the Python client. AWS's own variables say where the stream is; SLUICE_API and SLUICE_API_KEY where
the API is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from sluice_client import Sluice

_RECORDS = 10_000
# Of a normal distribution, the standard deviation divided by the median absolute deviation.
_NORMAL = 1.4826


class Checkpoint:
    """How far each shard was read, and the readings of each sensor by hour; kept in a file, which grows with them.

    The file is replaced after the scores were sent. A program that is killed before reads the same records again: it
    begins with the readings that it had at the same place, so that none is counted twice.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        state = json.loads(file.read_text()) if file.exists() else {"shards": {}, "hours": {}}
        self.shards: dict[str, str] = state["shards"]
        # By sensor and hour, the readings by time: a record may be delivered twice, and a reading be sent twice.
        self.hours: dict[str, dict[str, dict[str, float]]] = state["hours"]

    def store(self) -> None:
        """Replace the file."""
        written = self._file.with_suffix(".new")
        written.write_text(json.dumps({"shards": self.shards, "hours": self.hours}))
        written.replace(self._file)


def new_records(kinesis: Any, stream: str, checkpoint: Checkpoint) -> Iterator[dict[str, Any]]:
    """The readings in the stream after the checkpoint, up to now; the checkpoint moves with them."""
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        name = shard["ShardId"]
        place: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        if name in checkpoint.shards:
            place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": checkpoint.shards[name]}
        iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=name, **place)["ShardIterator"]
        while iterator:
            answer = kinesis.get_records(ShardIterator=iterator, Limit=_RECORDS)
            for record in answer["Records"]:
                checkpoint.shards[name] = record["SequenceNumber"]
                yield from readings_in(record["Data"])
            iterator = answer.get("NextShardIterator") if answer["Records"] or answer["MillisBehindLatest"] else None


def readings_in(data: bytes) -> list[dict[str, Any]]:
    """The readings of a record; none if it has none that can be read: the platform quarantines those."""
    try:
        document = json.loads(data)
    except ValueError:
        return []
    readings = document if isinstance(document, list) else [document]
    return [item for item in readings if isinstance(item, dict) and _is_complete(item)]


def _is_complete(reading: dict[str, Any]) -> bool:
    texts = isinstance(reading.get("sensor"), str) and isinstance(reading.get("time"), str)
    return texts and isinstance(reading.get("value"), int | float)


def scores(hours: dict[str, dict[str, float]]) -> dict[str, float]:
    """The score of each hour of a sensor.

    Args:
        hours: by hour, the values by time.
    """
    means = {hour: statistics.fmean(values[time] for time in sorted(values)) for hour, values in hours.items()}
    middle = statistics.median(means.values())
    spread = _NORMAL * statistics.median(abs(mean - middle) for mean in means.values())
    return {hour: round(abs(mean - middle) / spread, 2) if spread else 0.0 for hour, mean in means.items()}


def run_once(kinesis: Any, stream: str, sluice: Sluice, checkpoint: Checkpoint) -> tuple[int, int]:
    """Read what is new, and push the scores of all hours of the sensors that have new readings.

    Returns:
        The number of readings, and of scores.
    """
    touched: dict[str, None] = {}
    count = 0
    for reading in new_records(kinesis, stream, checkpoint):
        sensor, moment = reading["sensor"], reading["time"]
        hours = checkpoint.hours.setdefault(sensor, {})
        hours.setdefault(f"{moment[:13]}:00:00Z", {})[moment] = reading["value"]
        touched[sensor] = None
        count += 1
    records = [
        {"sensor": sensor, "time": hour, "score": score}
        for sensor in sorted(touched)
        for hour, score in sorted(scores(checkpoint.hours[sensor]).items())
    ]
    if records:
        sluice.datasource("scores").push(records)
    checkpoint.store()
    return count, len(records)


def main() -> None:
    """Read the stream, once or until the program is stopped."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stream", default="sluice-readings", help="the stream's name (default: sluice-readings)")
    parser.add_argument("--checkpoint", type=Path, default=Path("scores.json"), help="the checkpoint's file")
    parser.add_argument("--follow", action="store_true", help="read on until the program is stopped")
    arguments = parser.parse_args()
    checkpoint = Checkpoint(arguments.checkpoint)
    kinesis = boto3.client("kinesis")
    with Sluice() as sluice:
        while True:
            readings, scored = run_once(kinesis, arguments.stream, sluice, checkpoint)
            print(f"{readings} readings, {scored} scores", flush=True)
            if not arguments.follow:
                return
            time.sleep(5)


if __name__ == "__main__":
    main()
