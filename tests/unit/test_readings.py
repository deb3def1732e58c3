"""Readings through the API and the stream, into blocks, rollups and the lake."""

import gzip
import json
import time
from base64 import b64encode
from typing import Any

import orjson
import pytest

from readings.app import handler
from sluice.catalog.readings import LATEST, RAW, BlockKey
from sluice.container import Container
from sluice.domain.new_readings import unpack_new
from sluice.domain.reading import format_time, reading_time
from sluice.domain.rollup import DAY, HOUR, MINUTE, SECOND, Point
from sluice.domain.series import Series
from sluice.domain.series_packing import unpack_points, unpack_series
from sluice.readings.streams import StreamRecord, consume, record_at
from support.client import Client

# A whole hour, yesterday or today.
HOUR_START = (int(time.time()) - 7200) * SECOND // HOUR * HOUR


@pytest.fixture(autouse=True)
def sensors(services: Container) -> None:
    for name in ("a", "b"):
        services.definitions.create("sensor", name, {"id": name, "equipment": "P-1", "metric": "flow"}, "tests")


def reading(after: int, value: Any, sensor: str = "a", **more: Any) -> dict[str, Any]:
    """A reading some seconds after `HOUR_START`."""
    return {"sensor": sensor, "time": format_time(HOUR_START + after * SECOND), "value": value, **more}


def kinesis(records: list[bytes], first: int = 0) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventID": f"shardId-0:{number}",
                "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/sluice-readings",
                "kinesis": {
                    "sequenceNumber": str(number),
                    "approximateArrivalTimestamp": 1_793_707_200.25,
                    "data": b64encode(record).decode(),
                },
            }
            for number, record in enumerate(records, start=first)
        ]
    }


def points(services: Container, resolution: str, sensor: str = "a") -> list[Point]:
    blocks = services.reading_blocks.between(sensor, resolution, HOUR_START - 400 * DAY, HOUR_START + DAY)
    return [point for block in blocks for point in unpack_points(block.data)]


def raw(services: Container, sensor: str = "a") -> list[tuple[int, float]]:
    series = Series()
    for block in services.reading_blocks.between(sensor, RAW, HOUR_START - 400 * DAY, HOUR_START + DAY):
        series = series.united_with(unpack_series(block.data))
    return list(zip(series.times, series.values, strict=True))


def latest(services: Container, sensor: str = "a") -> tuple[int, float]:
    key = BlockKey(sensor, LATEST, 0)
    series = unpack_series(services.reading_blocks.read([key])[key].data)
    return series.times[0], series.values[0]


