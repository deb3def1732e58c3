"""Reading series from the lake: the compacted files of each day, and the files of new readings."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sluice.catalog.reading_files import NEW, ReadingFile, ReadingFiles
from sluice.domain.new_readings import unpack_new
from sluice.domain.reading import format_time, reading_time
from sluice.domain.series import Series
from sluice.lake.parquet import engine
from sluice.readings.bucket_files import bucket_of, part_of, read_series

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from sluice.lake.store import Lake
    from sluice.settings import Settings

# How many days are fetched from the lake at once, at most; a page may end after the first one.
_MOST_DAYS = 16
_THREADS = 8


class Services(Protocol):
    """What this module needs."""

    @property
    def lake(self) -> Lake:
        """The lake."""
        ...

    @property
    def settings(self) -> Settings:
        """The settings."""
        ...

    @property
    def reading_files(self) -> ReadingFiles:
        """The lake's files of readings."""
        ...


class ReadLimitError(Exception):
    """As much was read from the lake as one request may read.

    Args:
        time: the readings from here on were not read, in microseconds since 1970.
    """

    def __init__(self, time: int) -> None:
        super().__init__("as much was read from the lake as one request may read")
        self.time = time


_Day = tuple[str, list[ReadingFile]]


class LakeSeries(AbstractContextManager["LakeSeries"]):
    """Series of sensors in the lake.

    Args:
        limited: whether `LAKE_READ_BYTES` and `LAKE_READ_FILES` end the reading.
    """

    def __init__(self, services: Services, *, limited: bool = True) -> None:
        self._services = services
        settings = services.settings
        self._bytes: float = settings.lake_read_bytes if limited else float("inf")
        self._files: float = settings.lake_read_files if limited else float("inf")
        self._began = False
        self._resources = ExitStack()
        self._engine: DuckDBPyConnection | None = None

    def __exit__(self, *error: object) -> None:
        self._resources.close()

    def days(self, sensor: str, start: int, end: int) -> Iterator[Series]:
        """The readings of a sensor with `start <= time < end`, one series for each day that has some.

        Args:
            start, end: in microseconds since 1970.

        Raises:
            ReadLimitError: the limits are reached. At least one day was read before.
        """
        days, at_once = self._days(sensor, start, end), 1
        while some := list(islice(days, at_once)):
            affordable = self._affordable(some)
            paths = self._fetch([file for _, files in affordable for file in files])
            for _, files in affordable:
                series = Series()
                for file in files:
                    series = series.united_with(self._read(file, paths[file.sha256], sensor, start, end))
                if len(series):
                    yield series
            if len(affordable) < len(some):
                raise ReadLimitError(max(start, _start_of(some[len(affordable)][0])))
            at_once = min(2 * at_once, _MOST_DAYS)

    def _days(self, sensor: str, start: int, end: int) -> Iterator[_Day]:
        """The days that have files in which the sensor's readings may be."""
        parts = (NEW, part_of(bucket_of(sensor)))
        listed = self._services.reading_files.readable(format_time(start)[:10], format_time(end - 1)[:10])
        for day, files in groupby(listed, lambda file: file.day):
            if wanted := [file for file in files if file.part in parts]:
                yield day, wanted

    def _affordable(self, days: Sequence[_Day]) -> Sequence[_Day]:
        """The first days that the limits allow."""
        for index, (_, files) in enumerate(days):
            if self._began and (self._bytes <= 0 or self._files <= 0):
                return days[:index]
            self._began = True
            self._bytes -= sum(file.bytes for file in files)
            self._files -= len(files)
        return days

    def _fetch(self, files: Sequence[ReadingFile]) -> dict[str, Path]:
        """The files on the local disk, by their hashes."""
        lake = self._services.lake
        if len(files) == 1:
            return {files[0].sha256: lake.local(files[0].key, files[0].sha256)}
        with ThreadPoolExecutor(_THREADS) as threads:
            paths = list(threads.map(lambda file: lake.local(file.key, file.sha256), files))
        return {file.sha256: path for file, path in zip(files, paths, strict=True)}

    def _read(self, file: ReadingFile, path: Path, sensor: str, start: int, end: int) -> Series:
        if file.part != NEW:
            return read_series(self._connection(), path, sensor, start, end)
        _, parts = unpack_new(gzip.decompress(path.read_bytes()), {sensor})
        series = Series()
        for part in parts:
            series = series.united_with(part.series.between(start, end))
        return series

    def _connection(self) -> DuckDBPyConnection:
        if self._engine is None:
            scratch = self._resources.enter_context(self._services.lake.scratch())
            self._engine = self._resources.enter_context(engine(self._services.settings, scratch))
        return self._engine


def _start_of(day: str) -> int:
    return reading_time(f"{day}T00:00:00Z")
