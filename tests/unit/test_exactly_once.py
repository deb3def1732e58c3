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
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from gzip import decompress
from itertools import groupby
from typing import Any

import botocore.client
import orjson
import pytest

from readings.app import handler
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


@dataclass(frozen=True)
class Record:
    """A record of the stream: its sequence number and content."""

    number: int
    data: bytes

    def event(self) -> dict[str, Any]:
        """The record as Lambda's event source mapping delivers it."""
        return {
            "eventID": f"shardId-0:{self.number}",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/sluice-readings",
            "kinesis": {
                "sequenceNumber": str(self.number),
                "approximateArrivalTimestamp": 1_793_707_200.25,
                "data": b64encode(self.data).decode(),
            },
        }


def readings(chance: random.Random, count: int, sensors: int, start: int) -> Iterator[Sent]:
    """Readings in the order of their time, except for the late ones: 5 % of all."""
    run = count // 100
    late_at = {chance.randrange(len(LATE) * at * run, (len(LATE) * at + 4) * run): late for at, late in enumerate(LATE)}
    shift, until = 0, 0
    for at in range(count):
        if at in late_at:
            shift, until = late_at[at], at + run
        elif at == until:
            shift = 0
        moment = start + at // sensors * STEP - shift
        value = chance.choice([chance.gauss(70, 10), chance.gauss(0, 1e9), float(chance.randrange(100)), 0.1])
        reading: Sent = {"sensor": f"s{at % sensors}", "time": moment, "value": value}
        if chance.random() < 0.02:
            reading["quality"] = chance.choice(QUALITIES)
        yield reading


def repeated(chance: random.Random, all_readings: list[Sent]) -> list[Sent]:
    """The readings with 5 % duplicates: equal ones, corrections, and other values without a revision."""
    sent: list[Sent] = []
    for reading in all_readings:
        sent.append(reading)
        if chance.random() < 0.05:
            again = chance.choice(sent[-2000:])
            more = [{}, {}, {"value": chance.random(), "revision": 1}, {"value": chance.random()}]
            sent.append({**again, **chance.choice(more)})
    return sent


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


def truth_of(sent: Iterable[Sent]) -> Truth:
    """What must be stored: of the readings of a sensor and time, that of the highest revision and smallest hash."""
    truth: Truth = defaultdict(dict)
    for reading in sent:
        new = reading["value"], reading.get("quality", "good"), reading.get("revision", 0)
        held = truth[reading["sensor"]].get(reading["time"])
        if held is None or _rank(new) < _rank(held):
            truth[reading["sensor"]][reading["time"]] = new
    return truth


def _rank(reading: tuple[float, str, int]) -> tuple[int, str]:
    value, quality, revision = reading
    return -revision, hashlib.sha256(f"{value!r}|{quality}".encode()).hexdigest()


def records_of(chance: random.Random, sent: list[Sent]) -> tuple[list[Record], set[int]]:
    """A record for each reading, with 1 % poison between them; and the numbers of the poisonous ones."""
    contents: list[bytes] = []
    poisonous = set()
    for reading in sent:
        if chance.random() < 0.01:
            poisonous.add(len(contents))
            contents.append(poison(chance))
        contents.append(orjson.dumps({**reading, "time": format_time(reading["time"])}))
    return [Record(number, data) for number, data in enumerate(contents)], poisonous


