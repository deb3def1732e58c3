"""The table `Readings`: recent readings and their rollups, in blocks.

An item is a block: the readings of one sensor in ten minutes, or its rollups of one resolution in a longer span.
Its key is `workspace#sensor#resolution` / the block's start, so that a sensor's readings or rollups of a month are
one query. The latest reading of a sensor is an item of its own. Blocks expire some days after they were last
written, which is counted from the arrival of readings, not from the time of the readings.
"""

from __future__ import annotations

import time as clock
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sluice.catalog.table import Item, Table, Write
from sluice.catalog.transactions import MAX_BATCH_ITEMS, batch_get, transact
from sluice.domain.reading import format_time
from sluice.domain.rollup import DAY, HOUR, MINUTE

LATEST = "latest"
RAW = "raw"
# How much time a block covers, by resolution, in microseconds. A month is counted as 32 days: days are grouped by
# the number of the day since 1970 divided by 32.
SPANS = {RAW: 10 * MINUTE, "1m": HOUR, "1h": DAY, "1d": 32 * DAY}


# What a process keeps of the blocks that it wrote: it usually changes the same ones with the next batch.
_MOST_KEPT = 20_000
_LARGEST_KEPT = 4_096
_KEPT_SECONDS = 300.0


class BlockKey(NamedTuple):
    """Identifies a block.

    Args:
        sensor: the sensor's id.
        resolution: a key of `SPANS`, or `latest`.
        start: in microseconds since 1970, a multiple of the resolution's span; 0 for `latest`.
    """

    sensor: str
    resolution: str
    start: int

    @classmethod
    def at(cls, sensor: str, resolution: str, time: int) -> BlockKey:
        """The block that covers a time."""
        span = SPANS[resolution]
        return cls(sensor, resolution, time // span * span)


@dataclass(slots=True)
class Block:
    """A stored block.

    Args:
        version: the number of times that it was written; 0 if it is not stored.
        data: its content, packed.
        stored_at: the key of the object in the lake that has the content, if it is too large for an item.
    """

    version: int = 0
    data: bytes = b""
    stored_at: str | None = None


class ReadingBlocks:
    """The blocks of a workspace.

    Args:
        days: how long a block is kept after its last write.
    """

    def __init__(self, table: Table, workspace: str, days: int) -> None:
        self._table = table
        self._workspace = workspace
        self._days = days
        self._kept: dict[BlockKey, tuple[float, Block]] = {}

    def _key(self, key: BlockKey) -> Item:
        start = LATEST if key.resolution == LATEST else format_time(key.start)
        return {"workspace_series": self._partition(key.sensor, key.resolution), "time": start}

    def _partition(self, sensor: str, resolution: str) -> str:
        return f"{self._workspace}#{sensor}#{resolution}"

    def read(self, keys: Sequence[BlockKey]) -> dict[BlockKey, Block]:
        """Blocks, read consistently; those that do not exist are empty and have version 0."""
        blocks: dict[BlockKey, Block] = {}
        for first in range(0, len(keys), MAX_BATCH_ITEMS):
            some = keys[first : first + MAX_BATCH_ITEMS]
            items = batch_get(self._table.client, [(self._table, self._key(key)) for key in some])
            blocks |= {key: _block(item) for key, item in zip(some, items, strict=True)}
        return blocks

    def read_to_change(self, keys: Sequence[BlockKey]) -> dict[BlockKey, Block]:
        """Blocks to be changed by `write`, as this process wrote them last, if that was lately.

        Another process may have changed a block since; then `write` fails, and this reads it anew. A block is never
        less than it was, so that a reading that it has need not be added, whether it has changed since or not.
        """
        moment = clock.monotonic()
        kept = {key: self._kept[key] for key in keys if key in self._kept}
        blocks = {key: replace(block) for key, (until, block) in kept.items() if until > moment}
        return blocks | self.read([key for key in keys if key not in blocks])

    def write(self, changes: Iterable[tuple[BlockKey, Block]]) -> None:
        """Store blocks, all or none.

        Args:
            changes: at most 100, each with the version that was read.

        Raises:
            ConditionFailed: another process has written one of them since it was read.
            Unavailable: DynamoDB throttled, or another transaction holds a block; try again.
        """
        blocks = list(changes)
        for key, _ in blocks:
            self._kept.pop(key, None)
        if len(self._kept) + len(blocks) > _MOST_KEPT:
            self._kept.clear()
        transact(self._table.client, [self._write(key, block) for key, block in blocks])
        until = clock.monotonic() + _KEPT_SECONDS
        for key, block in blocks:
            if len(block.data) <= _LARGEST_KEPT:
                self._kept[key] = until, replace(block, version=block.version + 1)

    def _write(self, key: BlockKey, block: Block) -> Write:
        item: Item = {**self._key(key), "version": block.version + 1, "stored_at": block.stored_at}
        item["data"] = block.data if block.stored_at is None else None
        if key.resolution != LATEST:
            item["expires_at"] = int(clock.time()) + self._days * 86400
        if block.version == 0:
            return self._table.put(item, "attribute_not_exists(#time)")
        return self._table.put(item, "#version = :read", {"read": block.version})

    def between(self, sensor: str, resolution: str, start: int, end: int) -> Iterator[Block]:
        """The blocks of a sensor that have something of `start <= time < end`, in order: one query."""
        first, last = (BlockKey.at(sensor, resolution, time).start for time in (start, end - 1))
        condition = "#workspace_series = :pk AND #time BETWEEN :first AND :last"
        values = {"pk": self._partition(sensor, resolution), "first": format_time(first), "last": format_time(last)}
        for item in self._table.query_all(condition, values):
            yield _block(item)


def _block(item: Item | None) -> Block:
    if item is None:
        return Block()
    return Block(item["version"], item.get("data", b""), item.get("stored_at"))
