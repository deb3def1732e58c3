"""Pages in a folder, read both by the engine and record by record."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.domain.schema import Column
from sluice.extract.by_record.rows import RecordReader
from sluice.extract.columnar.pages import Pages
from sluice.extract.columnar.reader import read_columns
from sluice.extract.records import Records
from sluice.formats.limits import Limits
from sluice.lake.parquet import engine
from sluice.settings import Settings


class PageLake:
    """The lake's call that reading makes."""

    def __init__(self, bodies: list[bytes]) -> None:
        self._bodies = bodies

    @contextmanager
    def raw(self, content_hash: str) -> Iterator[IO[bytes]]:
        yield BytesIO(self._bodies[int(content_hash)])


@dataclass(frozen=True)
class Read:
    """What reading pages gives."""

    columns: list[Column]
    rows: list[tuple[Any, ...]]
    warnings: list[str]
    count: int
    names_columns: bool


def datasource(**document: Any) -> Datasource:
    return Datasource.model_validate({"slug": "d", "name": "d", "kind": "file", **document})


def read(bodies: list[bytes], source: Datasource, *, by_engine: bool, threads: int = 2) -> Read | None:
    """Read pages one way; none where the engine leaves them to the other way."""
    run = Run(id="0" * 26, kind="ingest", datasource="d", created_at="2026-01-01", created_by="test")
    receipts = [
        PageReceipt(number=number, ok=True, url="", hash=str(number - 1), fetched_at=f"2026-01-01T00:00:{number:02d}Z")
        for number in range(1, len(bodies) + 1)
    ]
    index = FetchIndex(datasource="d", run=run.id, attempt=1, fetched_at="", pages=receipts, completeness="complete")
    lake: Any = PageLake(bodies)
    settings = Settings(duckdb_threads=threads)
    limits = Limits.of(settings)
    with tempfile.TemporaryDirectory() as folder, engine(settings, Path(folder)) as connection:
        records: Records | None
        if by_engine:
            pages = Pages(run, source, index, lake, limits, [])
            records = read_columns(pages, connection, Path(folder), lambda _: None)
        else:
            reader = RecordReader(Path(folder) / "rows.jsonl", lambda _: None, [])
            records = reader.read(run, source, index, lake, limits)
        if records is None:
            return None
        rows = connection.execute(f"SELECT * FROM ({records.query})").fetchall()
        return Read(records.columns, rows, records.warnings, records.count, records.names_columns)
