"""Three sources of 1,000,000 rows and 12 columns merged by mixed rules: ours against DuckDB by hand, and pandas.

Each round of each case is a process of its own, so that its peak memory can be told, and the
cases take turns; all read and write Parquet in the time that is counted. By hand is the query that
one would write: the same full join, the same rules, the same order. Neither it nor pandas looks for
repeated keys, or can say where a value came from. `--table` prints time and memory from 100,000 to
10,000,000 rows a source.
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

sys.path.insert(0, str(Path(__file__).parent))

from sluice.domain.dataset import InputVersion
from sluice.domain.merge import JoinMerge
from sluice.domain.schema import Column
from sluice.lake.parquet import ROW_GROUP, LocalFile
from sluice.merge.plan import Source
from sluice.merge.rows import merge_rows
from sluice.settings import load_settings
from support import lower_is_better, show

ROWS, ROUNDS, SOURCES = 1_000_000, 5, 3
TYPES = {
    "id": "bigint",
    "name": "string",
    "symbol": "string",
    "price": "double",
    "volume": "bigint",
    "rank": "bigint",
    "active": "boolean",
    "updated_at": "timestamp",
    "city": "string",
    "score": "double",
    "visits": "bigint",
    "note": "string",
}
SPEC = {
    "strategy": "join",
    "key": ["id"],
    "fields": {
        "price": {"rule": "newest", "by": "updated_at"},
        "volume": {"rule": "sum"},
        "rank": {"rule": "min"},
        "score": {"rule": "mean"},
        "visits": {"rule": "max"},
        "note": {"rule": "longest"},
        "city": {"rule": "first_non_null"},
        "symbol": {"rule": "first_non_null"},
    },
    "default_rule": "priority",
}


def write_source(path: Path, rank: int, rows: int) -> None:
    """A source in no order, whose keys are two thirds those of the next one."""
    span = rows * 3 // 2
    duckdb.sql(f"""
        SELECT (range * 7919 + {rank} * {rows // 4}) % {span} AS id,
               'name ' || (hash(range, {rank}) % 100000) AS name,
               CASE WHEN hash(range, 1) % 5 > 0 THEN 'S' || (range % 5000) END AS symbol,
               CASE WHEN hash(range, 2) % 10 > 0 THEN (hash(range, 3, {rank}) % 1000000) / 100 END AS price,
               (hash(range, 4, {rank}) % 100000)::BIGINT AS volume,
               (hash(range, 5, {rank}) % 1000)::BIGINT AS rank,
               hash(range, 6) % 2 = 0 AS active,
               TIMESTAMP '2026-01-01' + to_seconds((hash(range, 7, {rank}) % 10000000)::BIGINT) AS updated_at,
               CASE WHEN hash(range, 8) % 3 > 0 THEN 'city ' || (range % 300) END AS city,
               (hash(range, 9, {rank}) % 10000) / 10 AS score,
               (hash(range, 10, {rank}) % 10000)::BIGINT AS visits,
               repeat('n', (hash(range, 11, {rank}) % 20)::INTEGER) AS note,
               1 AS _page, range AS _row
        FROM range({rows})
    """).write_parquet(str(path), compression="zstd", row_group_size=ROW_GROUP)


def sources(folder: Path, rows: int) -> list[Source]:
    """The files as the merge takes them."""
    columns = {name: Column(name=name, type=kind) for name, kind in TYPES.items()}
    made = []
    for rank in range(SOURCES):
        taken = InputVersion(
            datasource=f"s{rank}",
            version=1,
            run="r",
            completeness="complete",
            rows=rows,
            created_at="",
            fingerprint="",
            priority=rank,
            alias=f"s{rank}",
        )
        made.append(Source(taken, columns, [LocalFile(folder / f"{rank}.parquet", None, rows)], ["_page", "_row"]))
    return made


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
    found = duckdb.sql(f"SELECT count(*) FROM '{out}'").fetchall()
    return {"seconds": seconds, "rows": found[0][0], "data": out.stat().st_size}


def by_pandas(folder: Path, rows: int) -> dict[str, Any]:
    """The same with pandas: outer merges, then each field by its rule, without a loop over rows."""
    import pandas as pd

    begun = time.perf_counter()
    frames = []
    for rank in range(SOURCES):
        frame = pd.read_parquet(folder / f"{rank}.parquet", columns=list(TYPES)).assign(there=True)
        frames.append(frame.rename(columns={name: f"{name}_{rank}" for name in frame.columns if name != "id"}))
    both = frames[0].merge(frames[1], on="id", how="outer").merge(frames[2], on="id", how="outer").sort_values("id")
    made = both[["id"]].copy()
    there = [both[f"there_{rank}"].notna() for rank in range(SOURCES)]
    for name in ("name", "active", "updated_at"):
        made[name] = both[f"{name}_0"].where(there[0], both[f"{name}_1"].where(there[1], both[f"{name}_2"]))
    for name in ("symbol", "city"):
        made[name] = both[f"{name}_0"].fillna(both[f"{name}_1"]).fillna(both[f"{name}_2"])
    times = [both[f"updated_at_{rank}"].where(both[f"price_{rank}"].notna()) for rank in range(SOURCES)]
    newest = pd.concat(times, axis=1).max(axis=1)
    price = both["price_0"].fillna(both["price_1"]).fillna(both["price_2"])
    for rank in reversed(range(SOURCES)):
        price = both[f"price_{rank}"].where(times[rank] == newest, price)
    made["price"] = price
    for name, rule in (("volume", "sum"), ("rank", "min"), ("score", "mean"), ("visits", "max")):
        made[name] = getattr(both[[f"{name}_{rank}" for rank in range(SOURCES)]], rule)(axis=1)
    lengths = [both[f"note_{rank}"].str.len() for rank in range(SOURCES)]
    longest, note = pd.concat(lengths, axis=1).max(axis=1), both["note_2"]
    for rank in (1, 0):
        note = both[f"note_{rank}"].where(lengths[rank] == longest, note)
    made["note"] = note
    made.to_parquet(folder / "pandas.parquet", compression="zstd", index=False)
    return {"seconds": time.perf_counter() - begun, "rows": len(made)}


CASES: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "ours": lambda folder, rows: ours(folder, rows, provenance=False),
    "ours with provenance": lambda folder, rows: ours(folder, rows, provenance=True),
    "by hand": by_hand,
    "pandas": by_pandas,
}


def measured(case: str, folder: Path, rows: int) -> dict[str, Any]:
    """One round of a case, in a process of its own."""
    command = [sys.executable, __file__, "--case", case, "--folder", str(folder), "--rows", str(rows)]
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
            ("ours", "pandas"),
            ("ours with provenance", "pandas"),
            ("by hand", "pandas"),
        )
    ]
    comparisons.append(lower_is_better("merge", f"{label}, peak memory", memory, 1000, "the limit", "MB"))
    comparisons.append(
        lower_is_better(
            "merge", "provenance of the data's bytes", whole["provenance"] / whole["data"], 0.4, "the limit", ""
        )
    )
    show(comparisons)


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


if __name__ == "__main__":
    main()
