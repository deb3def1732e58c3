"""Dropped files made into typed Parquet: the extract stage against bare DuckDB, in turn in one process.

Both read the same gzipped CSV and JSON lines. Of Parquet, DuckDB reads the file itself, and ours what
the lake keeps of it, which is compressed again. DuckDB has its defaults, and as many threads as ours:
it is what one would write by hand. It keeps neither page and row of each record nor the document
beside the rows, and does not say which value is wrong; a ratio below 1 says how much that costs.
Ours reads and writes the lake, whose S3 is a folder here. Memory is the most that a process had
resident which did this one thing.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from botocore.exceptions import ClientError

from benchmarks.peers.measuring import peak_bytes
from benchmarks.support import Comparison, lower_is_better, show, table
from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.extract.extractor import Base, Extractor
from sluice.lake import transfer
from sluice.lake.cache import FileCache
from sluice.lake.store import Lake
from sluice.settings import Settings

SIZES, ROUNDS = (100_000, 1_000_000), 3
ASKED = {"csv": 0.5, "jsonl": 0.5, "parquet": 0.8}
READERS = {"csv": "read_csv", "jsonl": "read_json", "parquet": "read_parquet"}

_FLAT = """
    range AS id, 'name ' || range AS name, printf('%05d', hash(range) % 90000) AS code,
    (hash(range, 1) % 10000000 / 100)::DECIMAL(12, 2) AS price, hash(range, 2) / 7e9 AS score,
    (hash(range, 3) % 1000)::INTEGER AS quantity, DATE '2020-01-01' + (range % 2000)::INTEGER AS day,
    TIMESTAMP '2026-01-01' + INTERVAL (range) SECOND AS moment, range % 3 = 0 AS active,
    CASE WHEN range % 5 > 0 THEN repeat('word ', (hash(range, 4) % 6)::INTEGER) || 'end' END AS note,
    ['Berlin', 'Lisbon', 'Oslo', 'Rome', 'Vienna'][range % 5 + 1] AS city,
    round(47 + hash(range, 5) % 1000000 / 1e6, 6) AS lat, round(8 + hash(range, 6) % 1000000 / 1e6, 6) AS lon,
    CASE WHEN range % 10 > 0 THEN (hash(range, 7) % 50)::INTEGER END AS stock, printf('%016x', hash(range, 8)) AS mark
"""
_NESTED = """,
    {'kind': CASE WHEN range % 3 = 0 THEN 'user' ELSE 'team' END, 'id': range % 977,
     'address': {'city': 'Graz', 'zip': 8010 + range % 50}} AS owner,
    ['t' || range % 13, 't' || range % 7] AS tags
"""
_WIDE = """, (range % 7)::SMALLINT AS weekday, range / 3 AS third, 'k' || range % 100 AS kind, range % 2 = 1 AS odd"""
_COLUMNS = {"csv": _FLAT, "jsonl": _FLAT + _NESTED, "parquet": _FLAT + _WIDE}
_WRITTEN = {"csv": "(FORMAT csv, HEADER)", "jsonl": "(FORMAT json)", "parquet": "(FORMAT parquet)"}


class FolderS3:
    """The calls of S3 that reading and writing objects needs, on a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put_object(self, *, Bucket: str, Key: str, Body: Any, **more: Any) -> None:  # noqa: N803 - S3's names
        path = self.folder / Key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            if isinstance(Body, bytes):
                file.write(Body)
            else:
                shutil.copyfileobj(Body, file, 1 << 20)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        path = self._known("GetObject", Key)
        return {"Body": path.open("rb"), "ContentLength": path.stat().st_size}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"ContentLength": self._known("HeadObject", Key).stat().st_size}

    def _known(self, operation: str, key: str) -> Path:
        path = self.folder / key
        if not path.exists():
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, operation)
        return path


