"""A stream of readings: the batches that both ways of `benchmarks/readings.py` consume."""

from __future__ import annotations

import json
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

BATCH = 10_000
Event = dict[str, Any]


def sensor_ids(count: int) -> list[str]:
    """The ids of the sensors."""
    return [f"pump-{number:04}.temperature" for number in range(count)]


def batches(count: int, sensors: int, seconds: int) -> list[Event]:
    """Consecutive events of Kinesis with 10,000 records each, in which each sensor is read once in some seconds.

    The last reading is a minute old.
    """
    chance = Random(7)
    names = sensor_ids(sensors)
    first = time.time() - 60 - count * BATCH / sensors * seconds
    return [_event(chance, names, first, seconds, at * BATCH) for at in range(count)]


def _event(chance: Random, names: list[str], first: float, seconds: int, begin: int) -> Event:
    return {"Records": [_record(chance, names, first, seconds, number) for number in range(begin, begin + BATCH)]}


def _record(chance: Random, names: list[str], first: float, seconds: int, number: int) -> dict[str, Any]:
    # Each sensor sends at a moment of its own, as devices that are not synchronized do.
    moment = datetime.fromtimestamp(first + number / len(names) * seconds, UTC)
    text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    reading = {"sensor": names[number % len(names)], "time": text, "value": round(chance.gauss(70, 5), 2)}
    return {
        "eventID": f"shardId-000000000000:{number:056}",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/sluice-readings",
        "kinesis": {
            "sequenceNumber": f"{number:056}",
            "approximateArrivalTimestamp": moment.timestamp(),
            "data": b64encode(json.dumps(reading).encode()).decode(),
        },
    }


def report(consume: Callable[[Event], None], events: list[Event]) -> None:
    """Consume all events but measure from the second one on, and print seconds and processor seconds of each."""
    measured = []
    for event in events:
        begun, busy = time.perf_counter(), time.process_time()
        consume(event)
        measured.append([time.perf_counter() - begun, time.process_time() - busy])
    print(json.dumps(measured[1:]))
    sys.stdout.flush()