def test_posted_readings_are_stored_and_rolled_up(services: Container, editor: Client) -> None:
    sent = [reading(0, 1.5), reading(10, 2), reading(70, 4), reading(700, 8), reading(3, 100, "b"), reading(5, "x")]
    answer = editor.post("/readings", sent)
    assert answer.status == 202
    assert answer.json() == {"accepted": 5, "refused": [{"index": 5, "message": "`value` must be a number, not 'x'."}]}
    assert [(point.start - HOUR_START, point.readings, point.sum) for point in points(services, "1m")] == [
        (0, 2, 3.5),
        (MINUTE, 1, 4.0),
        (11 * MINUTE, 1, 8.0),
    ]
    (hour,) = points(services, "1h")
    assert hour == Point(HOUR_START, 4, (15.5,), 1.5, 8.0, 8.0)
    (day,) = points(services, "1d")
    assert day == hour._replace(start=HOUR_START // DAY * DAY)
    assert latest(services) == (HOUR_START + 700 * SECOND, 8.0)
    assert latest(services, "b") == (HOUR_START + 3 * SECOND, 100.0)


def test_an_answer_lists_so_many_refused_readings_and_counts_the_others(services: Container, editor: Client) -> None:
    services.settings = services.settings.model_copy(update={"max_listed_refusals": 2})
    two = editor.post("/readings", [0, reading(0, 1), 0]).json()
    assert ([item["index"] for item in two["refused"]], "refused_count" in two) == ([0, 2], False)
    three = editor.post("/readings", [0, reading(0, 1), 0, 0]).json()
    assert (three["accepted"], [item["index"] for item in three["refused"]]) == (1, [0, 2])
    assert three["refused_count"] == 3


def test_lines_and_late_corrected_and_repeated_readings(services: Container, editor: Client) -> None:
    lines = "\n".join(json.dumps(item) for item in (reading(700, 8), reading(0, 1))) + "\n{not json\n"
    assert editor.post("/readings", lines).json()["refused"][0]["index"] == 2
    stored = [points(services, resolution) for resolution in ("1m", "1h", "1d")]
    assert editor.post("/readings", [reading(0, 1), reading(700, 8)]).json()["accepted"] == 2
    assert [points(services, resolution) for resolution in ("1m", "1h", "1d")] == stored
    editor.post("/readings", [reading(0, 3, revision=1)])
    editor.post("/readings", [reading(0, 1), reading(400, 5, quality="bad")])
    assert raw(services) == [(HOUR_START + at * SECOND, value) for at, value in ((0, 3.0), (400, 5.0), (700, 8.0))]
    assert [(point.readings, point.sum) for point in points(services, "1h")] == [(2, 11.0)]
    editor.post("/readings", [reading(0, 3, quality="bad", revision=2), reading(700, 8, quality="bad", revision=1)])
    assert points(services, "1m") == points(services, "1h") == points(services, "1d") == []
    assert latest(services) == (HOUR_START + 700 * SECOND, 8.0)


def test_readings_of_years_ago_are_in_the_lake_only(services: Container, editor: Client) -> None:
    old = {"sensor": "a", "time": "2019-03-05T10:00:00Z", "value": 7}
    assert editor.post("/readings", [old]).json()["accepted"] == 1
    assert latest(services) == (reading_time(old["time"]), 7.0)
    editor.post("/readings", [old, reading(0, 1)])
    assert raw(services) == [(HOUR_START, 1.0)]
    assert latest(services) == (HOUR_START, 1.0)
    files = {file.day: file for file in services.reading_files.all()}
    assert files.keys() == {"2019-03-05", format_time(HOUR_START)[:10]}
    assert all(file.applied for file in files.values())
    content = services.lake.get(files["2019-03-05"].key)
    page, parts = unpack_new(gzip.decompress(content))
    ((sensor, series, positions),) = parts
    assert (sensor, list(series.values), list(positions)) == ("a", [7.0], [0])
    with services.lake.raw(page) as received:
        assert orjson.loads(received.read())[0] == old


def test_a_poison_record_goes_to_quarantine_and_the_rest_is_stored(services: Container) -> None:
    records = [
        orjson.dumps(reading(0, 1)),
        b"\xff not json",
        orjson.dumps([reading(10, 2), reading(20, 3, "unknown")]),
        orjson.dumps(reading(30, 4)),
    ]
    for _ in range(2):
        assert handler(kinesis(records), None) == {"batchItemFailures": []}
    assert [value for _, value in raw(services)] == [1.0, 2.0, 4.0]
    held, following = services.quarantine.page(10, None)
    assert following is None
    assert [(record.id, record.position) for record in held] == [
        ("kinesis/sluice-readings/shardId-0:1", 1),
        ("kinesis/sluice-readings/shardId-0:2", 2),
    ]
    assert "not JSON" in held[0].reason
    assert "no sensor 'unknown'. Create it" in held[1].reason
    assert held[0].arrived_at == "2026-11-03T12:00:00.250Z"


def test_what_is_nested_deeply_is_refused_like_any_other(services: Container, editor: Client) -> None:
    nested = b"[" * 1000 + b"]" * 1000  # more than Python's repr can write, less than the JSON parser refuses
    records = [b'{"sensor": "a", "time": "2026-11-03T12:00:00Z", "value": %b}' % nested, orjson.dumps(reading(0, 1))]
    assert handler(kinesis(records), None) == {"batchItemFailures": []}
    assert [value for _, value in raw(services)] == [1.0]
    held, _ = services.quarantine.page(10, None)
    assert [record.position for record in held] == [0]
    assert "must be a number" in held[0].reason
    (refused,) = editor.post("/readings", f"[{nested.decode()}]").json()["refused"]
    assert refused["message"].startswith("A reading must be an object")


def test_kafka_batches_are_taken_by_the_same_function(services: Container) -> None:
    def record(partition: int, offset: int, content: bytes | None) -> dict[str, Any]:
        value = None if content is None else b64encode(content).decode()
        return {"topic": "t", "partition": partition, "offset": offset, "timestamp": 1_793_707_200_250, "value": value}

    event = {
        "eventSource": "aws:kafka",
        "records": {
            "t-0": [record(0, 7, orjson.dumps(reading(0, 1))), record(0, 8, None)],
            "t-1": [record(1, 3, orjson.dumps(reading(1, 2)))],
        },
    }
    assert handler(event, None) == {"batchItemFailures": []}
    assert [value for _, value in raw(services)] == [1.0, 2.0]
    held, _ = services.quarantine.page(10, None)
    assert [record.id for record in held] == ["kafka/t/0/8"]


def test_quarantined_records_are_taken_in_after_their_sensor_was_created(services: Container, editor: Client) -> None:
    lines = b"\n".join(orjson.dumps(reading(at, at, "late")) for at in (1, 2))
    records = [orjson.dumps(reading(0, 1)), orjson.dumps(reading(3, 5, "late")), lines, b"poison"]
    handler(kinesis(records), None)
    first = editor.get("/readings/quarantine?limit=2").json()
    rest = editor.get(f"/readings/quarantine?limit=2&cursor={first['next']}").json()
    assert [item["position"] for item in first["items"] + rest["items"]] == [1, 2, 3]
    names = [item["id"] for item in first["items"] + rest["items"]]
    refused = editor.post("/readings/quarantine/redrive", {"ids": [names[0], "nothing"]}).json()
    assert (refused["accepted"], [item["id"] for item in refused["refused"]]) == (0, ["nothing", names[0]])
    services.definitions.create("sensor", "late", {"id": "late", "equipment": "P-1", "metric": "flow"}, "tests")
    outcome = editor.post("/readings/quarantine/redrive", {"ids": None}).json()
    assert (outcome["accepted"], [item["id"] for item in outcome["refused"]]) == (2, [names[2]])
    assert outcome["next"] is None
    assert [value for _, value in raw(services, "late")] == [1.0, 2.0, 5.0]
    assert editor.post("/readings/quarantine/discard", {"ids": names}).status == 204
    assert editor.get("/readings/quarantine").json()["items"] == []


@pytest.mark.parametrize("name", ["", "é" * 513])
def test_ids_that_no_quarantined_record_can_have_are_refused(editor: Client, name: str) -> None:
    for verb in ("redrive", "discard"):
        answer = editor.post(f"/readings/quarantine/{verb}", {"ids": [name]})
        assert (answer.status, [fault["pointer"] for fault in answer.json()["errors"]]) == (422, ["/ids/0"])


def test_redrive_of_many_records_continues_with_a_cursor(services: Container, editor: Client) -> None:
    services.settings = services.settings.model_copy(update={"redrive_seconds": -1.0})
    handler(kinesis([orjson.dumps(reading(at, at, "late")) for at in range(600)]), None)
    services.definitions.create("sensor", "late", {"id": "late", "equipment": "P-1", "metric": "flow"}, "tests")
    first = editor.post("/readings/quarantine/redrive", {}).json()
    assert first["next"] is not None
    rest = editor.post(f"/readings/quarantine/redrive?cursor={first['next']}", {}).json()
    assert first["accepted"] + rest["accepted"] == 600
    assert len(raw(services, "late")) == 600


@pytest.mark.parametrize("records", [[b"base64", b"{"], [b'["a"]'], [b"", b"a\nb", b"\xff"]])
def test_records_are_read_back_from_their_batch(services: Container, records: list[bytes]) -> None:
    handler(kinesis(records), None)
    held, _ = services.quarantine.page(10, None)
    assert len(held) == len(records)
    for record in held:
        with services.lake.raw(record.page) as page:
            assert record_at(page.read(), record.position) == records[record.position]


def test_processes_that_take_turns_see_each_other_s_changes(services: Container) -> None:
    """A process keeps the blocks that it wrote, which another one changes in between."""
    other = Container(services.settings)
    for at in range(6):
        process = (services, other)[at % 2]
        record = orjson.dumps([reading(at, at), reading(700 + at, 1)])
        consume(process, [StreamRecord(f"test/{at}", None, record, None)])
    assert [value for _, value in raw(services)] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert [(point.readings, point.sum) for point in points(services, "1d")] == [(12, 21.0)]
