"""A sensor platform of two vessels: it sends the readings of a day, as fast as they are taken.

    python blueprints/fpso/feed.py --hours 24 --step 60

Each sensor has a level, a daily pattern and noise of its own, which follow from its id and the time only: the same
hour has the same readings, whenever it is sent. Some have a fault: a bearing that wears, a filter that clogs, a sensor
that is stuck, a link that is down. As on real links, some readings come twice and some late.

It takes the API's address and key from SLUICE_API and SLUICE_API_KEY. With `--stream` it puts the readings into that
Kinesis stream instead of posting them, and AWS's own variables say where the stream is. It needs boto3 and the Python
client.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from sluice_client import Sluice

DAY = 86400
VESSELS = ("FPSO-ALMA", "FPSO-BRAE")
# A body may have 3 MB; a reading takes about 90 bytes.
READINGS_AT_ONCE = 25_000
# A record of Kinesis may have 1 MB, those of a request 5 MB.
READINGS_OF_RECORD = 1_000
REPEATED, LATE = 0.02, 0.03


@dataclass(frozen=True)
class Pattern:
    """How a metric behaves: its level, how much it moves over a day, its noise, and its digits after the point."""

    level: float
    daily: float
    noise: float
    digits: int


PATTERNS = {
    "temperature": Pattern(70, 6, 0.6, 1),
    "pressure": Pattern(45, 3, 0.5, 2),
    "vibration": Pattern(3.2, 0.4, 0.25, 2),
    "level": Pattern(50, 14, 0.8, 1),
    "flow": Pattern(420, 60, 8, 0),
    "power": Pattern(17, 3, 0.3, 2),
}


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a sensor in a part of each day.

    Args:
        sensor: its id.
        first: the hour at which it begins, in UTC.
        last: the hour at which it ends.
        change: how far the value has moved at the end; it moves from the beginning on.
        stuck: whether the value stays as it was at the beginning.
        silent: whether there are no readings.
    """

    sensor: str
    first: float
    last: float
    change: float = 0.0
    stuck: bool = False
    silent: bool = False


FAULTS = [
    Fault("alma-gas-comp-2.vibration", 4, 9, change=9.5),  # a bearing wears, until it is greased
    Fault("alma-inj-pump-1.flow", 10, 16, change=-420),  # a filter clogs
    Fault("brae-generator-3.temperature", 13, 15, change=38),  # cooling fails
    Fault("brae-separator-1.level", 1, 3, change=42),  # a valve sticks
    Fault("brae-crude-pump-2.pressure", 6, 12, stuck=True),
    Fault("alma-tank-2.level", 17, 19, silent=True),  # its link is down
]
FAULTS_OF = {fault.sensor: [other for other in FAULTS if other.sensor == fault.sensor] for fault in FAULTS}


@cache
def character(sensor: str) -> tuple[int, float, float]:
    """What is a sensor's own: a seed, a factor of its level, and a shift of its daily pattern in days."""
    own = random.Random(sensor)
    return own.randrange(1, 10_000), own.uniform(0.9, 1.1), own.uniform(-0.12, 0.12)


def noise(seed: int, at: int) -> float:
    """A number between -1 and 1 that looks random, small ones more often than large ones."""
    return sum((math.sin(at * step + seed) * 43_758.5453) % 1 - 0.5 for step in (12.9898, 78.233))


def value(sensor: str, metric: str, at: int) -> float | None:
    """The value of a sensor at a time; None if it sends none.

    Args:
        at: in epoch seconds.
    """
    pattern, (seed, factor, shift) = PATTERNS[metric], character(sensor)
    level, hour = pattern.level * factor, at % DAY / 3600
    for fault in FAULTS_OF.get(sensor, ()):
        if fault.first <= hour < fault.last:
            if fault.silent:
                return None
            if fault.stuck:
                at -= int((hour - fault.first) * 3600)
            level += fault.change * (hour - fault.first) / (fault.last - fault.first)
    wave = pattern.daily * math.sin(2 * math.pi * (at % DAY / DAY - 0.3 + shift))
    return max(0.0, round(level + wave + 2 * pattern.noise * noise(seed, at), pattern.digits))


def readings_of(sensor: Any, start: int, end: int, step: int) -> list[dict[str, Any]]:
    """The readings of a sensor in `[start, end)`, in the order in which they arrive.

    Args:
        start: in epoch seconds.
        step: seconds between readings.
    """
    links = random.Random(f"{sensor['id']} {start}")
    sent: list[tuple[float, dict[str, Any]]] = []
    for at in range(start - start % -step, end, step):
        measured = value(sensor["id"], sensor["metric"], at)
        if measured is None:
            continue
        moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        reading = {"sensor": sensor["id"], "time": moment, "value": measured}
        delay = links.uniform(600, 7200) if links.random() < LATE else 0
        sent.append((at + delay, reading))
        if links.random() < REPEATED:
            sent.append((at + delay + 1, reading))
    return [reading for _, reading in sorted(sent, key=lambda item: item[0])]


def batches(fleet: list[Any], start: int, end: int, step: int) -> Iterator[list[dict[str, Any]]]:
    """The readings of all sensors in batches that a request can carry."""
    batch: list[dict[str, Any]] = []
    for sensor in fleet:
        readings = readings_of(sensor, start, end, step)
        if batch and len(batch) + len(readings) > READINGS_AT_ONCE:
            yield batch
            batch = []
        batch += readings
    if batch:
        yield batch


def post(sluice: Sluice, batch: list[dict[str, Any]]) -> int:
    """Post readings to the API; how many are stored."""
    sent = sluice.send_readings(batch)
    for refused in sent.refused[:3]:
        print(f"refused: {json.dumps(batch[refused['index']])}: {refused['message']}")
    return sent.accepted


def put(kinesis: Any, stream: str, batch: list[dict[str, Any]]) -> int:
    """Put readings into a stream; how many it has taken."""
    records = [
        {"Data": json.dumps(part).encode(), "PartitionKey": part[0]["sensor"]}
        for part in (batch[at : at + READINGS_OF_RECORD] for at in range(0, len(batch), READINGS_OF_RECORD))
    ]
    while records:  # those that the stream was too busy for are sent again
        answers = kinesis.put_records(StreamName=stream, Records=records)["Records"]
        records = [record for record, answer in zip(records, answers, strict=True) if answer.get("ErrorCode")]
        time.sleep(1 if records else 0)
    return len(batch)


def main() -> None:
    """Send the readings."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hours", type=float, default=24, help="how many hours up to now (default: 24)")
    parser.add_argument("--step", type=int, default=60, help="seconds between the readings of a sensor (default: 60)")
    parser.add_argument("--stream", help="the Kinesis stream to put the readings into, instead of posting them")
    arguments = parser.parse_args()
    end = int(time.time())
    begun, total = time.monotonic(), 0
    with Sluice() as sluice:
        fleet = [sensor for vessel in VESSELS for sensor in sluice.items("/sensors", site=vessel)]
        kinesis = boto3.client("kinesis") if arguments.stream else None
        for batch in batches(fleet, end - int(arguments.hours * 3600), end, arguments.step):
            total += put(kinesis, arguments.stream, batch) if kinesis else post(sluice, batch)
    seconds = time.monotonic() - begun
    print(f"{total} readings of {len(fleet)} sensors, {arguments.hours:g} hours in {seconds:.0f} seconds")


if __name__ == "__main__":
    main()
