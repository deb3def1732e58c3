"""Readings of sensors on the deployed stack: posted, through the stream, and dropped."""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime
from typing import Any

from sluice.catalog.definitions import Definitions
from sluice.catalog.readings import RAW, ReadingBlocks
from sluice.catalog.table import Table
from sluice.domain.rollup import DAY, SECOND
from sluice.domain.series_packing import unpack_points, unpack_series
from support.stack import Deployed, until

WORKSPACE = "main"


def table(deployed: Deployed, name: str) -> Table:
    resource: Any = deployed.client("cloudformation").describe_stack_resource(
        StackName=deployed.description["stack"], LogicalResourceId=name
    )["StackResourceDetail"]
    return Table(deployed.client("dynamodb"), resource["PhysicalResourceId"])


def test_readings_are_stored_once_however_they_arrive(deployed: Deployed) -> None:
    sensor = f"pump.{secrets.token_hex(3)}"
    Definitions(table(deployed, "DefinitionsTable"), WORKSPACE).create(
        "sensor", sensor, {"id": sensor, "equipment": "P-1", "metric": "flow"}, "tests"
    )
    blocks = ReadingBlocks(table(deployed, "ReadingsTable"), WORKSPACE, 35)
    first = int(time.time()) // 60 * 60 - 600
    times = [datetime.fromtimestamp(first + at, UTC).isoformat() for at in range(4)]
    sent = [{"sensor": sensor, "time": moment, "value": float(at)} for at, moment in enumerate(times)]

    def stored(resolution: str) -> list[bytes]:
        now = int(time.time()) * SECOND
        return [block.data for block in blocks.between(sensor, resolution, now - DAY, now)]

    def values() -> list[float]:
        return [value for data in stored(RAW) for value in unpack_series(data).values]

    deployed.client("kinesis").put_records(
        StreamName=deployed.description["readings_stream"],
        Records=[
            {"Data": json.dumps(record).encode(), "PartitionKey": sensor}
            for record in [sent[1], sent[2], {**sent[0], "value": f"high {sensor}"}, sent[1]]
        ],
    )
    deployed.drop(
        f"_readings/{sensor}.csv", f"sensor,time,value\n{sensor},{times[3]},3\n{sensor},{times[1]},1\n".encode()
    )
    receipt = deployed.done("POST", "/readings", sent[:2])
    assert receipt == {"accepted": 2, "refused": []}
    until(lambda: values() == [0.0, 1.0, 2.0, 3.0])
    assert [(p.readings, p.sum) for data in stored("1h") for p in unpack_points(data)] == [(4, 6.0)]
    (held,) = until(lambda: quarantined(deployed, sensor))
    assert "must be a number" in held["reason"]
    refused = deployed.done("POST", "/readings/quarantine/redrive", {"ids": [held["id"]]})
    assert (refused["accepted"], [item["id"] for item in refused["refused"]]) == (0, [held["id"]])
    deployed.done("POST", "/readings/quarantine/discard", {"ids": [held["id"]]})
    assert quarantined(deployed, sensor) == []


def quarantined(deployed: Deployed, sensor: str) -> list[dict[str, Any]]:
    items = deployed.done("GET", "/readings/quarantine?limit=200")["items"]
    return [item for item in items if sensor in item["record"]]
