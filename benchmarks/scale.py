"""What a merge in parts costs, and what that comes to for 1,000,000,000 rows on AWS.

Three sources of 10,000,000 rows and 12 columns are merged in parts as the workflow's workers do it,
each worker in a process of its own. Beside them stand workers that would do without splitting: each
reads all inputs and keeps the rows of its part (`unsplit`), and workers that split into a hundred parts
instead of three (`wide`), as those of a billion rows do. Then a page and a record are read from all parts, and
from the part that has them. The arithmetic takes the processor time that was measured, and prices and
the network's speed from the constants below.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.merge_data import SOURCES, SPEC, TYPES, sources, write_source
from sluice.domain.merge import JoinMerge
from sluice.domain.schema import Column
from sluice.lake.ordered import order_key, range_number, range_starts
from sluice.lake.parquet import LocalFile, engine, rows_of
from sluice.merge.partition import Partitioner, make_partitioner, part_count, sampling_interval
from sluice.merge.row_merge import MergedRows, merge_prepared
from sluice.settings import load_settings

ROWS, WANTED, ONE_FILE = 10_000_000, 1_000_000_000, 100_000_000
# US East (N. Virginia), x86, dollars; https://aws.amazon.com/lambda/pricing, …/s3/pricing and
# …/step-functions/pricing as they were known in November 2026. Not measured: look again before you rely on them.
GB_SECOND, DISK_GB_SECOND, CALL = 0.0000166667, 0.0000000309, 0.0000002
PUT, GET, TRANSITION = 0.005 / 1000, 0.0004 / 1000, 0.025 / 1000
# Not measured either: what a function gets from S3, the cores that 3,008 MB are given, how long a start takes.
MB_PER_SECOND, CORES, START_SECONDS = 50, 1.7, 3
MEMORY_GB, DISK_GB, AT_ONCE = 3008 / 1024, 8, 100


def _partitioner(folder: Path, rows: int, scratch: Path) -> Partitioner:
    stored = sources(folder, rows)
    return make_partitioner(JoinMerge.model_validate(SPEC), stored, [set() for _ in stored], load_settings(), scratch)


def _starts(folder: Path) -> list[str]:
    found: list[str] = json.loads((folder / "starts.json").read_text())
    return found


def sample(folder: Path, rows: int, number: int, scratch: Path) -> dict[str, Any]:
    """The first stage, of one source."""
    parts = part_count(rows * SOURCES, 0, load_settings())
    stored = sources(folder, rows)[number]
    one_in = sampling_interval(rows * SOURCES, parts)
    keys = _partitioner(folder, rows, scratch).sample(number, stored, one_in, scratch).keys
    (folder / f"sample-{number}.json").write_text(json.dumps(keys))
    return {"read": stored.files[0].path.stat().st_size, "written": (folder / f"sample-{number}.json").stat().st_size}


def split(folder: Path, rows: int, number: int, scratch: Path) -> dict[str, Any]:
    """The second stage, of one source."""
    stored = sources(folder, rows)[number]
    pieces = _partitioner(folder, rows, scratch).split(number, stored, _starts(folder), scratch)
    for place, (part, file) in enumerate(pieces):
        file.rename(folder / f"piece-{part}-{number}-{place}.parquet")
    written = sum(file.stat().st_size for file in folder.glob(f"piece-*-{number}-*.parquet"))
    return {"read": stored.files[0].path.stat().st_size, "written": written}


def split_wide(folder: Path, rows: int, number: int, scratch: Path) -> dict[str, Any]:
    """The second stage, of one source, into as many parts as the largest merge has that is reckoned."""
    stored = sources(folder, rows)[number]
    starts = json.loads((folder / "starts-wide.json").read_text())
    pieces = _partitioner(folder, rows, scratch).split(number, stored, starts, scratch)
    return {"read": stored.files[0].path.stat().st_size, "written": sum(file.stat().st_size for _, file in pieces)}


def _pieces(folder: Path, part: int) -> list[list[Path]]:
    return [sorted(folder.glob(f"piece-{part}-{rank}-*.parquet")) for rank in range(SOURCES)]


def _made(made: MergedRows, read: int) -> dict[str, Any]:
    assert made.provenance is not None
    return {"rows": made.rows, "read": read, "written": made.data.stat().st_size + made.provenance.stat().st_size}


def merge(folder: Path, rows: int, number: int, scratch: Path) -> dict[str, Any]:
    """The third stage, of one part."""
    pieces = _pieces(folder, number)
    made = _partitioner(folder, rows, scratch).merge(pieces, [], scratch)
    made.data = made.data.rename(folder / f"part-{number:05d}.parquet")
    return _made(made, sum(file.stat().st_size for files in pieces for file in files))


def unsplit(folder: Path, rows: int, number: int, scratch: Path) -> dict[str, Any]:
    """One part by a worker that reads all inputs."""
    mine = f"{range_number(order_key(['id::BIGINT']), _starts(folder))} = {number}"
    stored = sources(folder, rows)
    kept = [replace(one, prepared=f"(SELECT * FROM {one.rows} WHERE {mine})") for one in stored]
    made = merge_prepared(JoinMerge.model_validate(SPEC), kept, load_settings(), scratch, [])
    return _made(made, sum(one.files[0].path.stat().st_size for one in stored))


CASES: dict[str, Callable[[Path, int, int, Path], dict[str, Any]]] = {
    "sample": sample,
    "split": split,
    "wide": split_wide,
    "merge": merge,
    "unsplit": unsplit,
}


def _worker(case: str, folder: Path, rows: int, number: int) -> dict[str, Any]:
    """One worker, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale", "--case", case, "--number", str(number)]
    command += ["--folder", str(folder), "--rows", str(rows)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return answer


def measured_parts(folder: Path, rows: int) -> dict[str, list[dict[str, Any]]]:
    """What each worker of each stage has taken, one after the other.

    Args:
        folder: with the sources' files.
    """
    found = {"sample": [_worker("sample", folder, rows, number) for number in range(SOURCES)]}
    weights: dict[str, int] = {}
    for number in range(SOURCES):
        for key, count in json.loads((folder / f"sample-{number}.json").read_text()).items():
            weights[key] = weights.get(key, 0) + count
    starts = range_starts(weights, part_count(rows * SOURCES, 0, load_settings()))
    (folder / "starts.json").write_text(json.dumps(starts))
    (folder / "starts-wide.json").write_text(json.dumps(range_starts(weights, part_count(WANTED, 0, load_settings()))))
    for stage in ("split", "wide"):
        found[stage] = [_worker(stage, folder, rows, number) for number in range(SOURCES)]
    for stage in ("merge", "unsplit"):
        found[stage] = [_worker(stage, folder, rows, number) for number in range(len(starts))]
    return found


def units(found: dict[str, list[dict[str, Any]]], rows: int) -> dict[str, dict[str, float]]:
    """The costs of each stage for one row of the inputs; printed, too."""
    print(f"{SOURCES} x {rows:,} rows of {len(TYPES)} columns; a worker's own time, one after the other")
    print("stage    workers  seconds each  slowest  CPU s each  CPU µs a row  read B/row  written B/row  peak MB")
    told = {}
    for stage, workers in found.items():
        total, cpu = (sum(one[name] for one in workers) for name in ("seconds", "cpu"))
        told[stage] = {
            "cpu": cpu / (rows * SOURCES),
            "read": sum(one["read"] for one in workers) / (rows * SOURCES),
            "written": sum(one["written"] for one in workers) / (rows * SOURCES),
        }
        one = told[stage]
        print(
            f"{stage:<8} {len(workers):>7}  {total / len(workers):>12.2f}  {max(w['seconds'] for w in workers):>7.2f}  "
            f"{cpu / len(workers):>10.2f}  {one['cpu'] * 1e6:>12.2f}  {one['read']:>10.1f}  {one['written']:>13.1f}  "
            f"{max(w['peak_mb'] for w in workers):>7.0f}"
        )
    return told


def reading(folder: Path) -> None:
    """How long a page and a record take from all parts, and from the one that has them."""
    files = [LocalFile(path) for path in sorted(folder.glob("part-*.parquet"))]
    columns = [Column(name=name, type=kind) for name, kind in TYPES.items()]
    page, record = "ORDER BY _file_index, file_row_number LIMIT 51", "WHERE id = (SELECT max(id) FROM {})"
    print("\nreading        from all parts  from the one that has it")
    for name, wanted, part in (("a page", page, files[:1]), ("a record", record, files[-1:])):
        seconds = []
        for chosen in (files, part):
            last = rows_of(files[-1:], columns, [])
            query = f"SELECT * FROM {rows_of(chosen, columns, [], numbered=True)} {wanted.format(last)}"
            with engine(load_settings(), folder) as connection:
                begun = time.perf_counter()
                assert connection.execute(query).fetchall()
                seconds.append(time.perf_counter() - begun)
        print(f"{name:<13}  {seconds[0]:>12.3f} s  {seconds[1]:>22.3f} s")


def arithmetic(unit: dict[str, dict[str, float]], rows: int) -> None:
    """What a merge of so many rows comes to."""
    settings = load_settings()
    parts = part_count(rows, 0, settings)
    taken = rows / parts
    print(f"\n{rows:,} rows of the same kind, {parts} parts, {AT_ONCE} workers at a time")
    print("stage    workers  seconds each  of it network  waves  minutes  dollars")
    minutes = dollars = 0.0
    for stage in ("sample", "wide", "merge"):
        network = taken * (unit[stage]["read"] + unit[stage]["written"]) / 1e6 / MB_PER_SECOND
        seconds = START_SECONDS + taken * unit[stage]["cpu"] / CORES + network
        waves = math.ceil(parts / AT_ONCE)
        compute = parts * seconds * (MEMORY_GB * GB_SECOND + (DISK_GB - 0.5) * DISK_GB_SECOND)
        gets = parts * (2 if stage == "sample" else 2 * parts)
        cost = compute + parts * (CALL + 4 * PUT + 3 * TRANSITION) + gets * GET
        print(
            f"{stage:<8} {parts:>7}  {seconds:>12.0f}  {network:>13.0f}  {waves:>5}  {waves * seconds / 60:>7.1f}  "
            f"{cost:>7.2f}"
        )
        minutes += waves * seconds / 60
        dollars += cost
    print(f"{'together':<8} {'':>7}  {'':>12}  {'':>13}  {'':>5}  {minutes:>7.1f}  {dollars:>7.2f}")
    whole = rows * unit["split"]["read"] / 1e9
    print(
        f"The inputs are {whole:.0f} GB: without splitting, each of {parts} workers would read all of it, "
        f"{whole * 1000 / MB_PER_SECOND / 60:.0f} minutes of network alone, and needs as much disk."
    )
    moved = ONE_FILE * (unit["wide"]["read"] + unit["wide"]["written"])
    seconds = ONE_FILE * unit["wide"]["cpu"] / CORES + moved / 1e6 / MB_PER_SECOND
    print(
        f"A file is not divided: {ONE_FILE:,} rows in one are split by one worker in {seconds:.0f} s, "
        f"with {moved / 1e9:.1f} GB on its disk."
    )


def main() -> None:
    """Measure, then reckon."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.case:
        with tempfile.TemporaryDirectory(dir=said.folder) as scratch:
            begun = time.perf_counter()
            found = CASES[said.case](said.folder, said.rows, said.number, Path(scratch))
            found["seconds"] = time.perf_counter() - begun
        used = resource.getrusage(resource.RUSAGE_SELF)
        found["cpu"] = used.ru_utime + used.ru_stime
        found["peak_mb"] = used.ru_maxrss / 1024
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as folder:
        for rank in range(SOURCES):
            write_source(Path(folder) / f"{rank}.parquet", rank, said.rows)
        unit = units(measured_parts(Path(folder), said.rows), said.rows)
        reading(Path(folder))
    arithmetic(unit, WANTED)


if __name__ == "__main__":
    main()
