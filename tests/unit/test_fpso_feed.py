"""The feed of the blueprint `fpso`, which stands for the sensor platform of two vessels."""

import importlib.util
import json
import sys
from types import ModuleType
from typing import Any

import pytest
import yaml

from support.template import ROOT

BLUEPRINT = ROOT / "blueprints/fpso"
SENSORS: dict[str, Any] = yaml.safe_load((BLUEPRINT / "sensors.yaml").read_text())
MIDNIGHT = 1_772_323_200  # 2026-03-01


@pytest.fixture(scope="module")
def feed() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fpso_feed", BLUEPRINT / "feed.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_it_knows_the_sensors_of_the_blueprint(feed: ModuleType) -> None:
    assert len(SENSORS) == 100
    assert {sensor["metric"] for sensor in SENSORS.values()} == set(feed.PATTERNS)
    assert set(feed.FAULTS_OF) <= set(SENSORS)
    assert set(feed.VESSELS) == set(yaml.safe_load((BLUEPRINT / "sites.yaml").read_text()))


@pytest.mark.parametrize("id", ["alma-gas-comp-2.vibration", "brae-crude-pump-2.pressure", "alma-tank-2.level"])
def test_a_time_has_the_same_value_whenever_it_is_sent(feed: ModuleType, id: str) -> None:
    sensor = {"id": id, **SENSORS[id]}

    def values(start: int, end: int) -> dict[str, float]:
        return {item["time"]: item["value"] for item in feed.readings_of(sensor, start, end, 600)}

    day, part = values(MIDNIGHT, MIDNIGHT + 86_400), values(MIDNIGHT + 18_007, MIDNIGHT + 40_000)
    assert part.items() <= day.items()
    silent = 12 if id == "alma-tank-2.level" else 0
    assert len(day) == 144 - silent


def test_records_that_the_stream_refuses_are_put_again(feed: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "READINGS_OF_RECORD", 2)
    monkeypatch.setattr(feed.time, "sleep", lambda _: None)
    taken: list[Any] = []

    class BusyStream:
        """Takes every other record."""

        def put_records(self, **request: Any) -> dict[str, Any]:
            for record in request["Records"][::2]:
                taken.extend(json.loads(record["Data"]))
            count = len(request["Records"])
            return {
                "Records": [
                    {"ErrorCode": "ProvisionedThroughputExceededException"} if n % 2 else {} for n in range(count)
                ]
            }

    batch = [{"sensor": "a", "time": f"{n}", "value": n} for n in range(9)]
    assert feed.put(BusyStream(), "readings", batch) == 9
    assert sorted(item["value"] for item in taken) == list(range(9))
