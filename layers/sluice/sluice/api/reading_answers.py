"""Answers with readings of sensors, and with their rollups."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Sequence
from typing import Any

from sluice.api.call import Answer, Call
from sluice.api.routes import CURSOR, Parameter
from sluice.container import Container
from sluice.domain.reading import ReadingError, format_time, reading_time
from sluice.domain.rollup import AGGREGATES, DAY, RESOLUTIONS, SECOND, Point
from sluice.errors import Invalid
from sluice.readings.latest import latest
from sluice.readings.reader import Place, ReadingPage, ReadingQuery, Row, read_page
from sluice.readings.selection import Selection, selected_sensors
from sluice.reads.csv_text import csv_header, csv_rows

_RESOLUTIONS = ("raw", *RESOLUTIONS)
_FORMATS = ("json", "csv")
_LIMIT = Parameter(
    "limit",
    "The most items of a page; default: 2000, or 50000 for CSV.",
    {"type": "integer", "minimum": 1, "maximum": 50_000},
)
_FORMAT = Parameter(
    "format", "The format of the answer.", {"type": "string", "enum": list(_FORMATS), "default": "json"}
)
PAGE_PARAMETERS = [_LIMIT, CURSOR, _FORMAT]
RANGE_PARAMETERS = [
    Parameter("from", "The first time, RFC 3339; default: 24 hours before `to`."),
    Parameter("to", "The time before which the range ends, RFC 3339; default: now."),
    Parameter(
        "resolution",
        "The width of a point; default: the finest of which the range has at most 2000, `raw` included unless `agg` is "
        "sent.",
        {"type": "string", "enum": list(_RESOLUTIONS)},
    ),
    Parameter("agg", f"The aggregates of a point, separated by commas, of {', '.join(AGGREGATES)}; default: all."),
    *PAGE_PARAMETERS,
]
SELECTION_PARAMETERS = [
    Parameter("site", "Only sensors of equipment at this site."),
    Parameter("equipment", "Only sensors of this equipment."),
    Parameter("metric", "Only sensors that measure this."),
    Parameter("sensor", "Only this sensor; repeats mean OR.", repeated=True),
]
MEDIA_TYPES = ("application/json", "text/csv")
# The type of a column of CSV, if it is not a number.
_TEXTS = {"sensor": "string", "time": "string", "quality": "string"}


def selection_of(call: Call) -> Selection:
    """The sensors that the query parameters describe."""
    return Selection(
        site=call.code("site"),
        equipment=call.code("equipment"),
        metric=call.query_value("metric"),
        sensors=sorted(set(call.query_values("sensor"))),
    )


def sensor_answer(call: Call, services: Container, sensor: str) -> Answer:
    """Readings or points of one sensor.

    Raises:
        Invalid: a parameter is not valid.
    """
    return _range_answer(call, services, ["sensor", sensor], lambda: [sensor], with_sensor=False)


def selection_answer(call: Call, services: Container) -> Answer:
    """Readings or points of several sensors, ordered by sensor and time.

    Raises:
        Invalid: a parameter is not valid, or the sensors are too many.
    """
    selection = selection_of(call)
    bound = ["selection", selection.site, selection.equipment, selection.metric, selection.sensors]
    return _range_answer(call, services, bound, lambda: selected_sensors(services, selection), with_sensor=True)


def latest_answer(call: Call, services: Container) -> Answer:
    """The latest readings of several sensors, ordered by sensor; those without a reading are left out.

    Raises:
        Invalid: a parameter is not valid, or the sensors are too many.
    """
    selection, limit = selection_of(call), _limit(call)
    bound = ["latest", selection.site, selection.equipment, selection.metric, selection.sensors]
    after = services.cursors.open(bound, call.query_value("cursor")) or ""
    sensors = [sensor for sensor in selected_sensors(services, selection) if sensor > after]
    readings = latest(services, sensors[:limit])
    items = [
        {"sensor": sensor, "time": format_time(reading.time), "value": reading.value, "quality": reading.quality}
        for sensor, reading in sorted(readings.items())
    ]
    following = services.cursors.seal(bound, sensors[limit - 1]) if len(sensors) > limit else None
    return _answer(call, {"items": items, "next": following}, ["sensor", "time", "value", "quality"], "latest")


def _range_answer(
    call: Call, services: Container, bound: list[Any], sensors: Callable[[], Sequence[str]], *, with_sensor: bool
) -> Answer:
    names = _aggregates(call)
    requested = {name: call.query_value(name) for name in ("from", "to", "resolution", "agg")}
    bound = ["readings", bound, requested]
    position = services.cursors.open(bound, call.query_value("cursor"))
    if position:
        # Of the first page: its choice of the resolution, and what was now then.
        start, end, resolution, sensor, time = position
        place = Place(sensor, time)
    else:
        (start, end), resolution, place = _range(call), _resolution(call), None
    query = ReadingQuery(sensors(), start, end, resolution, raw=requested["agg"] is None)
    page = read_page(services, query, _limit(call), place)
    following = page.following
    cursor = services.cursors.seal(bound, [start, end, page.resolution, *following]) if following else None
    columns = ["time", "value", "quality", "revision"] if page.resolution == "raw" else ["time", *names]
    items = _items(page, names, with_sensor=with_sensor)
    body = {"items": items, "next": cursor, "resolution": page.resolution}
    return _answer(call, body, ["sensor", *columns] if with_sensor else columns, page.resolution)


def _items(page: ReadingPage, names: Sequence[str], *, with_sensor: bool) -> list[dict[str, Any]]:
    return [({"sensor": sensor} if with_sensor else {}) | _item(row, names) for sensor, row in page.rows]


def _item(row: Row, names: Sequence[str]) -> dict[str, Any]:
    time = format_time(row.start)
    if isinstance(row, Point):
        return {"time": time, **row.aggregates(names)}
    item = {"time": time, "value": row.value, "quality": row.quality}
    return {**item, "revision": row.revision} if row.revision else item


def _answer(call: Call, body: dict[str, Any], columns: Sequence[str], name: str) -> Answer:
    """The items as JSON, or as CSV with the other fields in headers."""
    if call.choice("format", _FORMATS, "json") == "json":
        return Answer(body)
    types = [_TEXTS.get(column, "double") for column in columns]
    rows = csv_rows(types, ([item.get(column) for column in columns] for item in body["items"]))
    headers = {f"X-Sluice-{field.title()}": body[field] for field in ("next", "resolution") if body.get(field)}
    content = (csv_header(columns) + rows).encode()
    return Answer(content, headers=headers, media_type="text/csv; charset=utf-8", filename=f"readings-{name}.csv")


def _range(call: Call) -> tuple[int, int]:
    """The range of time, in microseconds since 1970."""
    end = _time(call, "to")
    end = int(clock.time() * SECOND) if end is None else end
    start = _time(call, "from")
    start = end - DAY if start is None else start
    if start > end:
        message = "`from` must not be after `to`, which is now if it is not sent."
        raise Invalid(message, [{"pointer": "?from", "message": message}])
    return start, end


def _time(call: Call, name: str) -> int | None:
    text = call.query_value(name)
    try:
        return None if text is None else reading_time(text)
    except ReadingError as error:
        message = str(error).replace("`time`", f"`{name}`")
        raise Invalid(message, [{"pointer": f"?{name}", "message": message}]) from None


def _resolution(call: Call) -> str | None:
    if call.query_value("resolution") is None:
        return None
    return call.choice("resolution", _RESOLUTIONS, "raw")


def _aggregates(call: Call) -> Sequence[str]:
    text = call.query_value("agg")
    if text is None:
        return AGGREGATES
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    message = None
    if not set(names) <= set(AGGREGATES):
        message = f"`agg` must be some of {', '.join(AGGREGATES)}, separated by commas."
    elif call.query_value("resolution") == "raw":
        message = "Readings have no aggregates; leave out `agg`, or send another `resolution`."
    if message is not None:
        raise Invalid(message, [{"pointer": "?agg", "message": message}])
    return names


def _limit(call: Call) -> int:
    """The size of a page; that of CSV is large, since a program that reads CSV seldom follows `next`."""
    settings = call.settings
    is_csv = call.query_value("format") == "csv"
    default = settings.max_reading_points if is_csv else settings.reading_points
    return call.integer("limit", default, 1, settings.max_reading_points)
