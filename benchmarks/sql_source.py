"""A table of PostgreSQL into raw pages: the SQL source against dlt's `sql_database`, default and pyarrow backends.

The table has a million rows of eleven columns: numbers, decimals, texts, times with a zone, JSON, a uuid. The
server is a process of its own on loopback, and each way reads in a process of its own; what they import is not
counted. All take turns in each round, on the same machine at the same time; medians are compared.

- Sluice: rows become pages of JSON Lines with the server's types, compressed and written as the lake keeps them;
- dlt: `extract`, which ends where rows have become dlt's own files: JSON lines, or Parquet with pyarrow;
- ingestr (the last releases that are Python; it uses dlt): its whole command, into DuckDB: it has no smaller step.

`sql_source.py --rows N --rounds N`; with `--without-ingestr` its 200 packages are not installed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.support import ROOT, Comparison, environment, higher_is_better, lower_is_better, show

USER, PASSWORD, TABLE = "owner", "pa55-w0rd-of-the-owner", "orders"
OURS, DLT, ARROW, INGESTR = "Sluice", "dlt, default", "dlt, pyarrow", "ingestr"
ASKED = {DLT: 3.0}
MOST_MEGABYTES = 300
# The peers would tell their makers that they run, and wait for an answer that cannot come.
SILENT = {"RUNTIME__DLTHUB_TELEMETRY": "false", "DISABLE_TELEMETRY": "true", "INGESTR_DISABLE_TELEMETRY": "true"}
CREATE = f"""
CREATE TABLE {TABLE} AS SELECT n::bigint AS id, 'customer ' || n % 5000 AS customer,
  (n::bigint * 7919 % 1000000 / 100.0)::numeric(12,2) AS price, (n % 97)::int AS quantity,
  timestamptz '2026-01-01' + n * interval '1 second' AS placed_at, date '2026-01-01' + (n % 365)::int AS due,
  n % 3 = 0 AS paid, (n % 1013) / 1013.0::float8 AS discount,
  CASE WHEN n % 4 = 0 THEN NULL ELSE repeat('words ', (n % 9)::int) END AS note,
  jsonb_build_object('channel', n % 7, 'tags', jsonb_build_array('a', 'b')) AS details,
  md5(n::text)::uuid AS reference
FROM generate_series(1, $rows) n
"""


@contextmanager
def server(rows: int) -> Iterator[int]:
    """The port of a PostgreSQL that has the table."""
    command = [sys.executable, "-m", "support.databases"]
    with subprocess.Popen(
        command, cwd=ROOT / "tests", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            port = int(running.stdout.readline())
            asyncio.run(fill(port, rows))
            yield port
        finally:
            running.stdin.close()


async def fill(port: int, rows: int) -> None:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=port, user=USER, password=PASSWORD, database="postgres", ssl=False
    )
    await connection.execute(CREATE.replace("$rows", str(rows)))
    await connection.execute(f"VACUUM ANALYZE {TABLE}")
    await connection.close()


def measured(python: Path, module: str, port: int, *arguments: str) -> dict[str, Any]:
    """What one way's own process measured.

    Raises:
        SystemExit: it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [str(python), "-m", f"benchmarks.peers.{module}", str(port), USER, PASSWORD, TABLE, folder]
        variables = {**os.environ, **SILENT}
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, check=False, env=variables, stdin=subprocess.DEVNULL
        )
    if done.returncode != 0:
        raise SystemExit(f"{module} failed: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def compared(results: dict[str, list[dict[str, Any]]]) -> list[Comparison]:
    rate = {way: statistics.median(one["rows"] / one["seconds"] for one in of) for way, of in results.items()}
    peak = {way: statistics.median(one["peak_bytes"] for one in of) / 1e6 for way, of in results.items()}
    comparisons = []
    for way in [way for way in results if way != OURS]:
        asked = ASKED.get(way)
        comparisons.append(higher_is_better("sql_source", f"rows, {way}", rate[OURS], rate[way], way, "rows/s", asked))
        comparisons.append(lower_is_better("sql_source", f"memory, {way}", peak[OURS], peak[way], way, "MB"))
    limit = float(MOST_MEGABYTES)
    return [*comparisons, lower_is_better("sql_source", "memory, limit", peak[OURS], limit, "the limit", "MB", 1.0)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without-ingestr", action="store_true")
    options = parser.parse_args()
    dlt = environment("dlt-sql")
    ingestr = None if options.without_ingestr else environment("ingestr")
    results: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with server(options.rows) as port:
        for number in range(options.rounds):
            results[OURS].append(measured(Path(sys.executable), "sql_ours", port))
            results[DLT].append(measured(dlt, "sql_dlt", port, "sqlalchemy"))
            results[ARROW].append(measured(dlt, "sql_dlt", port, "pyarrow"))
            if ingestr is not None:
                results[INGESTR].append(measured(ingestr, "sql_ingestr", port))
            print(
                f"• round {number + 1}: " + ", ".join(f"{way} {of[-1]['seconds']:.1f} s" for way, of in results.items())
            )
            wrong = [way for way, of in results.items() if of[-1]["rows"] != options.rows]
            if wrong:
                raise SystemExit(f"{wrong[0]} has {results[wrong[0]][-1]['rows']} rows, and not {options.rows}")
    show(compared(results))


if __name__ == "__main__":
    main()
