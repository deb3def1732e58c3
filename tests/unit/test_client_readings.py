"""Readings of sensors through the Python client, over the API in this process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pandas
import polars
import pytest

from sluice.container import Container
from sluice_client import NotFound, PushInterrupted, Sluice, ValidationError, _push, _sensors
from support.api_transport import API, ApiTransport
from support.client import Client

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY: dict[str, Any] = {"start": START, "end": START + timedelta(days=1)}


def reading(sensor: str, minute: int, value: Any) -> dict[str, Any]:
    return {"sensor": sensor, "time": START + timedelta(minutes=minute), "value": value}


@pytest.fixture
def sluice(services: Container, admin: Client) -> Iterator[Sluice]:
    """A client of an API with the sensors `a` and `b`."""
    admin.put("/sites/V", {"type": "vessel"})
    admin.put("/equipment/P", {"site": "V"})
    for sensor in ("a", "b"):
        assert admin.put(f"/sensors/{sensor}", {"equipment": "P", "metric": "flow", "unit": "m³/h"}).status == 201
    with Sluice(API, admin.key, transport=ApiTransport(services)) as client:
        yield client


def test_readings_of_a_sensor_become_frames(sluice: Sluice) -> None:
    assert sluice.send_readings([reading("a", 0, 1.5), reading("a", 1, 4)]).accepted == 2
    raw = sluice.sensor("a").readings(**DAY)
    assert (raw.resolution, raw.truncated) == ("raw", False)
    assert raw[1] == {"time": "2026-03-01T12:01:00Z", "value": 4.0, "quality": "good", "revision": 0}
    hours = sluice.sensor("a").readings(**DAY, resolution="1h", agg=["sum", "count"])
    assert list(hours) == [{"time": "2026-03-01T12:00:00Z", "sum": 5.5, "count": 2}]
    frame = hours.to_polars()
    assert frame.rows() == [(START, 5.5, 2)]
    assert frame.schema["count"] == polars.Int64
    assert hours.to_pandas()["time"].tolist() == [pandas.Timestamp(START)]
    assert sluice.sensor("b").readings(**DAY).to_pandas().empty


def test_readings_of_several_sensors_are_read_over_all_pages(sluice: Sluice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sensors, "_PAGE_READINGS", 2)
    sent = [reading(sensor, minute, minute) for sensor in ("a", "b") for minute in range(3)]
    sluice.send_readings(sent)
    read = sluice.readings(site="V", resolution="raw", **DAY)
    assert [(item["sensor"], item["value"]) for item in read] == [(item["sensor"], item["value"]) for item in sent]
    assert not read.truncated
    first = sluice.readings(sensor=["a", "b"], limit=3, **DAY)
    assert ({item["sensor"] for item in first}, len(first), first.truncated) == ({"a"}, 3, True)
    assert not sluice.readings(sensor="a", limit=3, **DAY).truncated


def test_refused_readings_have_the_index_of_all_that_were_sent(sluice: Sluice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sensors, "batches", partial(_push.batches, most_bytes=80))  # a batch for each reading
    sent = sluice.send_readings([reading("a", 0, 1), reading("x", 0, 1), reading("a", 1, float("nan"))])
    assert sent.accepted == 1
    assert [item["index"] for item in sent.refused] == [1, 2]
    with pytest.raises(PushInterrupted) as interrupted:
        sluice.send_readings([reading("a", 2, 1), reading("a", 3, 1), reading("a", 4, object())])
    assert interrupted.value.accepted == 1


def test_errors_are_those_of_the_api(sluice: Sluice) -> None:
    with pytest.raises(NotFound):
        sluice.sensor("x").readings()
    with pytest.raises(ValidationError):
        sluice.sensor("a").readings(agg="median")
