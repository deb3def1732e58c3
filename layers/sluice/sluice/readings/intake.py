"""Taking in a batch of readings, from whichever way it came.

The order makes each step safe to repeat: the batch as received, then its readings in the lake, then their blocks. A
process that is killed in between leaves a file that is not marked as applied; the batch comes again, or the sweep of
`readings.compaction` applies the file. Readings are sets, so nothing is counted twice.
"""

from __future__ import annotations

import hashlib
import io
import time as clock
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sluice.catalog.reading_files import NEW, ReadingFile, ReadingFiles
from sluice.domain.new_readings import SensorPart, pack_new
from sluice.domain.reading import ParsedBatch, format_time, parse_batch
from sluice.domain.rollup import DAY, SECOND
from sluice.lake.gzipped import compress
from sluice.readings.followers import apply
from sluice.readings.recent import Services as RecentServices

_THREADS = 8
Item = TypeVar("Item")
Result = TypeVar("Result")


class KnownSensors(Protocol):
    """Tells which sensors exist."""

    def unknown(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that are no sensor's."""
        ...


class Services(RecentServices, Protocol):
    """What this module needs."""

    @property
    def reading_files(self) -> ReadingFiles:
        """The lake's files of readings."""
        ...

    @property
    def known_sensors(self) -> KnownSensors:
        """Which sensors exist."""
        ...


@dataclass(frozen=True)
class Taken:
    """What became of a batch.

    Args:
        page: the hash of the batch as received.
        accepted: the number of readings that are stored now; a repeated one counts each time.
        refused: why others are not, by position.
    """

    page: str
    accepted: int
    refused: dict[int, str]


def take_in(services: Services, received: bytes, items: Iterable[tuple[int, Any]]) -> Taken:
    """Store the readings of a batch. It is safe to repeat, in whole and in part.

    Args:
        received: the batch as received.
        items: each reading as parsed JSON, with its position in the batch.

    Raises:
        Unavailable: a service throttled or failed; the batch must be sent again.
    """
    batch = parse_batch(items, _latest_allowed(services))
    batch.refuse_sensors(services.known_sensors.unknown(batch.sensors))
    page = services.lake.put_raw(io.BytesIO(received))
    store(services, page, batch)
    return Taken(page, batch.accepted, dict(sorted(batch.refused.items())))


def store(services: Services, page: str, batch: ParsedBatch) -> None:
    """Store the accepted readings of a batch in the lake and in the blocks.

    Args:
        page: the hash of the batch as received.
    """
    parts = {sensor: readings.series_with_positions() for sensor, readings in batch.sensors.items()}
    days = sorted(_by_day(parts).items())
    stored = _side_by_side(lambda day: _store_file(services, page, *day), days)
    readings = {sensor: series for sensor, (series, _) in parts.items()}
    pending = [file for file in stored if not file.applied]
    if pending:
        apply(services, readings)
        _side_by_side(lambda file: services.reading_files.mark_applied([file]), pending)


def _store_file(services: Services, page: str, day: str, of_day: list[SensorPart]) -> ReadingFile:
    """Store the readings of a batch on one day in the lake.

    Returns:
        The file as it is noted: one that was stored before may be applied.
    """
    packed = pack_new(page, of_day)
    digest = hashlib.sha256(packed).hexdigest()  # compressed bytes differ between processors
    content = compress(packed)
    key = f"readings/{NEW}/{day}/{digest}"
    services.lake.put(key, content)
    count = sum(len(part.series) for part in of_day)
    file = ReadingFile(day=day, part=NEW, sha256=digest, key=key, readings=count, bytes=len(content))
    (stored,) = services.reading_files.add([file])
    return stored


def _side_by_side(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Do the work for each of the items. Most batches have one day, but a sensor's history has thousands."""
    if len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(work, items))


def _by_day(parts: dict[str, Any]) -> dict[str, list[SensorPart]]:
    """The readings of each day (UTC), by its date."""
    days: dict[str, list[SensorPart]] = {}
    for sensor in sorted(parts):
        series, positions = parts[sensor]
        first = 0
        for start, window in series.windows(DAY):
            last = first + len(window)
            days.setdefault(format_time(start)[:10], []).append(SensorPart(sensor, window, positions[first:last]))
            first = last
    return days


def _latest_allowed(services: Services) -> int:
    return int(clock.time() + services.settings.max_clock_lead_seconds) * SECOND
