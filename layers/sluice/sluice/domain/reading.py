"""Readings as they arrive: `{"sensor", "time", "value", "quality", "revision"}`."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sluice.domain.rollup import DAY, SECOND
from sluice.domain.series import QUALITIES, Mark, Series, winners

# Sums of 100 million values of this size still fit into a double.
MAX_VALUE = 1e300
MAX_REVISION = 2**31 - 1
# Integers beyond this are not all doubles.
_EXACT_INTEGERS = 2**53
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The years 1 to 9999, in microseconds since 1970. An offset can lead out of them.
_EARLIEST, _LATEST = -62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1
_FIELDS = frozenset(["sensor", "time", "value", "quality", "revision"])
_CODES = {name: code for code, name in enumerate(QUALITIES)}
_SECONDS = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}"
_TIME = re.compile(rf"({_SECONDS})(?:\.([0-9]+))?([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})")
_FRACTION_DIGITS = 6
_SECONDS_END = len("2026-11-03T12:00:00")
_PLAIN = Mark()
_MAX_QUOTED = 60


class ReadingError(ValueError):
    """Why one reading cannot be accepted."""


@dataclass(frozen=True, slots=True)
class NotJson:
    """What cannot be parsed, in the place of a reading.

    Args:
        reason: the parser's message.
    """

    reason: str


@dataclass(slots=True)
class SensorReadings:
    """The readings of one sensor in a batch, in the order of their arrival.

    Args:
        times: microseconds since 1970.
        positions: the index of each in the batch.
        marks: by index in `times`, what is not plain.
    """

    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    marks: dict[int, Mark] = field(default_factory=dict)

    def series(self) -> Series:
        """The readings as a series: ordered, and one for each time."""
        return Series.of(self.times, self.values, self.marks)

    def series_with_positions(self) -> tuple[Series, array[int]]:
        """The readings as a series, and the position of each in the batch."""
        chosen = winners(self.times, self.values, self.marks)
        kept = self.positions if chosen is None else map(self.positions.__getitem__, chosen)
        return self.series(), array("I", kept)


@dataclass(slots=True)
class ParsedBatch:
    """A batch of readings, by sensor, and why others were refused, by position."""

    sensors: dict[str, SensorReadings] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """The number of accepted readings; a repeated one counts each time."""
        return sum(len(readings.times) for readings in self.sensors.values())

    def refuse_sensors(self, unknown: Iterable[str]) -> None:
        """Refuse the readings of sensors that do not exist."""
        for sensor in unknown:
            reason = f"There is no sensor {quoted(sensor)}. Create it, then redrive the record."
            for position in self.sensors.pop(sensor).positions:
                self.refused[position] = reason


def parse_batch(items: Iterable[tuple[int, Any]], latest: int) -> ParsedBatch:
    """Check readings, and group them by sensor.

    Args:
        items: each reading as parsed JSON, or `NotJson`, with its position.
        latest: readings after this time are refused, in microseconds since 1970.
    """
    batch = ParsedBatch()
    sensors, refused = batch.sensors, batch.refused
    # Parsing a time is the slowest part, and readings share most seconds and many fractions.
    seconds: dict[str, int] = {}
    tails: dict[str, int] = {}
    for position, item in items:
        try:
            name, text, value = item["sensor"], item["time"], item["value"]
            second, tail = seconds.get(text[:19]), tails.get(text[19:])
            if second is None or tail is None:
                second, tail = _time_parts(text)
                seconds[text[:19]], tails[text[19:]] = second, tail
            time = second + tail
            if not _EARLIEST <= time <= latest:
                raise ReadingError(_outside(text, time))
            if type(value) is not float or not -MAX_VALUE <= value <= MAX_VALUE:
                value = _number(value)
            mark = _mark(item) if len(item) > 3 else _PLAIN
            readings = sensors.get(name)
            if readings is None:
                if not isinstance(name, str):
                    raise ReadingError("`sensor` must be the id of a sensor, a text.")
                readings = sensors[name] = SensorReadings()
            if mark is not _PLAIN:
                readings.marks[len(readings.times)] = mark
            readings.times.append(time)
            readings.values.append(value + 0.0)  # -0.0 becomes 0.0
            readings.positions.append(position)
        except (ReadingError, TypeError, KeyError) as error:
            refused[position] = str(error) if isinstance(error, ReadingError) else _malformed(item)
    return batch


def reading_time(text: Any) -> int:
    """A time in RFC 3339 as microseconds since 1970.

    Raises:
        ReadingError: it is not such a time, or is finer than microseconds.
    """
    time = sum(_time_parts(text))
    if not _EARLIEST <= time <= _LATEST:
        raise ReadingError(_outside(text, time))
    return time


def _outside(text: str, time: int) -> str:
    """Why a time is not accepted that is too early or too late."""
    if _EARLIEST <= time <= _LATEST:
        return f"`time` {quoted(text)} is in the future; check the device's clock."
    return f"`time` {quoted(text)} is outside the years 1 to 9999 in UTC."


def _time_parts(text: Any) -> tuple[int, int]:
    """The microseconds of a time's whole seconds, and of its fraction less its offset."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ReadingError(f"`time` must be a time with its offset, such as 2026-11-03T12:00:00Z, not {quoted(text)}.")
    fraction = (match[2] or "").rstrip("0")
    if len(fraction) > _FRACTION_DIGITS:
        raise ReadingError("`time` is finer than microseconds.")
    try:
        gone = datetime.fromisoformat(match[1].upper() + "Z") - _EPOCH
        offset = datetime.fromisoformat("2000-01-01T00:00:00" + match[3].upper()).utcoffset() or timedelta()
    except ValueError:
        raise ReadingError(f"`time` {quoted(text)} is not a time that exists.") from None
    tail = int(fraction.ljust(_FRACTION_DIGITS, "0")) - offset // timedelta(microseconds=1)
    return (gone.days * DAY + gone.seconds * SECOND), tail


