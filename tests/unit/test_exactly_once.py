"""Readings are counted exactly once, whatever is repeated, late, poisonous, out of order or killed.

The truth is computed here in plain Python from the records that were sent. `PROOF=1` sends a million readings instead
of ten thousand.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from base64 import b64encode
from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from gzip import decompress
from itertools import groupby, islice
from typing import Any

import botocore.client
import orjson
import pytest

from readings.app import handler
from sluice.catalog.quarantine import Quarantined
from sluice.catalog.readings import LATEST, RAW, BlockKey
from sluice.container import Container
from sluice.domain.new_readings import unpack_new
from sluice.domain.reading import format_time
from sluice.domain.rollup import DAY, HOUR, RESOLUTIONS, SECOND
from sluice.domain.series import QUALITIES, Mark, Series
from sluice.domain.series_packing import unpack_points, unpack_series
from sluice.readings.recent import recent_since
from support.killing import Killer
from support.workflows import Killed

PROOF = bool(os.environ.get("PROOF"))
READINGS, SENSORS, BATCH = (1_000_000, 100, 10_000) if PROOF else (10_000, 4, 500)
KILLS = 10
# Between two kills.
MOST_CALLS = 15
STEP = 4 * SECOND
# How late the late readings are; of each, a run of consecutive readings, as of a device that was offline.
LATE = [6 * HOUR, 3 * DAY, 20 * DAY, 400 * DAY, 2600 * DAY]

Sent = dict[str, Any]
# (value, quality, revision) by time
Truth = dict[str, dict[int, tuple[float, str, int]]]


@dataclass(slots=True)
class Stream:
    """What is sent: the contents of all records by sequence number, and what must be stored of them."""

    records: list[bytes] = field(default_factory=list)
    poisonous: set[int] = field(default_factory=set)
    truth: Truth = field(default_factory=lambda: defaultdict(dict))

    def send(self, reading: Sent) -> None:
        """Add a reading. Of those of a sensor and time the highest revision counts, then the smallest hash."""
        self.records.append(orjson.dumps({**reading, "time": format_time(reading["time"])}))
        new = reading["value"], reading.get("quality", "good"), reading.get("revision", 0)
        held = self.truth[reading["sensor"]].get(reading["time"])
        if held is None or _rank(new) < _rank(held):
            self.truth[reading["sensor"]][reading["time"]] = new

    def send_poison(self, record: bytes) -> None:
        """Add a record that must be refused."""
        self.poisonous.add(len(self.records))
        self.records.append(record)

    def batch(self, numbers: range) -> list[dict[str, Any]]:
        """Some records as Lambda's event source mapping delivers them."""
        return [
            {
                "eventID": f"shardId-0:{number}",
                "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/sluice-readings",
                "kinesis": {
                    "sequenceNumber": str(number),
                    "approximateArrivalTimestamp": 1_793_707_200.25,
                    "data": b64encode(self.records[number]).decode(),
                },
            }
            for number in numbers
        ]


def _rank(reading: tuple[float, str, int]) -> tuple[int, str]:
    value, quality, revision = reading
    return -revision, hashlib.sha256(f"{value!r}|{quality}".encode()).hexdigest()


def stream_of(chance: random.Random, count: int, sensors: int) -> Stream:
    """Readings with 5 % late, 5 % duplicates (equal ones, corrections, and other values) and 1 % poison."""
    stream = Stream()
    before: deque[Sent] = deque(maxlen=2000)
    for reading in readings(chance, count, sensors):
        stream.send(reading)
        before.append(reading)
        if chance.random() < 0.05:
            again = [{}, {}, {"value": chance.random(), "revision": 1}, {"value": chance.random()}]
            stream.send({**before[chance.randrange(len(before))], **chance.choice(again)})
        if chance.random() < 0.01:
            stream.send_poison(poison(chance))
    return stream


