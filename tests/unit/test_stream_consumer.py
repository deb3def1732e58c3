"""The example of a program that reads the stream of readings itself."""

import importlib.util
import json
import statistics
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from sluice.container import Container
from sluice_client import Sluice
from support.api_transport import API, ApiTransport
from support.client import Client
from support.documents import rows
from support.template import ROOT

STREAM = "readings"
VALUES = [10.0, 11.0, 10.5, 30.0, 9.5]


@pytest.fixture(scope="module")
def consumer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fpso_consumer", ROOT / "blueprints/fpso/consumer.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def kinesis(services: Container) -> Any:
    client = boto3.client("kinesis")
    client.create_stream(StreamName=STREAM, ShardCount=2)
    return client


def put(kinesis: Any, *readings: Any) -> None:
    records = [
        {"Data": item if isinstance(item, bytes) else json.dumps(item).encode(), "PartitionKey": str(number)}
        for number, item in enumerate(readings)
    ]
    assert kinesis.put_records(StreamName=STREAM, Records=records)["FailedRecordCount"] == 0


def reading(hour: int, value: float, minute: int = 0) -> dict[str, Any]:
    return {"sensor": "a", "time": f"2026-11-03T{hour:02d}:{minute:02d}:00Z", "value": value}


def test_scores_come_back_once_though_it_is_killed(
    consumer: ModuleType, kinesis: Any, services: Container, editor: Client, tmp_path: Path
) -> None:
    document = {"name": "scores", "kind": "push", "primary_key": ["sensor", "time"]}
    assert editor.post("/datasources", document).status == 201
    put(kinesis, b"not json", {"value": 1}, {"sensor": "a", "time": 5, "value": 1})
    put(
        kinesis,
        *(reading(hour, value) for hour, value in enumerate(VALUES)),
        [reading(3, 32.0, 30)],
    )
    file = tmp_path / "checkpoint.json"
    with Sluice(API, editor.key, transport=ApiTransport(services)) as sluice:
        killed = consumer.Checkpoint(file)
        killed.store = lambda: None
        assert consumer.run_once(kinesis, STREAM, sluice, killed) == (6, 5)
        # It was killed after it had sent the scores: it sends them again.
        assert consumer.run_once(kinesis, STREAM, sluice, consumer.Checkpoint(file)) == (6, 5)
        assert consumer.run_once(kinesis, STREAM, sluice, consumer.Checkpoint(file)) == (0, 0)
        put(kinesis, reading(3, 32.0, 30))  # a reading that is sent twice
        assert consumer.run_once(kinesis, STREAM, sluice, consumer.Checkpoint(file)) == (1, 5)
    means = [10.0, 11.0, 10.5, 31.0, 9.5]
    middle = statistics.median(means)
    spread = 1.4826 * statistics.median(abs(mean - middle) for mean in means)
    assert {row["time"][11:13]: row["score"] for row in rows(editor, "datasources/scores")} == {
        f"{hour:02d}": round(abs(mean - middle) / spread, 2) for hour, mean in enumerate(means)
    }
