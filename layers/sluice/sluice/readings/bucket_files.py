"""The compacted files of the lake: one for each day and bucket of sensors, with a row for each reading.

A row has the columns sensor, time, value, quality, revision, page and position. `page` is the hash of the batch as
received, and `position` the reading's index in it. Rows are sorted by sensor and time. Of readings with the same sensor
and time, the file has the winner (see `domain.series.wins`). So equal readings are equal bytes, however they came.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.domain.new_readings import SensorPart
from sluice.domain.series import QUALITIES, Mark, Series, wins
from sluice.lake.arrays import column_stream, relation_columns
from sluice.lake.parquet import copy_to, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BUCKETS = 16
_QUALITY_LIST = f"[{', '.join(map(literal, QUALITIES))}]"
_QUALITY_CODE = f"(list_position({_QUALITY_LIST}, quality) - 1)::UTINYINT"
_PLAIN = Mark()
# Inserting this many rows at once takes as long for each row as inserting more.
_ROWS_AT_ONCE = 500_000


def bucket_of(sensor: str) -> int:
    """The bucket of a sensor, from 0 to `BUCKETS` - 1."""
    return hashlib.sha256(sensor.encode()).digest()[0] % BUCKETS


def part_of(bucket: int) -> str:
    """The part of a bucket's files, such as `b07`."""
    return f"b{bucket:02d}"


def data_key(day: str, bucket: int, sha256: str) -> str:
    """The key of a compacted file in the lake."""
    return f"readings/data/day={day}/bucket={bucket:02d}/{sha256}.parquet"


def read_series(connection: DuckDBPyConnection, path: Path, sensor: str, start: int, end: int) -> Series:
    """The readings of a sensor in a compacted file with `start <= time < end`, in microseconds."""
    relation = connection.sql(
        f"SELECT epoch_us(time), value, {_QUALITY_CODE} AS code, revision FROM read_parquet({literal(str(path))}) "
        "WHERE sensor = ? AND time >= make_timestamp(?::BIGINT) AND time < make_timestamp(?::BIGINT) ORDER BY time",
        params=[sensor, start, end],
    )
    times, values, qualities, revisions = relation_columns(relation, "qdBi")
    marks: dict[int, Mark] = {}
    if any(qualities) or any(revisions):
        marked = zip(times, map(Mark, qualities, revisions), strict=True)
        marks = {time: mark for time, mark in marked if mark != _PLAIN}
    return Series(times, values, marks)


