"""Sensors, their readings and alarms, as tests of alarms have them."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from sluice.alarms.service import sensors_changed
from sluice.container import Container
from sluice.domain.alarm import JudgedReading
from support.client import Client

SECOND = 1_000_000
START = 1_704_067_200 * SECOND  # 2024-01-01T00:00:00Z
LIMITS: dict[str, Any] = {"low": 0, "high": 80, "high_high": 90, "deadband": 5}


def sensor(services: Container, name: str = "s1", *, equipment: str = "P-1", **limits: Any) -> None:
    """Create or change a sensor as its routes do."""
    document = {"id": name, "equipment": equipment, "metric": "temperature", "unit": "°C", "limits": limits}
    stored = services.definitions.find("sensor", name)
    if stored is None:
        services.definitions.create("sensor", name, document, "test")
    else:
        services.definitions.replace(stored, document)
    sensors_changed(services, [name])


def equipment(services: Container, code: str, site: str) -> None:
    services.definitions.create("equipment", code, {"code": code, "site": site, "name": code}, "test")


def readings(*values: float, start: int = 0, quality: str = "good") -> list[JudgedReading]:
    return [(START + (start + number) * SECOND, value, quality) for number, value in enumerate(values)]


def alarms(client: Client, query: str = "") -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = client.get(f"/alarms{query}").json()["items"]
    return listed


def of(alarm: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(alarm[name] for name in names)


def schedules() -> list[str]:
    return [item["Name"] for item in boto3.client("scheduler").list_schedules()["Schedules"]]


class Clock:
    """The clock of missing data, which a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.us = START
        for module in ("missing", "service"):
            monkeypatch.setattr(f"sluice.alarms.{module}.time.time_ns", lambda: self.us * 1000)