def format_time(time: int) -> str:
    """Microseconds since 1970 as RFC 3339 in UTC, with as many of six decimals as are needed in threes."""
    moment = datetime.fromtimestamp(time // SECOND, UTC).isoformat()[:_SECONDS_END]
    fraction = time % SECOND
    if not fraction:
        return f"{moment}Z"
    return f"{moment}.{fraction // 1000:03d}Z" if fraction % 1000 == 0 else f"{moment}.{fraction:06d}Z"


def quoted(value: Any) -> str:
    """A value for a message, shortened."""
    try:
        text = repr(value)
    except RecursionError:  # JSON may be nested deeper than Python writes it
        text = "what is nested so deeply"
    return text if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED] + "…"


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ReadingError(f"`value` must be a number, not {quoted(value)}.")
    if isinstance(value, int) and abs(value) > _EXACT_INTEGERS and _loses_digits(value):
        raise ReadingError("`value` has more digits than a double holds.")
    if not -MAX_VALUE <= value <= MAX_VALUE:
        raise ReadingError(f"`value` must be between -{MAX_VALUE:g} and {MAX_VALUE:g}.")
    return float(value)


def _loses_digits(value: int) -> bool:
    return abs(value) <= MAX_VALUE and int(float(value)) != value


def _mark(item: dict[str, Any]) -> Mark:
    unknown = item.keys() - _FIELDS
    if unknown:
        raise ReadingError(f"{quoted(min(unknown))} is not a field of a reading.")
    code = _CODES.get(item.get("quality", "good"))
    if code is None:
        raise ReadingError(f"`quality` must be one of {', '.join(QUALITIES)}.")
    revision = item.get("revision", 0)
    if type(revision) is not int or not 0 <= revision <= MAX_REVISION:
        raise ReadingError(f"`revision` must be a whole number from 0 to {MAX_REVISION}.")
    return Mark(code, revision) if code or revision else _PLAIN


def _malformed(item: Any) -> str:
    if isinstance(item, NotJson):
        return f"This is not JSON: {item.reason}."
    if not isinstance(item, dict):
        return f"A reading must be an object, not {quoted(item)}."
    missing = [f"`{name}`" for name in ("sensor", "time", "value") if name not in item]
    if missing:
        return f"The reading has no {' and no '.join(missing)}."
    return "`sensor`, `time` and `quality` must be texts."
