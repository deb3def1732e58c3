"""The function `readings` on batches of a stream: `readings_ours.py SENSORS SECONDS BATCHES WRITES`.

Without writes, what it reads and writes is kept in this process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from copy import copy
from typing import IO, Any

from benchmarks.peers.readings_stream import Event, batches, report, sensor_ids
from readings.app import handler
from sluice.catalog.reading_files import ReadingFile
from sluice.catalog.readings import Block, BlockKey
from sluice.container import Container, container
from sluice.lake.gzipped import compress
from sluice.lake.store import sha256_of


class MemoryBlocks:
    """Blocks of readings."""

    def __init__(self) -> None:
        self._blocks: dict[BlockKey, Block] = {}

    def read_to_change(self, keys: Sequence[BlockKey]) -> dict[BlockKey, Block]:
        """Blocks as they are."""
        return {key: copy(self._blocks.get(key, Block())) for key in keys}

    def write(self, changes: Iterable[tuple[BlockKey, Block]]) -> None:
        """Store blocks."""
        for key, block in changes:
            block.version += 1
            self._blocks[key] = block


class MemoryFiles:
    """The lake's list of files."""

    def add(self, files: Iterable[ReadingFile]) -> list[ReadingFile]:
        """The files, none of which is known."""
        return list(files)

    def mark_applied(self, files: Iterable[ReadingFile]) -> None:
        """Note nothing."""


class ForgetfulLake:
    """A lake that compresses what it is given."""

    def put(self, key: str, body: bytes) -> None:
        """Keep nothing."""

    def put_raw(self, content: IO[bytes]) -> str:
        """The hash of a page."""
        digest = sha256_of(content)
        content.seek(0)
        compress(content.read())
        return digest


def keep_in_memory(services: Container) -> None:
    """Have no adapter that writes."""
    adapters: dict[str, Any] = {
        "lake": ForgetfulLake(),
        "reading_files": MemoryFiles(),
        "reading_blocks": MemoryBlocks(),
    }
    services.__dict__.update(adapters)


def main() -> None:
    """Measure it."""
    sensors, seconds, count, writes = map(int, sys.argv[1:])
    services = container()
    for name in sensor_ids(sensors):
        services.definitions.create("sensor", name, {"id": name, "equipment": "P-1", "metric": "flow"}, "benchmark")
    if not writes:
        keep_in_memory(services)

    def consume(event: Event) -> None:
        assert handler(event, None) == {"batchItemFailures": []}

    report(consume, batches(count, sensors, seconds))


if __name__ == "__main__":
    main()
