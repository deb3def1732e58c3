"""The binary form of series and rollups in DynamoDB and of new readings in the lake.

Numbers are little-endian, as on every processor that functions run on. A series of n readings is

    n as uint32 | n times as int64 | n values as float64 | marks as JSON

and a rollup's points, one after the other, are

    start as int64 | count as uint32 | number of parts as uint8 | min, max, last and parts as float64
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable

import orjson

from sluice.domain.rollup import Point
from sluice.domain.series import Mark, Series

_COUNT = struct.Struct("<I")
_POINT = struct.Struct("<qIBddd")
_DOUBLE = 8


def pack_series(series: Series) -> bytes:
    """A series as bytes; equal series are equal bytes."""
    marks = orjson.dumps([[time, *series.marks[time]] for time in sorted(series.marks)]) if series.marks else b""
    return b"".join((_COUNT.pack(len(series)), series.times.tobytes(), series.values.tobytes(), marks))


def unpack_series(packed: bytes) -> Series:
    """The series that `pack_series` has packed."""
    (count,) = _COUNT.unpack_from(packed)
    times, values = array("q"), array("d")
    middle = _COUNT.size + _DOUBLE * count
    end = middle + _DOUBLE * count
    times.frombytes(packed[_COUNT.size : middle])
    values.frombytes(packed[middle:end])
    marks = {time: Mark(quality, revision) for time, quality, revision in orjson.loads(packed[end:] or b"[]")}
    return Series(times, values, marks)


def pack_points(points: Iterable[Point]) -> bytes:
    """The points of a rollup as bytes."""
    return b"".join(
        _POINT.pack(point.start, point.readings, len(point.parts), point.min, point.max, point.last)
        + struct.pack(f"<{len(point.parts)}d", *point.parts)
        for point in points
    )


def unpack_points(packed: bytes) -> list[Point]:
    """The points that `pack_points` has packed."""
    points = []
    at = 0
    while at < len(packed):
        start, count, parts, low, high, last = _POINT.unpack_from(packed, at)
        at += _POINT.size
        points.append(Point(start, count, struct.unpack_from(f"<{parts}d", packed, at), low, high, last))
        at += _DOUBLE * parts
    return points