def readings(chance: random.Random, count: int, sensors: int) -> Iterator[Sent]:
    """Readings in the order of their time until now, except for the late ones: 5 % of all."""
    start = (int(time.time()) * SECOND - count // sensors * STEP) // HOUR * HOUR - HOUR
    run = count // 100
    late_at = {(20 * at + chance.randrange(19)) * run: late for at, late in enumerate(LATE)}
    shift, until = 0, 0
    for at in range(count):
        if at in late_at:
            shift, until = late_at[at], at + run
        elif at == until:
            shift = 0
        value = chance.choice([chance.gauss(70, 10), chance.gauss(0, 1e9), float(chance.randrange(100)), 0.1])
        reading: Sent = {"sensor": f"s{at % sensors}", "time": start + at // sensors * STEP - shift, "value": value}
        if chance.random() < 0.02:
            reading["quality"] = chance.choice(QUALITIES)
        yield reading


def poison(chance: random.Random) -> bytes:
    """A record that must be refused."""
    time_of = format_time(int(time.time()) * SECOND - DAY)
    choices: list[Any] = [
        {"sensor": "s0", "time": time_of},
        {"sensor": "nobody", "time": time_of, "value": 1},
        {"sensor": "s0", "time": "yesterday", "value": chance.random()},
        {"sensor": "s0", "time": "2190-01-01T00:00:00Z", "value": 1},
        {"sensor": "s0", "time": time_of, "value": "hot"},
        "s0",
    ]
    return chance.choice([b"\xff", b"{", b"", *map(orjson.dumps, choices)])


def deliveries(chance: random.Random, count: int, size: int) -> list[range]:
    """Batches of all records, some of them twice and some again in part, in another order."""
    batches = [range(at, min(at + size, count)) for at in range(0, count, size)]
    twice = chance.sample(batches, len(batches) // 4)
    parts = [
        batch[chance.randrange(size // 4) : -chance.randrange(1, size // 4)] for batch in chance.sample(batches, 4)
    ]
    order = [*batches, *twice, *filter(None, parts)]
    for at in range(len(order) - 1):  # each batch by some places only, as shards and retries do
        other = min(len(order) - 1, at + chance.randrange(6))
        order[at], order[other] = order[other], order[at]
    return order


def deliver(records: list[dict[str, Any]]) -> None:
    """Have the function consume a batch."""
    assert handler({"Records": records}, None) == {"batchItemFailures": []}


def check(services: Container, stream: Stream) -> None:
    """Compare everything that is stored with the truth."""
    assert all(file.applied for file in services.reading_files.all())
    in_lake = _in_lake(services)
    assert in_lake.keys() == stream.truth.keys()
    since = recent_since(services.settings.reading_days)
    for sensor, stored in stream.truth.items():
        assert not differences(_plain(in_lake[sensor]), stored)
        recent = {moment: reading for moment, reading in stored.items() if moment >= since}
        assert not differences(_raw_blocks(services, sensor), recent)
        for resolution, width in RESOLUTIONS.items():
            assert not differences(_points(services, sensor, resolution), _rollup(recent, width)), resolution
        newest = max(stored)
        key = BlockKey(sensor, LATEST, 0)
        latest = unpack_series(services.reading_blocks.read([key])[key].data)
        assert _plain(latest) == {newest: stored[newest]}
    held = list(_quarantined(services))
    expected = {f"kinesis/sluice-readings/shardId-0:{number}": number for number in stream.poisonous}
    assert not differences({record.id: expected.get(record.id) for record in held}, expected)
    assert all(record.reason for record in held)


def differences(stored: dict[Any, Any], expected: dict[Any, Any]) -> list[Any]:
    """Some of the keys whose values differ, with both values; a comparison by pytest would need gigabytes."""
    keys = (key for key in stored.keys() | expected.keys() if stored.get(key) != expected.get(key))
    return [(key, stored.get(key), expected.get(key)) for key in islice(keys, 5)]


def _quarantined(services: Container) -> Iterator[Quarantined]:
    after: str | None = None
    while True:
        page, after = services.quarantine.page(1000, after)
        yield from page
        if after is None:
            return


def _rollup(stored: dict[int, tuple[float, str, int]], width: int) -> dict[int, tuple[float, ...]]:
    """Count, sum, minimum, maximum and last value of each window, of the good readings."""
    good = sorted((moment, value) for moment, (value, quality, _) in stored.items() if quality == "good")
    rollup: dict[int, tuple[float, ...]] = {}
    for start, window in groupby(good, lambda reading: reading[0] // width * width):
        values = [value for _, value in window]
        rollup[start] = len(values), float(sum(map(Fraction, values))), min(values), max(values), values[-1]
    return rollup


def _points(services: Container, sensor: str, resolution: str) -> dict[int, tuple[float, ...]]:
    blocks = services.reading_blocks.between(sensor, resolution, 0, int(time.time()) * SECOND + DAY)
    points = [point for block in blocks for point in unpack_points(block.data)]
    return {point.start: (point.readings, point.sum, point.min, point.max, point.last) for point in points}


def _raw_blocks(services: Container, sensor: str) -> dict[int, tuple[float, str, int]]:
    blocks = services.reading_blocks.between(sensor, RAW, 0, int(time.time()) * SECOND + DAY)
    return {moment: held for block in blocks for moment, held in _plain(unpack_series(block.data)).items()}


def _in_lake(services: Container) -> dict[str, Series]:
    found: dict[str, list[Series]] = defaultdict(list)
    for file in services.reading_files.all():
        _, parts = unpack_new(decompress(services.lake.get(file.key)))
        for part in parts:
            found[part.sensor].append(part.series)
    # Smaller ones first: uniting takes as long as both are large.
    return {sensor: reduce(Series.united_with, sorted(parts, key=len), Series()) for sensor, parts in found.items()}


def _plain(series: Series) -> dict[int, tuple[float, str, int]]:
    marks = (series.marks.get(moment, Mark()) for moment in series.times)
    stored = zip(series.times, series.values, marks, strict=True)
    return {moment: (value, QUALITIES[mark.quality], mark.revision) for moment, value, mark in stored}


def create_sensors(services: Container, count: int) -> None:
    for number in range(count):
        services.definitions.create(
            "sensor", f"s{number}", {"id": f"s{number}", "equipment": "P-1", "metric": "flow"}, "tests"
        )


def test_every_reading_counts_once(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(15)
    create_sensors(services, SENSORS)
    stream = stream_of(chance, READINGS, SENSORS)
    original = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined] # private
    kills = 0
    killer = Killer(chance.randrange(MOST_CALLS), effective=True)
    for numbers in deliveries(chance, len(stream.records), BATCH):
        delivered = False
        while not delivered:
            killer.begin()
            with monkeypatch.context() as patch, suppress(Killed):
                patch.setattr(botocore.client.BaseClient, "_make_api_call", killer.wrap(original))
                deliver(stream.batch(numbers))
                delivered = True
            if killer.killed and kills < KILLS:
                kills += 1
                killer = Killer(chance.randrange(MOST_CALLS), effective=chance.random() < 0.5)
    assert kills == KILLS
    check(services, stream)


def test_concurrent_batches_of_the_same_sensors_count_once(services: Container) -> None:
    chance = random.Random(16)
    create_sensors(services, 2)
    stream = stream_of(chance, 600, 2)
    overlapping = deliveries(chance, len(stream.records), 120)
    overlapping += [range(at, at + 120) for at in range(60, 480, 120)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, map(stream.batch, overlapping)))
    check(services, stream)
