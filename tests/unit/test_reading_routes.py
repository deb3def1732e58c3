"""Reading readings and rollups back through the API."""

import time
from collections.abc import Iterator
from typing import Any

import botocore.client
import orjson
import pytest

from sluice.container import Container
from sluice.domain.reading import format_time
from sluice.domain.rollup import DAY, HOUR, MINUTE, SECOND
from sluice.readings.intake import take_in
from support.client import Client

# A whole day, which is in the blocks.
DAY_START = (int(time.time()) // 86_400 - 5) * DAY


@pytest.fixture(autouse=True)
def sensors(editor: Client) -> None:
    for site, code in (("S1", "P-1"), ("S2", "P-2")):
        assert editor.post("/sites", {"code": site, "type": "plant"}).status == 201
        assert editor.post(f"/sites/{site}/equipment", {"code": code}).status == 201
    for name, equipment, metric in (("a", "P-1", "temperature"), ("b", "P-1", "pressure"), ("c", "P-2", "pressure")):
        assert editor.post("/sensors", {"id": name, "equipment": equipment, "metric": metric}).status == 201


def send(services: Container, *readings: tuple[int, float] | dict[str, Any], sensor: str = "a") -> None:
    """Store readings at some microseconds after `DAY_START`."""
    items = [
        item
        if isinstance(item, dict)
        else {"sensor": sensor, "time": format_time(DAY_START + item[0]), "value": item[1]}
        for item in readings
    ]
    assert take_in(services, orjson.dumps(items), enumerate(items)).refused == {}


def between(start: int, end: int) -> str:
    return f"from={format_time(DAY_START + start)}&to={format_time(DAY_START + end)}"


def test_range_includes_its_start_and_not_its_end(services: Container, viewer: Client) -> None:
    marked = {"sensor": "a", "time": format_time(DAY_START + MINUTE), "value": 3, "quality": "bad", "revision": 2}
    send(services, (0, 1.5), (30 * SECOND, 2.5), marked, (2 * MINUTE, 4.0))
    answer = viewer.get(f"/sensors/a/readings?{between(0, 2 * MINUTE)}&resolution=raw")
    assert answer.json() == {
        "items": [
            {"time": format_time(DAY_START), "value": 1.5, "quality": "good"},
            {"time": format_time(DAY_START + 30 * SECOND), "value": 2.5, "quality": "good"},
            {"time": format_time(DAY_START + MINUTE), "value": 3.0, "quality": "bad", "revision": 2},
        ],
        "next": None,
        "resolution": "raw",
    }
    points = viewer.get(f"/sensors/a/readings?{between(0, 2 * MINUTE)}&resolution=1m").json()["items"]
    first = {"time": format_time(DAY_START), "avg": 2.0, "min": 1.5, "max": 2.5, "sum": 4.0, "count": 2, "last": 2.5}
    assert points == [first], "the bad reading is not counted"
    path = f"/sensors/a/readings?{between(-DAY, DAY)}&agg=count,%20last"
    for resolution in ("1h", "1d"):
        answer = viewer.get(f"{path}&resolution={resolution}").json()
        assert answer["items"] == [{"time": format_time(DAY_START), "count": 3, "last": 4.0}]


def test_resolution_is_the_finest_with_few_enough_points(services: Container, viewer: Client) -> None:
    services.settings = services.settings.model_copy(update={"reading_points": 48})
    bad = {"sensor": "a", "value": 0, "quality": "bad"}
    send(services, *((minute * MINUTE, float(minute)) for minute in range(60)))
    send(services, *({**bad, "time": format_time(DAY_START + DAY + at)} for at in range(49)))

    def chosen(start: int, end: int, more: str = "") -> tuple[str, int]:
        answer = viewer.get(f"/sensors/a/readings?{between(start, end)}{more}").json()
        assert answer["next"] is None
        return answer["resolution"], len(answer["items"])

    assert chosen(0, 48 * MINUTE) == ("raw", 48)
    assert chosen(0, 48 * MINUTE, "&agg=sum") == ("1m", 48)
    assert chosen(30 * SECOND, 49 * MINUTE) == ("raw", 48), (
        "the points are as many as the readings, but one is partly out"
    )
    assert chosen(0, 49 * MINUTE) == ("1h", 1)
    assert chosen(-DAY, DAY) == ("1h", 1)
    assert chosen(-2 * DAY, DAY) == ("1d", 1)
    assert chosen(DAY, DAY + HOUR) == ("1h", 0), "there are 49 readings, all bad"
    assert chosen(2 * DAY, 3 * DAY) == ("raw", 0)
    every = viewer.get("/sensors/a/readings?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59.999999Z").json()
    assert (every["resolution"], len(every["items"])) == ("1d", 1)
    page = viewer.get(f"/sensors/a/readings?{between(0, 48 * MINUTE)}&limit=10").json()
    rest = viewer.get(f"/sensors/a/readings?{between(0, 48 * MINUTE)}&limit=40&cursor={page['next']}").json()
    assert (page["resolution"], rest["resolution"]) == ("raw", "raw")
    assert [item["value"] for item in [*page["items"], *rest["items"]]] == list(map(float, range(48)))


@pytest.mark.parametrize("time", [0, MINUTE, -4000 * DAY], ids=["midnight", "minute", "in the lake"])
@pytest.mark.parametrize("resolution", ["", "&resolution=raw", "&resolution=1d"])
def test_a_period_that_ends_where_it_begins_is_empty(
    services: Container, viewer: Client, time: int, resolution: str
) -> None:
    send(services, (time, 1.0))
    answer = viewer.get(f"/sensors/a/readings?{between(time, time)}{resolution}")
    assert (answer.status, answer.json()["items"], answer.json()["next"]) == (200, [], None)


def test_pages_of_several_sensors(services: Container, viewer: Client) -> None:
    for sensor in "abc":
        send(services, *((hour * HOUR, 1.0) for hour in range(3)), sensor=sensor)

    def read(path: str, limit: int) -> Iterator[tuple[str, str]]:
        cursor = ""
        while cursor is not None:
            page = viewer.get(f"{path}&limit={limit}{cursor and f'&cursor={cursor}'}").json()
            assert len(page["items"]) <= limit
            yield from ((item["sensor"], item["time"]) for item in page["items"])
            cursor = page["next"]

    hours = [format_time(DAY_START + hour * HOUR) for hour in range(3)]
    for query, names in (
        ("", "abc"),
        ("&site=S1", "ab"),
        ("&site=S1&metric=pressure", "b"),
        ("&equipment=P-2", "c"),
        ("&site=S1&equipment=P-2", ""),
        ("&sensor=c&sensor=a", "ac"),
        ("&sensor=c&sensor=a&site=S2", "c"),
        ("&sensor=c&equipment=P-1", ""),
        ("&sensor=unknown&sensor=", ""),
        ("&site=unknown", ""),
    ):
        path = f"/readings?{between(0, DAY)}&resolution=1h{query}"
        for limit in (2, 3, 100):
            assert list(read(path, limit)) == [(name, hour) for name in names for hour in hours]
    chosen = viewer.get(f"/readings?{between(0, DAY)}&limit=4").json()
    assert (chosen["resolution"], len(chosen["items"])) == ("raw", 4)
    other = viewer.get(f"/readings?{between(0, DAY)}&site=S1&cursor={chosen['next']}")
    assert other.status == 422, "the cursor is of another list"
    services.settings = services.settings.model_copy(update={"max_read_sensors": 2})
    assert "more than 2 sensors" in viewer.get("/readings").json()["detail"]


def test_latest_is_by_the_time_of_the_reading(services: Container, viewer: Client) -> None:
    send(services, (2 * HOUR, 5.0))
    send(services, (HOUR, 4.0))
    send(services, {"sensor": "c", "time": "2019-01-01T00:00:00Z", "value": 7, "quality": "uncertain"})
    a = {"sensor": "a", "time": format_time(DAY_START + 2 * HOUR), "value": 5.0, "quality": "good"}
    c = {"sensor": "c", "time": "2019-01-01T00:00:00Z", "value": 7.0, "quality": "uncertain"}
    assert viewer.get("/readings/latest").json() == {"items": [a, c], "next": None}, "b has none"
    assert viewer.get("/readings/latest?site=S1").json()["items"] == [a]
    assert viewer.get("/readings/latest?metric=pressure").json()["items"] == [c]
    first = viewer.get("/readings/latest?limit=1").json()
    second = viewer.get(f"/readings/latest?limit=2&cursor={first['next']}").json()
    assert (first["items"], second) == ([a], {"items": [c], "next": None})


def test_csv(services: Container, viewer: Client) -> None:
    send(services, (0, 1e-7), (MINUTE, 2.0))
    send(services, {"sensor": "b", "time": format_time(DAY_START), "value": 3, "revision": 1})
    at = [format_time(DAY_START), format_time(DAY_START + MINUTE)]
    answer = viewer.get(f"/sensors/a/readings?{between(0, HOUR)}&format=csv")
    assert answer.text == f"time,value,quality,revision\r\n{at[0]},0.0000001,good,\r\n{at[1]},2.0,good,\r\n"
    assert answer.headers["X-Sluice-Resolution"] == "raw"
    answer = viewer.get(f"/readings?{between(0, HOUR)}&format=csv&resolution=1h&agg=count,max&limit=1")
    assert answer.text == f"sensor,time,count,max\r\na,{at[0]},2,2.0\r\n"
    cursor = answer.headers["X-Sluice-Next"]
    answer = viewer.get(f"/readings?{between(0, HOUR)}&format=csv&resolution=1h&agg=count,max&cursor={cursor}")
    assert answer.text == f"sensor,time,count,max\r\nb,{at[0]},1,3.0\r\n"
    assert "X-Sluice-Next" not in answer.headers
    answer = viewer.get("/readings/latest?format=csv&sensor=b")
    assert answer.text == f"sensor,time,value,quality\r\nb,{at[0]},3.0,good\r\n"


def test_range_ends_now_and_begins_a_day_before_its_end(services: Container, viewer: Client) -> None:
    moment = int(time.time()) * SECOND - DAY_START
    send(services, (moment - DAY - MINUTE, 1.0), (moment - DAY + MINUTE, 2.0), (moment, 3.0), (moment + MINUTE, 4.0))
    values = [item["value"] for item in viewer.get("/sensors/a/readings").json()["items"]]
    assert values == [2.0, 3.0]
    values = viewer.get(f"/sensors/a/readings?to={format_time(DAY_START + moment)}").json()["items"]
    assert [item["value"] for item in values] == [2.0]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=yesterday", "?from"),
        ("to=2026-01-01", "?to"),
        ("from=0001-01-01T00:00:00%2B01:00", "?from"),
        ("from=2026-01-01T00:00:01Z&to=2026-01-01T00:00:00Z", "?from"),
        ("from=2199-01-01T00:00:00Z", "?from"),
        ("resolution=2h", "?resolution"),
        ("agg=median", "?agg"),
        ("agg=", "?agg"),
        ("agg=avg&resolution=raw", "?agg"),
        ("limit=50001", "?limit"),
        ("format=xlsx", "?format"),
        ("cursor=x", "?cursor"),
        ("site=S1", "?site"),
    ],
)
def test_parameters_that_are_refused(viewer: Client, query: str, pointer: str) -> None:
    answer = viewer.get(f"/sensors/a/readings?{query}")
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, pointer)


