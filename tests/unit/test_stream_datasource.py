"""Readings as a dataset: merged, modelled, explained and replayed like any other."""

import time
from typing import Any

import pytest

from sluice.container import Container
from sluice.domain.reading import format_time
from sluice.domain.rollup import DAY, HOUR, SECOND
from support.client import Client
from support.documents import ingest, refresh, rows

MERGE = {"strategy": "union", "key": ["sensor", "time"]}
HOUR_START = (int(time.time()) - 7200) * SECOND // HOUR * HOUR


@pytest.fixture(autouse=True)
def sensors(services: Container) -> None:
    services.definitions.create("equipment", "PUMP-1", {"code": "PUMP-1", "site": "FPSO-1"}, "tests")
    for name, metric in (("p1.t", "temperature"), ("p1.p", "pressure")):
        document = {"id": name, "equipment": "PUMP-1", "metric": metric, "unit": "K"}
        services.definitions.create("sensor", name, document, "tests")


def post(editor: Client, *readings: tuple[str, int, float]) -> None:
    sent = [
        {"sensor": name, "time": format_time(HOUR_START + at * SECOND), "value": value} for name, at, value in readings
    ]
    assert editor.post("/readings", sent).json()["refused"] == []


def put_datasource(editor: Client, slug: str = "pumps", **stream: Any) -> None:
    answer = editor.put(f"/datasources/{slug}", {"name": slug, "kind": "stream", "stream": stream})
    assert answer.status == 201, answer.text


def test_rollups_are_a_dataset_that_late_readings_correct(editor: Client) -> None:
    post(editor, ("p1.t", 0, 300.0), ("p1.t", 60, 301.0), ("p1.p", 0, 5.0))
    put_datasource(editor, metrics=["temperature"])
    assert ingest(editor, "pumps")["status"] == "succeeded"
    (row,) = rows(editor, "datasources/pumps")
    assert row == {
        "sensor": "p1.t",
        "equipment": "PUMP-1",
        "site": "FPSO-1",
        "metric": "temperature",
        "unit": "K",
        "time": format_time(HOUR_START),
        "avg": 300.5,
        "min": 300.0,
        "max": 301.0,
        "sum": 601.0,
        "count": 2,
        "last": 301.0,
    }
    editor.put("/projects/plant", {"name": "plant", "merge": MERGE, "refresh_on": "manual"})
    editor.put("/projects/plant/datasources/pumps", {})
    model = {"sql": "SELECT site, max(avg) AS hottest FROM pumps WHERE time > '2020-01-01' GROUP BY site"}
    assert editor.put("/projects/plant/models/hottest", model).status == 201
    post(editor, ("p1.t", 30, 308.0))
    assert refresh(editor, "plant", ingest="all")["status"] == "succeeded"
    assert rows(editor, "projects/plant/models/hottest") == [{"site": "FPSO-1", "hottest": 303.0}]
    assert len(rows(editor, "datasources/pumps")) == 1
    explained = editor.get(f"/projects/plant/explain?key=p1.t&key={format_time(HOUR_START)}").json()
    (winner,) = explained["fields"]["max"]["winners"]
    assert (winner["value"], winner["page"]["url"], winner["pointer"]) == (308.0, "stream:p1.t", "/0/max")
    replayed = ingest(editor, "pumps", {"replay": 1})
    assert (replayed["status"], rows(editor, "datasources/pumps")[0]["count"]) == ("succeeded", 2)


def test_raw_readings_previews_and_checks(editor: Client) -> None:
    post(editor, ("p1.t", 0, 300.0), ("p1.p", 0, 5.0), ("p1.p", 1, 6.0))
    put_datasource(editor, resolution="raw", sites=["FPSO-1"], days=1)
    assert editor.post("/datasources/pumps/check").json()["records"] == 2
    records = editor.post("/datasources/pumps/preview?pages=2").json()["records"]
    assert [(record["sensor"], record["value"], record["quality"]) for record in records] == [
        ("p1.p", 5.0, "good"),
        ("p1.p", 6.0, "good"),
        ("p1.t", 300.0, "good"),
    ]
    assert ingest(editor, "pumps")["rows"] == 3
    put_datasource(editor, "none", sensors=["p9"])
    assert ingest(editor, "none")["status"] == "succeeded"


def test_days_that_have_left_the_blocks_come_from_the_lake(editor: Client) -> None:
    old = {"sensor": "p1.t", "time": format_time(HOUR_START - 100 * DAY), "value": 290.0}
    assert editor.post("/readings", [old]).json()["accepted"] == 1
    post(editor, ("p1.t", 0, 300.0))
    put_datasource(editor, days=120)
    assert ingest(editor, "pumps")["status"] == "succeeded"
    assert [(row["time"], row["sum"]) for row in rows(editor, "datasources/pumps")] == [
        (old["time"], 290.0),
        (format_time(HOUR_START), 300.0),
    ]