def deliveries(chance: random.Random, records: list[Record], size: int) -> list[list[Record]]:
    """Batches of all records, some of them twice and some again in part, in another order."""
    batches = [records[at : at + size] for at in range(0, len(records), size)]
    twice = chance.sample(batches, len(batches) // 4)
    parts = [
        batch[chance.randrange(size // 4) : -chance.randrange(1, size // 4)] for batch in chance.sample(batches, 4)
    ]
    order = [*batches, *twice, *filter(None, parts)]
    for at in range(len(order) - 1):  # each batch by some places only, as shards and retries do
        other = min(len(order) - 1, at + chance.randrange(6))
        order[at], order[other] = order[other], order[at]
    return order


def deliver(batch: list[Record]) -> None:
    """Have the function consume a batch."""
    assert handler({"Records": [record.event() for record in batch]}, None) == {"batchItemFailures": []}


def check(services: Container, truth: Truth, poisonous: set[int]) -> None:
    """Compare everything that is stored with the truth."""
    files = list(services.reading_files.all())
    assert all(file.applied for file in files)
    assert _in_lake(services) == truth
    since = recent_since(services.settings.reading_days)
    for sensor, stored in truth.items():
        recent = {moment: reading for moment, reading in stored.items() if moment >= since}
        assert _raw_blocks(services, sensor) == recent
        for resolution, width in RESOLUTIONS.items():
            assert _points(services, sensor, resolution) == _rollup(recent, width), (sensor, resolution)
        newest = max(stored)
        key = BlockKey(sensor, LATEST, 0)
        latest = unpack_series(services.reading_blocks.read([key])[key].data)
        assert _plain(latest) == {newest: stored[newest]}
    held, after = [], None
    while True:
        page, after = services.quarantine.page(1000, after)
        held += page
        if after is None:
            break
    prefix = "kinesis/sluice-readings/shardId-0:"
    assert sorted(record.id for record in held) == sorted(f"{prefix}{number}" for number in poisonous)
    assert all(record.reason for record in held)


def _rollup(stored: dict[int, tuple[float, str, int]], width: int) -> dict[int, tuple[float, ...]]:
    """Count, sum, minimum, maximum and last value of each window, of the good readings."""
    good = sorted((moment, value) for moment, (value, quality, _) in stored.items() if quality == "good")
    rollup = {}
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


def _in_lake(services: Container) -> Truth:
    united: dict[str, Series] = defaultdict(Series)
    for file in services.reading_files.all():
        _, parts = unpack_new(decompress(services.lake.get(file.key)))
        for part in parts:
            united[part.sensor] = united[part.sensor].united_with(part.series)
    return {sensor: _plain(series) for sensor, series in united.items()}


def _plain(series: Series) -> dict[int, tuple[float, str, int]]:
    marks = (series.marks.get(moment, Mark()) for moment in series.times)
    stored = zip(series.times, series.values, marks, strict=True)
    return {moment: (value, QUALITIES[mark.quality], mark.revision) for moment, value, mark in stored}


def create_sensors(services: Container, count: int) -> None:
    for number in range(count):
        services.definitions.create("sensor", f"s{number}", {"id": f"s{number}"}, "tests")


def first_time(count: int) -> int:
    """The time of the first of some readings of a sensor, so that the last one is past."""
    return (int(time.time()) * SECOND - count * STEP) // HOUR * HOUR - 2 * HOUR


def test_every_reading_counts_once(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(15)
    create_sensors(services, SENSORS)
    sent = repeated(chance, list(readings(chance, READINGS, SENSORS, first_time(READINGS // SENSORS))))
    records, poisonous = records_of(chance, sent)
    batches = deliveries(chance, records, BATCH)
    original = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined] # private
    kills = 0
    killer = Killer(chance.randrange(MOST_CALLS), effective=True)
    for batch in batches:
        delivered = False
        while not delivered:
            killer.begin()
            with monkeypatch.context() as patch, suppress(Killed):
                patch.setattr(botocore.client.BaseClient, "_make_api_call", killer.wrap(original))
                deliver(batch)
                delivered = True
            if killer.killed and kills < KILLS:
                kills += 1
                killer = Killer(chance.randrange(MOST_CALLS), effective=chance.random() < 0.5)
    assert kills == KILLS
    check(services, truth_of(sent), poisonous)


def test_concurrent_batches_of_the_same_sensors_count_once(services: Container) -> None:
    chance = random.Random(16)
    create_sensors(services, 2)
    sent = repeated(chance, list(readings(chance, 600, 2, first_time(300))))
    records, poisonous = records_of(chance, sent)
    overlapping = [records[at : at + 120] for at in range(0, len(records), 60)]
    chance.shuffle(overlapping)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, overlapping))
    check(services, truth_of(sent), poisonous)