@pytest.mark.parametrize("path", ["/readings", "/readings/latest", "/sensors", "/equipment", "/operations", "/alarms"])
def test_what_cannot_be_a_code_is_refused(viewer: Client, path: str) -> None:
    answer = viewer.get(f"{path}?site={'S' * 3000}")
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "?site")


def test_sensor_that_does_not_exist(viewer: Client) -> None:
    assert viewer.get("/sensors/unknown/readings").status == 404
    assert Client().get("/sensors/a/readings").status == 401


def test_a_month_by_hour_is_one_query(services: Container, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(-25, 5):
        send(services, *((day * DAY + hour * HOUR, float(hour)) for hour in range(24)))
    path = f"/sensors/a/readings?{between(-25 * DAY, 5 * DAY)}&resolution=1h"
    calls: list[tuple[str, str]] = []
    original = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined] # private

    def note(client: Any, operation: str, arguments: Any) -> Any:
        calls.append((operation, arguments.get("TableName", "")))
        return original(client, operation, arguments)

    with monkeypatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", note)
        answer = viewer.get(path).json()
    assert (len(answer["items"]), answer["next"]) == (720, None)
    assert [item["last"] for item in answer["items"][:24]] == list(map(float, range(24)))
    assert [call for call in calls if call[1] == services.settings.readings_table] == [
        ("Query", services.settings.readings_table)
    ]
    assert not {"Scan", "GetObject", "ListObjectsV2"} & {operation for operation, _ in calls}
