"""Putting readings into their blocks, and computing again the rollups of the windows that they touch."""

from __future__ import annotations

import hashlib
import random
import time as clock
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from sluice.catalog.readings import LATEST, RAW, SPANS, Block, BlockKey, ReadingBlocks
from sluice.catalog.table import ConditionFailed
from sluice.domain.rollup import DAY, HOUR, MINUTE, SECOND, Point, combined, of_values
from sluice.domain.series import Series
from sluice.domain.series_packing import pack_points, pack_series, unpack_points, unpack_series
from sluice.errors import Unavailable

if TYPE_CHECKING:
    from sluice.lake.store import Lake
    from sluice.settings import Settings

# DynamoDB's limits: 100 items of 4 MB together in a transaction, 400 KB for each. A block that is larger than
# `_LARGEST_DATA` is stored in the lake.
_MAX_ITEMS = 100
_MAX_TRANSACTION_BYTES = 3_000_000
_LARGEST_DATA = 300_000
_ATTEMPTS = 12
# A block covers at most a day, and a clock may be ahead by less than a day: see `recent_since`.
_MARGIN_DAYS = 2


class WithLake(Protocol):
    """Has the lake."""

    @property
    def lake(self) -> Lake:
        """The lake."""
        ...


class Services(WithLake, Protocol):
    """What this module needs."""

    @property
    def settings(self) -> Settings:
        """The settings."""
        ...

    @property
    def reading_blocks(self) -> ReadingBlocks:
        """The blocks of recent readings."""
        ...


