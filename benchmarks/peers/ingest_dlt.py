"""dlt's `rest_api` source to Parquet in a folder: `ingest_dlt.py URL FOLDER`. Settings are its defaults."""

from __future__ import annotations

import sys
from pathlib import Path

import dlt
import pyarrow.parquet
from dlt.sources.rest_api import rest_api_source

from benchmarks.peers.measuring import report


def ingest(url: str, folder: Path) -> int:
    """Run the pipeline; the rows of the table `records`."""
    paginator = {"type": "offset", "limit": 1000, "offset_param": "offset", "limit_param": "limit"}
    source = rest_api_source(
        {
            "client": {"base_url": url, "paginator": {**paginator, "total_path": "total"}},
            "resources": [{"name": "records", "endpoint": {"path": "records", "data_selector": "items"}}],
        }
    )
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.filesystem(bucket_url=str(folder / "lake")),
        dataset_name="bench",
    )
    pipeline.run(source, loader_file_format="parquet")
    files = (folder / "lake/bench/records").glob("*.parquet")
    return sum(pyarrow.parquet.read_metadata(file).num_rows for file in files)


if __name__ == "__main__":
    report(lambda: ingest(sys.argv[1], Path(sys.argv[2])))