class DayRows:
    """The readings of a day's new files, to be united with the day's compacted files.

    Args:
        connection: a connection of its own, whose memory limit the rows may exceed.
    """

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._connection = connection
        self._sensors: dict[str, int] = {}
        self._pages: dict[str, int] = {}
        self._loose = _no_rows()
        connection.execute(
            "CREATE TABLE rows (sensor_number UINTEGER, page_number UINTEGER, time BIGINT, value DOUBLE, "
            "quality UTINYINT, revision INTEGER, position UINTEGER)"
        )

    def add(self, page: str, parts: Iterable[SensorPart]) -> None:
        """Add the readings of a new file.

        Args:
            page: the hash of the batch as received.
        """
        page_number = self._pages.setdefault(page, len(self._pages))
        for sensor, series, positions in parts:
            count, rows = len(series), self._loose
            sensor_number = self._sensors.setdefault(sensor, len(self._sensors))
            rows["sensor_number"].extend(array("I", [sensor_number]) * count)
            rows["page_number"].extend(array("I", [page_number]) * count)
            rows["time"].extend(series.times)
            rows["value"].extend(series.values)
            rows["position"].extend(positions)
            marks = [series.marks.get(time, _PLAIN) for time in series.times] if series.marks else [_PLAIN] * count
            rows["quality"].extend(array("B", (mark.quality for mark in marks)))
            rows["revision"].extend(array("i", (mark.revision for mark in marks)))
            if len(rows["time"]) >= _ROWS_AT_ONCE:
                self._insert()

    def _insert(self) -> None:
        loose, self._loose = column_stream(self._loose), _no_rows()
        self._connection.register("loose", loose)
        self._connection.execute("INSERT INTO rows BY NAME SELECT * FROM loose")
        self._connection.unregister("loose")

    def finish(self) -> list[int]:
        """Note that all files are added, and return the buckets of their sensors."""
        if self._loose["time"]:
            self._insert()
        sensors = list(self._sensors)
        buckets = [bucket_of(sensor) for sensor in sensors]
        self._create_list("sensors", "sensor_number", sensor=sensors, bucket=buckets)
        self._create_list("pages", "page_number", page=list(self._pages))
        return sorted(set(buckets))

    def _create_list(self, table: str, number: str, **columns: list[Any]) -> None:
        cells = ", ".join(f"unnest(?) AS {name}" for name in columns)
        self._connection.execute(
            f"CREATE TABLE {table} AS SELECT (row_number() OVER () - 1)::UINTEGER AS {number}, * FROM (SELECT {cells})",
            list(columns.values()),
        )

    def write(self, bucket: int, old: Sequence[Path], path: Path) -> int:
        """Write the compacted file of a bucket.

        Args:
            bucket: one of those that `finish` has returned.
            old: the day's compacted files of this bucket.
            path: where the file goes.

        Returns:
            The number of its readings.
        """
        run = self._connection.execute
        run(f"CREATE OR REPLACE TEMP TABLE bucket_rows AS {_rows_sql(bucket, old)}")
        # Most readings have come once, and need no comparison.
        run(
            "CREATE OR REPLACE TEMP TABLE repeated AS "
            "SELECT sensor, time, max(revision) AS revision FROM bucket_rows GROUP BY ALL HAVING count(*) > 1"
        )
        # One candidate for each value, whose citation is the first of those that have it.
        run(
            "CREATE OR REPLACE TEMP TABLE candidates AS SELECT row_number() OVER () AS number, * FROM ("
            "SELECT sensor, time, value, quality, revision, min({'page': page, 'position': position}) AS citation "
            "FROM bucket_rows SEMI JOIN repeated USING (sensor, time, revision) GROUP BY ALL)"
        )
        run("CREATE OR REPLACE TEMP TABLE losers (number BIGINT)")
        if losers := array("q", self._losers()):
            self._connection.register("loose", column_stream({"number": losers}))
            run("INSERT INTO losers FROM loose")
            self._connection.unregister("loose")
        count = run(
            f"COPY (SELECT sensor, make_timestamp(time) AS time, value, {_QUALITY_LIST}[quality + 1] AS quality, "
            "revision, page, position FROM ("
            "SELECT * FROM bucket_rows ANTI JOIN repeated USING (sensor, time) UNION ALL BY NAME "
            "SELECT * EXCLUDE (number, citation), citation.page AS page, citation.position AS position "
            "FROM candidates ANTI JOIN losers USING (number)) AS winners "
            f"ORDER BY sensor, winners.time) {copy_to(path)}"
        ).fetchone()
        assert count is not None
        return int(count[0])

    def _losers(self) -> Iterator[int]:
        """The numbers of candidates that another one of the same revision wins over.

        In Python, since the hash that decides is that of the value's representation in Python.
        """
        ties = self._connection.execute(
            "SELECT sensor, time, number, value, quality FROM candidates "
            "QUALIFY count(*) OVER (PARTITION BY sensor, time) > 1 ORDER BY sensor, time"
        ).fetchall()
        held = None
        for sensor, time, number, value, quality in ties:
            candidate = (value, Mark(quality))
            if held is None or held[:2] != (sensor, time):
                held = (sensor, time, number, candidate)
            elif wins(*candidate, *held[3]):
                yield held[2]
                held = (sensor, time, number, candidate)
            else:
                yield number


def _no_rows() -> dict[str, array[Any]]:
    codes = {"sensor_number": "I", "page_number": "I", "time": "q", "value": "d"}
    codes |= {"quality": "B", "revision": "i", "position": "I"}
    return {name: array(code) for name, code in codes.items()}


def _rows_sql(bucket: int, old: Sequence[Path]) -> str:
    """The SQL of a bucket's rows, of the new files and of compacted ones."""
    new = (
        "SELECT sensor, time, value, quality, revision, page, position FROM rows "
        f"JOIN sensors USING (sensor_number) JOIN pages USING (page_number) WHERE bucket = {bucket}"
    )
    stored = [
        f"SELECT sensor, epoch_us(time), value, {_QUALITY_CODE}, revision, page, position "
        f"FROM read_parquet({literal(str(path))})"
        for path in old
    ]
    return " UNION ALL ".join([new, *stored])
