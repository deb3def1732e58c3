"""The form of a file of new readings in the lake: the readings of one batch on one day, by sensor.

    length of the header as uint32 | header as JSON | for each sensor: its series | its positions as uint32

The header is `{"page", "sensors": [[id, bytes of the series, readings]]}`; `page` is the hash of the batch as received,
and positions are those in the batch. The whole is compressed with gzip.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from typing import NamedTuple

import orjson

from sluice.domain.series import Series
from sluice.domain.series_packing import pack_series, unpack_series

_LENGTH = struct.Struct("<I")


class SensorPart(NamedTuple):
    """The readings of one sensor in a file.

    Args:
        positions: where in the batch each of the readings was.
    """

    sensor: str
    series: Series
    positions: array[int]


def pack_new(page: str, parts: list[SensorPart]) -> bytes:
    """The content of a file; equal batches have equal files."""
    index, blobs = [], []
    for part in parts:
        packed = pack_series(part.series)
        index.append([part.sensor, len(packed), len(part.series)])
        blobs += [packed, part.positions.tobytes()]
    header = orjson.dumps({"page": page, "sensors": index})
    return b"".join((_LENGTH.pack(len(header)), header, *blobs))


def unpack_new(content: bytes, sensors: set[str] | None = None) -> tuple[str, Iterator[SensorPart]]:
    """The page and the readings of a file.

    Args:
        sensors: only these; None for all.
    """
    (length,) = _LENGTH.unpack_from(content)
    begin = _LENGTH.size + length
    header = orjson.loads(content[_LENGTH.size : begin])
    return header["page"], _parts(content, begin, header["sensors"], sensors)


def _parts(
    content: bytes, at: int, index: list[tuple[str, int, int]], sensors: set[str] | None
) -> Iterator[SensorPart]:
    for sensor, size, count in index:
        middle = at + size
        end = middle + count * 4
        if sensors is None or sensor in sensors:
            positions = array("I")
            positions.frombytes(content[middle:end])
            yield SensorPart(sensor, unpack_series(content[at:middle]), positions)
        at = end
