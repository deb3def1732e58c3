"""Sensors: reading their readings back, and sending new ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, Unpack

from sluice_client._connection import decoded, segment
from sluice_client._errors import PushInterrupted, SluiceError
from sluice_client._handles import Handle, Texts
from sluice_client._push import batches
from sluice_client._result import Rows

if TYPE_CHECKING:
    from sluice_client._client import Sluice
    from sluice_client.types import RefusedReading, ResultColumn, SensorView

Resolution: TypeAlias = Literal["raw", "1m", "1h", "1d"]
_AGGREGATES = ("avg", "min", "max", "sum", "count", "last")
_TYPES = {"sensor": "string", "time": "timestamp", "quality": "string", "count": "bigint", "revision": "bigint"}
# The most readings of a page.
_PAGE_READINGS = 20_000


class Period(TypedDict, total=False):
    """Which readings to read.

    Args:
        start: the first time, a datetime or RFC 3339 text; default: 24 hours before `end`.
        end: the time before which the period ends; default: now.
        resolution: `raw`, `1m`, `1h` or `1d`; default: the finest of which the period has at most 2000 points.
        agg: the aggregates of a point: `avg`, `min`, `max`, `sum`, `count` and `last`; default: all of them.
        limit: the most readings or points; default: all of them.
    """

    start: datetime | str | None
    end: datetime | str | None
    resolution: Resolution | None
    agg: Texts | None
    limit: int | None


class Readings(Rows):
    """Readings of sensors, or points of a minute, hour or day, by sensor and time; a sequence of dictionaries.

    Args:
        items: the readings or points.
        columns: the name and the type of each column.
        truncated: whether there are more of them than the `limit`.
        resolution: the width of a point, or `raw`.
    """

    def __init__(
        self, items: list[dict[str, Any]], columns: list[ResultColumn], truncated: bool, resolution: Resolution
    ) -> None:
        super().__init__(items, columns, truncated)
        self.resolution = resolution


class Sensor(Handle["SensorView"]):
    """A sensor.

    Args:
        sluice: the client.
        id: the sensor's id.
    """

    def __init__(self, sluice: Sluice, id: str) -> None:
        super().__init__(sluice, f"/sensors/{segment(id)}", id)

    def readings(self, **period: Unpack[Period]) -> Readings:
        """The sensor's readings, or points of them, over all pages.

        Args:
            period: `start`, `end`, `resolution`, `agg` and `limit`, see `Period`.

        Raises:
            NotFound: the sensor does not exist.
            ValidationError: an argument is not valid.
        """
        return read_readings(self._sluice, f"{self._path}/readings", [], {}, period)


@dataclass(frozen=True)
class SentReadings:
    """What became of readings that were sent.

    Args:
        accepted: how many are stored.
        refused: the others, each with its `index` among all that were sent, and a `message`.
    """

    accepted: int
    refused: tuple[RefusedReading, ...]


def read_readings(sluice: Sluice, path: str, names: list[str], params: dict[str, Any], period: Period) -> Readings:
    """Readings or points, over all pages of a list.

    Args:
        sluice: the client.
        path: below `/v1`.
        names: columns before the time.
        params: query parameters besides those of the period.
        period: which readings.
    """
    agg, limit = period.get("agg"), period.get("limit")
    agg = agg if agg is None or isinstance(agg, str) else ",".join(agg)
    query = {
        **params,
        "from": period.get("start"),
        "to": period.get("end"),
        "resolution": period.get("resolution"),
        "agg": agg,
    }
    items: list[dict[str, Any]] = []
    following: str | None = None
    resolution: Resolution
    while True:
        size = _PAGE_READINGS if limit is None else min(limit - len(items), _PAGE_READINGS)
        page = sluice.get(path, **query, limit=size, cursor=following)
        items += page["items"]
        following, resolution = page["next"], page["resolution"]
        if following is None or len(items) == limit:
            break
    if resolution == "raw":
        fields = ["value", "quality", "revision"]
        for item in items:
            item.setdefault("revision", 0)
    else:
        fields = list(_AGGREGATES) if agg is None else list(dict.fromkeys(name.strip() for name in agg.split(",")))
    columns: list[ResultColumn] = [
        {"name": name, "type": _TYPES.get(name, "double")} for name in [*names, "time", *fields]
    ]
    return Readings(items, columns, following is not None, resolution)


def send_readings(sluice: Sluice, readings: Iterable[Any]) -> SentReadings:
    """Send readings in batches; see `Sluice.send_readings`."""
    accepted, refused, sent = 0, list[Any](), 0
    pieces: Iterator[bytes] = batches(readings)
    headers = {"Content-Type": "application/x-ndjson"}
    while True:
        try:
            batch = next(pieces, b"")
            if not batch:
                return SentReadings(accepted, tuple(refused))
            receipt = decoded(sluice.request("POST", "/readings", content=batch, headers=headers))
        except (SluiceError, TypeError, ValueError) as error:
            if sent == 0:
                raise
            raise PushInterrupted(accepted, [], str(error), sent) from error
        accepted += receipt["accepted"]
        refused += [{**item, "index": item["index"] + sent} for item in receipt["refused"]]
        sent += batch.count(b"\n")
