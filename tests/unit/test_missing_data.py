"""Silence raises alarms: sensors that are watched, their schedule, and their routes."""

from __future__ import annotations

import boto3
import pytest

from sluice.alarms.missing import check_missing
from sluice.alarms.service import judge_batch, sensors_changed
from sluice.container import Container
from sluice.domain.names import now
from support.alarms import SECOND, START, Clock, alarms, of, readings, schedules, sensor
from support.client import Client


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_silence_raises_and_readings_clear(services: Container, viewer: Client, clock: Clock) -> None:
    sensor(services, missing_after_seconds=60)
    judge_batch(services, {"s1": readings(1)})
    clock.us = START + 60 * SECOND
    assert check_missing(services) == 0
    clock.us += SECOND
    assert [check_missing(services), check_missing(services)] == [1, 0]
    (alarm,) = alarms(viewer)
    assert of(alarm, "kind", "level", "state", "raised_at", "value", "limit") == (
        "missing",
        "missing",
        "active",
        "2024-01-01T00:01:00.000Z",
        None,
        60,
    )
    clock.us = START + 120 * SECOND
    judge_batch(services, {"s1": readings(1, start=1)})
    assert check_missing(services) == 0, "old data that arrives late says nothing about the present"
    judge_batch(services, {"s1": readings(1, start=100, quality="bad")})
    assert check_missing(services) == 1
    (alarm,) = alarms(viewer)
    assert of(alarm, "state", "cleared_at") == ("cleared", "2024-01-01T00:01:40.000Z")


def test_clock_that_is_ahead_hides_no_silence(services: Container, clock: Clock) -> None:
    sensor(services, missing_after_seconds=60)
    judge_batch(services, {"s1": readings(1, start=10_000_000)})
    clock.us = START + 61 * SECOND
    assert check_missing(services) == 1


def test_sensor_that_was_never_heard_is_watched_from_its_creation(
    services: Container, viewer: Client, clock: Clock
) -> None:
    sensor(services, missing_after_seconds=60)
    clock.us = int(now().timestamp()) * SECOND
    assert check_missing(services) == 0
    clock.us += 120 * SECOND
    assert check_missing(services) == 1
    assert alarms(viewer)[0]["kind"] == "missing"


def test_sensor_that_is_watched_again_is_not_missing_at_once(services: Container, viewer: Client, clock: Clock) -> None:
    clock.us = int(now().timestamp()) * SECOND
    sensor(services, missing_after_seconds=60)
    judge_batch(services, {"s1": [(clock.us - 7200 * SECOND, 1.0, "good")]})
    sensor(services)  # its readings are not judged from now on
    sensor(services, missing_after_seconds=60)
    assert check_missing(services) == 0
    clock.us += 120 * SECOND
    assert check_missing(services) == 1
    assert len(alarms(viewer)) == 1


def test_schedule_exists_only_while_a_sensor_is_watched(services: Container, clock: Clock) -> None:
    sensor(services, "s1", high=1)
    assert schedules() == []
    sensor(services, "s1", missing_after_seconds=60)
    sensor(services, "s2", missing_after_seconds=60)
    assert len(schedules()) == 1
    schedule = boto3.client("scheduler").get_schedule(Name=schedules()[0], GroupName="sluice")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["Target"]["Arn"] == services.settings.missing_data_function
    sensor(services, "s1")
    assert len(schedules()) == 1
    services.definitions.delete(services.definitions.get("sensor", "s2"))
    sensors_changed(services, ["s2"])
    assert schedules() == []


def test_schedule_survives_a_sensor_that_is_watched_while_it_is_deleted(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor(services, "s1", missing_after_seconds=60)
    remove = services.timers.remove

    overtaken = list[str]()

    def overtake(name: str) -> None:
        if not overtaken:
            overtaken.append(name)
            sensor(services, "s2", missing_after_seconds=60)
        remove(name)

    monkeypatch.setattr(services.timers, "remove", overtake)
    sensor(services, "s1")
    assert len(schedules()) == 1


def test_alarm_of_the_same_moment_is_raised_again(services: Container, viewer: Client, clock: Clock) -> None:
    sensor(services, missing_after_seconds=60)
    judge_batch(services, {"s1": readings(1)})
    clock.us = START + 61 * SECOND
    check_missing(services)
    sensor(services, missing_after_seconds=3600)
    assert check_missing(services) == 1
    assert alarms(viewer)[0]["state"] == "cleared"
    sensor(services, missing_after_seconds=60)
    assert check_missing(services) == 1
    (alarm,) = alarms(viewer)
    assert of(alarm, "state", "cleared_at") == ("active", None)


def test_sensor_that_cannot_be_checked_keeps_no_other_from_it(
    services: Container, viewer: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("s1", "s2"):
        sensor(services, name, missing_after_seconds=60)
    judge_batch(services, {"s1": readings(1), "s2": readings(1)})
    clock.us = START + 61 * SECOND
    broken = services.definitions.get("sensor", "s1")
    services.definitions.replace(broken, {**broken.document, "limits": "broken"})
    assert check_missing(services) == 1
    assert [alarm["sensor"] for alarm in alarms(viewer)] == ["s2"]


def test_routes_of_sensors_keep_the_schedule_and_the_alarms(
    services: Container, editor: Client, viewer: Client, clock: Clock
) -> None:
    editor.post("/sites", {"code": "FPSO-1", "type": "vessel", "name": "One"})
    editor.post("/sites/FPSO-1/equipment", {"code": "P-1"})
    document = {"id": "s1", "equipment": "P-1", "metric": "temperature"}
    assert editor.post("/sensors", {**document, "limits": {"high": 80, "missing_after_seconds": 60}}).status == 201
    assert len(schedules()) == 1
    judge_batch(services, {"s1": readings(85)})
    clock.us = START + 61 * SECOND
    assert check_missing(services) == 1
    assert editor.patch("/sensors/s1", {"limits": {"missing_after_seconds": None}}).status == 200
    assert schedules() == []
    assert [alarm["kind"] for alarm in alarms(viewer, "?state=active&site=FPSO-1")] == ["high"]
    assert editor.delete("/sensors/s1").status == 204
    assert alarms(viewer, "?state=active") == []


def test_imports_of_sensors_keep_the_schedule(services: Container, editor: Client) -> None:
    editor.post("/sites", {"code": "FPSO-1", "type": "vessel", "name": "One"})
    editor.post("/sites/FPSO-1/equipment", {"code": "P-1"})
    rows = "".join(f"s{number},P-1,temperature,{60 if number else ''}\n" for number in range(130))
    file = "id,equipment,metric,missing_after_seconds\n" + rows
    assert editor.post("/sensors/import", file, content_type="text/csv").status == 200
    assert len(list(services.alarms.watched())) == 129
    assert len(schedules()) == 1
    services.timers.remove("missing-data")
    assert editor.post("/sensors/import", file, content_type="text/csv").json()["unchanged"] == 130
    assert len(schedules()) == 1, "what an interrupted import has left out is done by the next one"
