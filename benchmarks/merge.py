"""Three sources of 1,000,000 rows and 12 columns merged by mixed rules: ours against DuckDB by hand.

Each round of each case is a process of its own, so that its peak memory can be told, and the
cases take turns; all read and write Parquet in the time that is counted. By hand is the query that
one would write: the same full join, the same rules, the same order. It does not look for repeated
keys, nor can it say where a value came from: 1.1 times its time is asked of ours, and 1.4 times with
provenance. Then 3 x 10,000,000 rows are merged in one and in parts, as `make bench NAME=scale` does.
`--table` prints time and memory from 100,000 to 10,000,000 rows a source.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.merge_data import SOURCES, SPEC, sources, write_source
from benchmarks.support import Comparison, lower_is_better, show
from sluice.domain.merge import JoinMerge
from sluice.lake.parquet import ROW_GROUP
from sluice.merge.row_merge import merge_rows
from sluice.settings import load_settings

ROWS, ROUNDS = 1_000_000, 5
PARTED = 10_000_000  # rows a source: 3 x 10^7 in all


def ours(folder: Path, rows: int, *, provenance: bool) -> dict[str, Any]:
    """The merge stage, from its input files to its output files."""
    spec = JoinMerge.model_validate(SPEC)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        begun = time.perf_counter()
        made = merge_rows(spec, sources(folder, rows), load_settings(), Path(scratch), provenance=provenance)
        seconds = time.perf_counter() - begun
        sizes = {"data": made.data.stat().st_size}
        if made.provenance is not None:
            sizes["provenance"] = made.provenance.stat().st_size
        return {"seconds": seconds, "rows": made.rows, **sizes}


def by_hand(folder: Path, rows: int) -> dict[str, Any]:
    """The same with DuckDB alone, in one query."""
    rules = [
        "CASE WHEN a.id IS NOT NULL THEN a.{0} WHEN b.id IS NOT NULL THEN b.{0} ELSE c.{0} END AS {0}",
        "coalesce(a.{0}, b.{0}, c.{0}) AS {0}",
    ]
    moments = {one: f"CASE WHEN {one}.price IS NOT NULL THEN {one}.updated_at END" for one in "abc"}
    newest = f"greatest({', '.join(moments.values())})"
    price = "CASE " + " ".join(f"WHEN {at} = {newest} THEN {one}.price" for one, at in moments.items())
    longest = "greatest(length(a.note), length(b.note), length(c.note))"
    note = "CASE " + " ".join(f"WHEN length({one}.note) = {longest} THEN {one}.note" for one in "abc")
    some = "coalesce(a.{0}, 0) + coalesce(b.{0}, 0) + coalesce(c.{0}, 0)"
    count = "(a.score IS NOT NULL)::INT + (b.score IS NOT NULL)::INT + (c.score IS NOT NULL)::INT"
    fields = {
        "name": rules[0],
        "symbol": rules[1],
        "price": f"{price} ELSE coalesce(a.price, b.price, c.price) END AS price",
        "volume": f"{some.format('volume')} AS volume",
        "rank": "least(a.rank, b.rank, c.rank) AS rank",
        "active": rules[0],
        "updated_at": rules[0],
        "city": rules[1],
        "score": f"({some.format('score')}) / ({count}) AS score",
        "visits": "greatest(a.visits, b.visits, c.visits) AS visits",
        "note": f"{note} END AS note",
    }
    selected = ", ".join(sql.format(name) for name, sql in fields.items())
    files = [f"read_parquet('{folder / f'{rank}.parquet'}') {name}" for rank, name in enumerate("abc")]
    settings = load_settings()
    out = folder / "by-hand.parquet"
    begun = time.perf_counter()
    config: dict[str, Any] = {"threads": settings.duckdb_threads, "memory_limit": settings.duckdb_memory}
    with duckdb.connect(":memory:", config=config | {"temp_directory": str(folder)}) as connection:
        connection.execute(
            f"COPY (SELECT id, {selected} FROM {files[0]} FULL JOIN {files[1]} USING (id) "
            f"FULL JOIN {files[2]} USING (id) ORDER BY id) "
            f"TO '{out}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
        )
    seconds = time.perf_counter() - begun
    found = duckdb.execute(f"SELECT count(*) FROM '{out}'").fetchall()
    return {"seconds": seconds, "rows": found[0][0], "data": out.stat().st_size}


CASES: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "ours": lambda folder, rows: ours(folder, rows, provenance=False),
    "ours with provenance": lambda folder, rows: ours(folder, rows, provenance=True),
    "by hand": by_hand,
}


def measured(case: str, folder: Path, rows: int) -> dict[str, Any]:
    """One round of a case, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.merge", "--case", case, "--folder", str(folder), "--rows", str(rows)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return answer


