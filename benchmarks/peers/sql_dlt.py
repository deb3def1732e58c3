"""dlt's `sql_database` to files in a folder: `sql_dlt.py PORT USER PASSWORD TABLE FOLDER BACKEND`.

Only `extract` is measured: it ends where rows have become dlt's own files, which is what raw pages are.
"""

from __future__ import annotations

import sys
from pathlib import Path

import dlt
from dlt.sources.sql_database import sql_table
from sqlalchemy import create_engine

from benchmarks.peers.measuring import report


def ingest(url: str, table: str, folder: Path, backend: str) -> int:
    """Extract the table; its rows."""
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.filesystem(bucket_url=str(folder / "lake")),
        dataset_name="bench",
    )
    source = sql_table(credentials=create_engine(url), table=table, backend=backend)
    pipeline.extract(source, loader_file_format="parquet")
    trace = pipeline.last_trace.last_extract_info
    return sum(metrics[0]["table_metrics"][table].items_count for metrics in trace.metrics.values())


def main() -> None:
    """Measure it."""
    port, user, password, table, folder, backend = sys.argv[1:]
    url = f"postgresql+psycopg2://{user}:{password}@127.0.0.1:{port}/postgres"
    report(lambda: ingest(url, table, Path(folder), backend))


if __name__ == "__main__":
    main()