class Case:
    """One file, by ours and by DuckDB.

    Args:
        folder: where the file, the lake and the results are; it may hold them already.
    """

    def __init__(self, folder: Path, kind: str, rows: int) -> None:
        self._folder, self._kind, self._rows = folder, kind, rows
        self._plain = folder / f"plain.{kind}"
        self._digest = folder / "digest"
        s3: Any = FolderS3(folder / "s3")
        transfer._ONE_REQUEST = 1 << 40  # the folder takes any object in one request
        self._lake = Lake(s3, s3, "lake", "main", FileCache(folder / "cache", 1 << 33), 900)

    def write(self) -> None:
        """Make the file, and keep it in the lake as fetching it would."""
        rows = f"SELECT {_COLUMNS[self._kind]} FROM range({self._rows})"
        duckdb.sql(f"COPY ({rows}) TO '{self._plain}' {_WRITTEN[self._kind]}")
        with self._plain.open("rb") as content:
            digest = self._lake.put_raw(content)
        self._digest.write_text(digest)
        if self._kind != "parquet":
            self._plain.unlink()
            self._gzipped.hardlink_to(next((self._folder / "s3").rglob(digest)))

    @property
    def _gzipped(self) -> Path:
        return self._plain.with_name(self._plain.name + ".gz")

    def ours(self) -> int:
        """The extract stage; how many rows it has made."""
        datasource = Datasource.model_validate({"slug": "d", "name": "d", "kind": "file", "format": self._kind})
        receipt = PageReceipt(
            number=1, ok=True, url=f"drop:d/a.{self._kind}", hash=self._digest.read_text(), fetched_at=""
        )
        run = Run(id="0" * 26, kind="ingest", datasource="d", created_at="2026-01-01", created_by="bench")
        index = FetchIndex(
            datasource="d", run=run.id, attempt=1, fetched_at="", pages=[receipt], completeness="complete"
        )
        key = Extractor(run, datasource, index, Base(0), self._lake, Settings()).extract()
        return self._lake.manifest(key).rows

    def peer(self) -> int:
        """Bare DuckDB."""
        file = self._plain if self._kind == "parquet" else self._gzipped
        target = self._folder / "peer.parquet"
        with duckdb.connect(config={"threads": Settings().duckdb_threads}) as connection:
            query = (
                f"COPY (SELECT * FROM {READERS[self._kind]}('{file}')) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
            )
            return int(connection.execute(query).fetchall()[0][0])

    def seconds(self, work: Callable[[], int]) -> float:
        """How long one of the two takes.

        Raises:
            SystemExit: it has other than all rows.
        """
        begun = time.perf_counter()
        rows = work()
        took = time.perf_counter() - begun
        if rows != self._rows:
            raise SystemExit(f"{work.__name__} has {rows} rows of {self._kind}, and not {self._rows}")
        return took

    def peak(self, side: str) -> int:
        """The peak memory of a process that does this once."""
        command = [sys.executable, "-m", "benchmarks.extract", "--alone", side]
        command += [str(self._folder), self._kind, str(self._rows)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def alone(side: str, folder: str, kind: str, rows: str) -> None:
    """Do one side's work once in this process, and print its peak memory."""
    case = Case(Path(folder), kind, int(rows))
    case.seconds(case.ours if side == "ours" else case.peer)
    print(peak_bytes("self"))


def compare(kind: str, rows: int, rounds: int) -> tuple[Comparison, tuple[str, ...]]:
    """Measure one case: its comparison, and a line about memory."""
    with tempfile.TemporaryDirectory() as folder:
        case = Case(Path(folder), kind, rows)
        case.write()
        pairs = [(case.seconds(case.ours), case.seconds(case.peer)) for _ in range(rounds)]
        peaks = [f"{case.peak(side) / 1e6:.0f}" for side in ("ours", "peer")]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    name = f"{kind}, {rows:,} rows"
    asked = ASKED[kind] if rows == SIZES[-1] else None
    print(f"  {name}: {mine:.2f} s, {theirs:.2f} s", flush=True)
    return lower_is_better("extract", name, mine, theirs, "bare DuckDB", "s", asked), (name, *peaks)


def main() -> None:
    """Measure all cases, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--kinds", nargs="+", choices=READERS, help="only these")
    parser.add_argument("--alone", nargs=4, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.alone:
        alone(*said.alone)
        return
    kinds = said.kinds or list(READERS)
    found = [compare(kind, rows, said.rounds) for rows in said.rows for kind in kinds]
    print()
    table(("peak MB", "ours", "bare DuckDB"), [memory for _, memory in found])
    print()
    show([comparison for comparison, _ in found])


if __name__ == "__main__":
    main()