def compare(rows: int) -> None:
    """The ratios, medians of the rounds."""
    with tempfile.TemporaryDirectory() as folder:
        for rank in range(SOURCES):
            write_source(Path(folder) / f"{rank}.parquet", rank, rows)
        found: dict[str, list[dict[str, Any]]] = {case: [] for case in CASES}
        for _ in range(ROUNDS):
            for case in CASES:
                found[case].append(measured(case, Path(folder), rows))
    assert len({one["rows"] for rounds in found.values() for one in rounds}) == 1, "all merge the same"
    seconds = {case: statistics.median(one["seconds"] for one in rounds) for case, rounds in found.items()}
    whole = found["ours with provenance"][0]
    memory = max(one["peak_mb"] for one in found["ours with provenance"])
    label = f"{SOURCES} x {rows:,} rows"
    comparisons = [
        lower_is_better("merge", f"{label}, {case}", seconds[case], seconds[peer], peer, "s")
        for case, peer in (
            ("ours", "by hand"),
            ("ours with provenance", "by hand"),
        )
    ]
    comparisons.append(lower_is_better("merge", f"{label}, peak memory", memory, 1000, "the limit", "MB"))
    comparisons.append(
        lower_is_better(
            "merge", "provenance of the data's bytes", whole["provenance"] / whole["data"], 0.4, "the limit", ""
        )
    )
    show(comparisons)


def in_parts(rows: int) -> list[Comparison]:
    """The same merge in one and in parts: the time of all workers together, and of the slowest ones."""
    from benchmarks.scale import measured_parts

    with tempfile.TemporaryDirectory() as folder:
        for rank in range(SOURCES):
            write_source(Path(folder) / f"{rank}.parquet", rank, rows)
        whole = measured("ours with provenance", Path(folder), rows)
        stages = measured_parts(Path(folder), rows)
    assert sum(one["rows"] for one in stages["merge"]) == whole["rows"], "all merge the same"
    label = f"{SOURCES} x {rows:,} rows in {len(stages['merge'])} parts"
    together = sum(one["seconds"] for stage in ("sample", "split", "merge") for one in stages[stage])
    slowest = sum(max(one["seconds"] for one in stages[stage]) for stage in ("sample", "split", "merge"))
    memory = max(one["peak_mb"] for stage in ("sample", "split", "merge") for one in stages[stage])
    return [
        lower_is_better("merge", f"{label}, all workers' time", together, whole["seconds"], "in one", "s"),
        lower_is_better("merge", f"{label}, all side by side", slowest, whole["seconds"], "in one", "s"),
        lower_is_better("merge", f"{label}, peak memory of a worker", memory, whole["peak_mb"], "in one", "MB"),
    ]


def table(rows: list[int]) -> None:
    """Time and memory by size; a merge with provenance."""
    print("rows a source  seconds  µs a row  peak MB  provenance / data")
    for count in rows:
        with tempfile.TemporaryDirectory() as folder:
            for rank in range(SOURCES):
                write_source(Path(folder) / f"{rank}.parquet", rank, count)
            one = measured("ours with provenance", Path(folder), count)
        share = one["provenance"] / one["data"]
        per_row = one["seconds"] / (count * SOURCES) * 1e6
        print(f"{count:>13,}  {one['seconds']:>7.2f}  {per_row:>8.2f}  {one['peak_mb']:>7.0f}  {share:>17.2f}")


def main() -> None:
    """Compare, or with `--table` show how it grows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--table", action="store_true", help="time and memory from 100,000 to 10,000,000 rows")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.case:
        found = CASES[said.case](said.folder, said.rows)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**found, "peak_mb": peak}))
    elif said.table:
        table([100_000, 300_000, 1_000_000, 3_000_000, 10_000_000])
    else:
        compare(said.rows)
        table([100_000, 1_000_000])
        show(in_parts(PARTED))


if __name__ == "__main__":
    main()
