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
import sys
from functools import partial
from pathlib import Path

import asyncpg

from benchmarks.database_reads import OURS, compare, measure, server, take_turns
from benchmarks.support import environment, show

USER, PASSWORD, TABLE = "owner", "pa55-w0rd-of-the-owner", "orders"
DLT, ARROW, INGESTR = "dlt, default", "dlt, pyarrow", "ingestr"
ASKED = {DLT: 3.0}
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


async def fill(port: int, rows: int) -> None:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=port, user=USER, password=PASSWORD, database="postgres", ssl=False
    )
    await connection.execute(CREATE.replace("$rows", str(rows)))
    await connection.execute(f"VACUUM ANALYZE {TABLE}")
    await connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without-ingestr", action="store_true")
    options = parser.parse_args()
    dlt = environment("dlt-sql")
    ingestr = None if options.without_ingestr else environment("ingestr")
    with server("support.databases") as port:
        asyncio.run(fill(port, options.rows))

        def read(python: Path, module: str, *arguments: str) -> partial[dict[str, object]]:
            return partial(measure, python, module, [str(port), USER, PASSWORD, TABLE], [*arguments], SILENT)

        ways = {
            OURS: read(Path(sys.executable), "sql_ours"),
            DLT: read(dlt, "sql_dlt", "sqlalchemy"),
            ARROW: read(dlt, "sql_dlt", "pyarrow"),
        }
        if ingestr is not None:
            ways[INGESTR] = read(ingestr, "sql_ingestr")
        results = take_turns(ways, options.rounds, options.rows)
    show(compare("sql_source", results, ASKED))


if __name__ == "__main__":
    main()
