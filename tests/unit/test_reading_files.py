"""Files of readings that are dropped into the inbox."""

import gzip
import json
from typing import Any

import boto3
import pytest
from test_readings import HOUR_START

from inbox.app import handler as inbox_handler
from readings.app import handler
from sluice.catalog.readings import RAW
from sluice.container import Container
from sluice.domain.reading import format_time, reading_time
from sluice.domain.rollup import DAY, SECOND
from sluice.domain.series_packing import unpack_series
from sluice.errors import Unavailable
from sluice.runs.drops import receive_missed
from support.client import Client
from support.functions import LocalFunctions
from support.workflows import Context

READINGS = [{"sensor": "a", "time": format_time(HOUR_START + at * SECOND), "value": at + 0.5} for at in range(5)]
CSV = "sensor,time,value,quality,revision\r\n" + "".join(f"a,{r['time']},{r['value']},good,\r\n" for r in READINGS)
LINES = "\n".join(json.dumps(reading) for reading in READINGS) + "\n\n"
FORMS = {
    "readings.csv": CSV.encode(),
    "with a mark.csv": b"\xef\xbb\xbf" + CSV.replace(",", ";").encode(),
    "readings.jsonl": LINES.encode(),
    "readings.json": json.dumps(READINGS).encode(),
    "readings.csv.gz": gzip.compress(CSV.encode()),
    "lines.gz": gzip.compress(LINES.encode()),
}


@pytest.fixture(autouse=True)
def sensors(services: Container) -> None:
    services.definitions.create("sensor", "a", {"id": "a", "equipment": "P-1", "metric": "flow"}, "tests")


def dropped(name: str, body: bytes) -> dict[str, Any]:
    """Put a file into the inbox; the event of EventBridge that announces it."""
    key = f"_readings/{name}"
    stored = boto3.client("s3").put_object(Bucket="inbox", Key=key, Body=body)
    described = {"key": key, "size": len(body), "etag": stored["ETag"].strip('"'), "version-id": stored["VersionId"]}
    return {"detail-type": "Object Created", "detail": {"bucket": {"name": "inbox"}, "object": described}}


def values(services: Container) -> list[float]:
    blocks = services.reading_blocks.between("a", RAW, HOUR_START - DAY, HOUR_START + DAY)
    return [value for block in blocks for value in unpack_series(block.data).values]


def inbox_keys() -> list[str]:
    return [item["Key"] for item in boto3.client("s3").list_objects_v2(Bucket="inbox").get("Contents", [])]


@pytest.mark.parametrize("name", FORMS)
def test_dropped_readings_are_stored(services: Container, name: str) -> None:
    event = dropped(name, FORMS[name])
    inbox_handler(event, Context())
    assert values(services) == [], "the function of other drops leaves them alone"
    for _ in range(2):
        handler(event, Context())
    assert values(services) == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert services.quarantine.page(10, None) == ([], None)
    assert inbox_keys() == [f"_readings/{name}"]


def test_refused_rows_go_to_quarantine_and_can_be_taken_in(services: Container, editor: Client) -> None:
    moment = READINGS[0]["time"]
    rows = f"{CSV}a,yesterday,1,,\r\nb,{moment},7,bad,2\r\na,{moment},high\r\na,{moment},1,,,6\r\n"
    rows += f"a\r\na,{moment},1,,{2**64}\r\n"
    event = dropped("a/b.csv", rows.encode())
    handler(event, Context())
    assert len(values(services)) == 5
    held, _ = services.quarantine.page(10, None)
    version = event["detail"]["object"]["version-id"]
    lines = {int(record.id.rpartition("/")[2]): record for record in held}
    assert {record.id.rpartition("/")[0] for record in held} == {f"file/inbox/_readings/a/b.csv/{version}"}
    assert sorted(lines) == [7, 8, 9, 10, 11, 12]
    assert "must be a number, not 'high'" in lines[9].reason
    assert "cells without a column" in lines[10].reason
    services.definitions.create("sensor", "b", {"id": "b", "equipment": "P-1", "metric": "flow"}, "tests")
    assert editor.post("/readings/quarantine/redrive", {"ids": [lines[8].id]}).json()["accepted"] == 1
    (block,) = services.reading_blocks.between("b", RAW, HOUR_START, HOUR_START + DAY)
    ((stored_at, mark),) = unpack_series(block.data).marks.items()
    assert (stored_at, *mark) == (reading_time(moment), 2, 2)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"sensor,value\na,1\n", "must name the columns"),
        (b"\x00\x01\x02", "must name the columns"),
        (b"[1, 2", "not JSON"),
        (gzip.compress(LINES.encode())[:-9], "damaged"),
        (b'{"sensor": "' + b"a" * (1 << 20), "more than"),
    ],
    ids=["empty", "columns", "binary", "array", "gzip", "line"],
)
def test_unreadable_file_is_set_aside(services: Container, body: bytes, reason: str) -> None:
    event = dropped("bad", body)
    for _ in range(2):
        handler(event, Context())
    assert inbox_keys() == ["_failed/_readings/bad", "_failed/_readings/bad.reason.json"]
    stored = boto3.client("s3").get_object(Bucket="inbox", Key="_failed/_readings/bad.reason.json")["Body"].read()
    assert reason in json.loads(stored)["reason"]


def test_large_file_is_continued_by_the_next_call(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    services.settings = services.settings.model_copy(update={"reading_batch": 2})
    event = dropped("a.csv", CSV.encode())
    context = Context()
    calls = 0
    put = services.reading_files.add

    def add(files: Any) -> Any:
        nonlocal calls
        calls += 1
        context.seconds = 0 if calls == 1 else 900
        return put(files)

    monkeypatch.setattr(services.reading_files, "add", add)
    with pytest.raises(Unavailable, match="up to line 3"):
        handler(event, context)
    assert values(services) == [0.5, 1.5]
    handler(event, Context())
    assert values(services) == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert calls == 3, "no batch was stored again"


def test_file_that_is_gone_is_no_error(services: Container) -> None:
    event = dropped("a.csv", b"")
    event["detail"]["object"]["key"] = "_readings/other.csv"
    handler(event, Context())
    assert inbox_keys() == ["_readings/a.csv"]


def test_file_whose_notification_was_lost_is_taken_in_by_the_sweep(
    services: Container, functions: LocalFunctions
) -> None:
    event = dropped("lost.csv", CSV.encode())
    assert receive_missed(services, 3600) == 0
    assert receive_missed(services, 0) == 1
    assert [(name, call["detail"]["object"]["key"]) for name, call in functions.calls] == [
        ("readings", "_readings/lost.csv")
    ]
    functions.run()
    assert values(services) == [0.5, 1.5, 2.5, 3.5, 4.5]
    handler(event, Context())  # the notification comes after all
    assert receive_missed(services, 0) == 0
    assert functions.calls == []