def recent_since(reading_days: int) -> int:
    """The time from which on every reading is in the blocks, whenever it arrived, in microseconds since 1970.

    A block expires `reading_days` after it was last written, and a reading arrives after its own time (a clock may be
    ahead by less than a day), so a block that covers at most a day and began later than this has not expired. The
    time is the start of a day, so that no rollup is in part older.
    """
    return (int(clock.time()) * SECOND // DAY - reading_days + _MARGIN_DAYS) * DAY


def store_recent(services: Services, sensors: Mapping[str, Series]) -> None:
    """Put readings into their blocks. Doing it again changes nothing.

    Readings before `recent_since` are left out, since their blocks may have expired; they are read from the lake. The
    latest reading of each sensor is noted whatever its time.

    Raises:
        Unavailable: other processes kept changing the same blocks.
    """
    since = recent_since(services.settings.reading_days)
    for units in _transactions(_units(sensors, since)):
        for attempt in range(_ATTEMPTS):
            try:
                _store(services, units)
                break
            except ConditionFailed:  # another process has changed one of the blocks
                clock.sleep(random.uniform(0, 0.02 * 2 ** min(attempt, 5)))  # noqa: S311 - guards nothing
        else:
            raise Unavailable("Too many processes change the same readings; try again.")


class _Unit:
    """The readings of one sensor in one hour, or its latest one only, which are stored in one transaction."""

    __slots__ = ("keys", "latest", "sensor", "windows")

    def __init__(self, sensor: str, windows: list[tuple[int, Series]], latest: Series) -> None:
        self.sensor = sensor
        self.windows = windows
        self.latest = latest
        self.keys = [BlockKey(sensor, RAW, start) for start, _ in windows]
        if windows:
            self.keys += [BlockKey.at(sensor, resolution, windows[0][0]) for resolution in ("1m", "1h", "1d")]
        self.keys.append(BlockKey(sensor, LATEST, 0))


def _units(sensors: Mapping[str, Series], since: int) -> Iterator[_Unit]:
    for sensor, series in sensors.items():
        old = series.between(series.times[0], since)
        if len(old) == len(series):
            yield _Unit(sensor, [], series)
            continue
        for _, hour in (series.between(since, series.times[-1] + 1) if len(old) else series).windows(HOUR):
            yield _Unit(sensor, list(hour.windows(SPANS[RAW])), hour)


def _transactions(units: Iterable[_Unit]) -> Iterator[list[_Unit]]:
    """Units in groups whose blocks fit into one transaction, as far as this can be told before they are read."""
    group: list[_Unit] = []
    keys: set[BlockKey] = set()
    for unit in units:
        if len(keys.union(unit.keys)) > _MAX_ITEMS:
            yield group
            group, keys = [], set()
        group.append(unit)
        keys.update(unit.keys)
    if group:
        yield group


def _store(services: Services, units: list[_Unit]) -> None:
    """Store some units in one transaction, or in one for each if their blocks are large.

    Raises:
        ConditionFailed: another process has written one of the blocks since it was read.
    """
    blocks = services.reading_blocks.read_to_change(list(dict.fromkeys(key for unit in units for key in unit.keys)))
    changed: dict[BlockKey, None] = {}
    for unit in units:
        changed |= dict.fromkeys(_put(services, blocks, unit))
    if not changed:
        return
    if len(units) > 1 and sum(_item_bytes(blocks[key]) for key in changed) > _MAX_TRANSACTION_BYTES:
        for unit in units:
            _store(services, [unit])
        return
    services.reading_blocks.write((key, blocks[key]) for key in changed)


def _put(services: Services, blocks: dict[BlockKey, Block], unit: _Unit) -> Iterator[BlockKey]:
    """Put the readings of a unit into blocks that were read, and yield the keys of those that change."""
    minutes: dict[int, Point | None] = {}
    for start, window in unit.windows:
        key = BlockKey(unit.sensor, RAW, start)
        before = unpack_series(data_of(services, blocks[key])) if blocks[key].version else Series()
        after = before.united_with(window)
        if after == before:
            continue
        _set_data(services, blocks[key], pack_series(after))
        yield key
        for minute, _ in window.windows(MINUTE):
            _, values = after.between(minute, minute + MINUTE).good()
            minutes[minute] = of_values(minute, values) if values else None
    if minutes:
        hour = BlockKey.at(unit.sensor, "1m", min(minutes))
        yield from _roll_up(blocks, hour, minutes)
    yield from _note_latest(blocks, unit)


def _roll_up(blocks: dict[BlockKey, Block], hour: BlockKey, minutes: dict[int, Point | None]) -> Iterator[BlockKey]:
    """Replace points of minutes in their block, then the hour's point in the day's, then the day's."""
    key, points = hour, minutes
    for coarser, width in (("1h", HOUR), ("1d", DAY), (None, 0)):
        block = blocks[key]
        stored = {point.start: point for point in unpack_points(block.data)}
        for start, point in points.items():
            if point is None:
                stored.pop(start, None)
            else:
                stored[start] = point
        packed = pack_points(stored[start] for start in sorted(stored))
        if packed == block.data:
            return  # the coarser ones are made of these, so they do not change either
        block.data = packed
        yield key
        if coarser is None:
            return
        start = min(points) // width * width
        finer = [stored[at] for at in sorted(stored) if start <= at < start + width]
        points = {start: combined(start, finer) if finer else None}
        key = BlockKey.at(hour.sensor, coarser, start)


def _note_latest(blocks: dict[BlockKey, Block], unit: _Unit) -> Iterator[BlockKey]:
    """Replace the latest reading if one of the unit is later, or another value of the same time that wins."""
    key = BlockKey(unit.sensor, LATEST, 0)
    block = blocks[key]
    held = unpack_series(block.data) if block.version else Series()
    after = held.united_with(unit.latest.between(unit.latest.times[-1], unit.latest.times[-1] + 1))
    newest = after.between(after.times[-1], after.times[-1] + 1)
    if newest != held:
        block.data = pack_series(newest)
        yield key


def data_of(services: WithLake, block: Block) -> bytes:
    """The content of a block, which is in the lake if it is large."""
    return services.lake.get(block.stored_at) if block.stored_at else block.data


def _item_bytes(block: Block) -> int:
    return 0 if block.stored_at else len(block.data)


def _set_data(services: WithLake, block: Block, data: bytes) -> None:
    block.data, block.stored_at = data, None
    if len(data) > _LARGEST_DATA:
        block.stored_at = f"readings/blocks/{hashlib.sha256(data).hexdigest()}"
        services.lake.put(block.stored_at, data)
