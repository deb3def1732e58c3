"""A dropped CSV made into typed Parquet: the extract stage against bare DuckDB, in turn in one run.

DuckDB alone neither keeps page and row of each record, nor the document beside the rows, nor says
which line is wrong, nor keeps `007` a text; it is what one would write by hand. A ratio below 1
says how much that costs.
"""

from __future__ import annotations

import gzip
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

sys.path.insert(0, str(Path(__file__).parent))

from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.extract.extractor import Base, Extractor
from sluice.settings import Settings
from support import lower_is_better, show

ROUNDS = 3


class FolderLake:
    """The lake's calls that extracting makes, on a folder."""

    def __init__(self, folder: Path, page: Path) -> None:
        self.folder, self.page = folder, page

    @contextmanager
    def scratch(self) -> Any:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield Path(folder) / "file"

    @contextmanager
    def raw(self, content_hash: str) -> Any:
        with gzip.open(self.page, "rb") as content:
            yield content

    def put_file(self, key: str, path: Path) -> None:
        path.read_bytes()

    def put_json(self, key: str, document: Any) -> None:
        json.dumps(document)


def write_page(path: Path, rows: int) -> None:
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write("id,name,price,day,ok,note\n")
        for number in range(rows):
            note = "x" * (number % 7)
            file.write(f"{number},name {number},{number / 7:.4f},2026-01-{number % 28 + 1:02d},true,{note}\n")


def ours(folder: Path, page: Path) -> None:
    datasource = Datasource.model_validate({"slug": "d", "name": "d", "kind": "file", "format": "csv"})
    receipt = PageReceipt(number=1, ok=True, url="s3://inbox/d/a.csv", hash="0" * 64, fetched_at="")
    run = Run(id="0" * 26, kind="ingest", datasource="d", created_at="2026-01-01", created_by="bench")
    index = FetchIndex(datasource="d", run=run.id, attempt=1, fetched_at="", pages=[receipt], completeness="complete")
    lake: Any = FolderLake(folder, page)
    Extractor(run, datasource, index, Base(0), lake, Settings()).extract()


def peer(folder: Path, page: Path) -> None:
    connection = duckdb.connect(config={"threads": 2})
    connection.execute(
        f"COPY (SELECT * FROM read_csv('{page}')) TO '{folder / 'peer.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
    )
    connection.close()


def seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    comparisons = []
    for rows in (10_000, 100_000, 300_000):
        with tempfile.TemporaryDirectory() as name:
            folder, page = Path(name), Path(name) / "page.csv.gz"
            write_page(page, rows)
            pairs = [(seconds(lambda: ours(folder, page)), seconds(lambda: peer(folder, page))) for _ in range(ROUNDS)]  # noqa: B023
        mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        comparisons.append(lower_is_better("extract", f"csv, {rows} rows", mine, theirs, "bare DuckDB", "s"))
    show(comparisons)


if __name__ == "__main__":
    main()
