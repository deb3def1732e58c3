"""ingestr from PostgreSQL to DuckDB: `sql_ingestr.py PORT USER PASSWORD TABLE FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
from ingestr.main import app

from benchmarks.peers.measuring import report


def ingest(url: str, table: str, folder: Path) -> int:
    """Run ingestr's command; the rows of the table that it made."""
    target = folder / "bench.duckdb"
    command = ["ingest", "--source-uri", url, "--source-table", f"public.{table}", "--dest-table", "main.bench"]
    command += ["--dest-uri", f"duckdb:///{target}", "--yes", "--progress", "log", "--pipelines-dir", str(folder / "p")]
    app(command, standalone_mode=False)
    with duckdb.connect(str(target)) as connection:
        return int(connection.execute("SELECT count(*) FROM main.bench").fetchall()[0][0])


def main() -> None:
    """Measure it; what ingestr prints goes to the standard error."""
    port, user, password, table, folder = sys.argv[1:]
    url = f"postgresql://{user}:{password}@127.0.0.1:{port}/postgres"
    report(lambda: ingest(url, table, Path(folder)))


if __name__ == "__main__":
    main()
