"""Pages in a folder, read both by the engine and record by record."""

from __future__ import annotations

import atexit
import itertools
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import duckdb

from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.domain.schema import Column
from sluice.extract.by_record.record_reader import RecordReader
from sluice.extract.by_record.typing import NeedsSingleReaderError
from sluice.extract.columnar.pages import Pages
from sluice.extract.columnar.reader import read_columns
from sluice.extract.parallel_reading import ParallelReading
from sluice.extract.reading import PageReading
from sluice.extract.records import Records
from sluice.formats.limits import Limits
from sluice.lake.parquet import engine
from sluice.settings import Settings

# One for all queries of results, since opening an engine takes longer than most of them.
ENGINE = duckdb.connect(config={"threads": 1})
ENGINE.execute("SET GLOBAL TimeZone = 'UTC'")
atexit.register(ENGINE.close)


class PageLake:
    """The lake's calls that reading makes, and those of its workers."""

    def __init__(self, bodies: list[bytes], folder: Path) -> None:
        self._bodies = bodies
        self._folder = folder
        self._objects: dict[str, bytes] = {}

    @contextmanager
    def raw(self, content_hash: str) -> Iterator[IO[bytes]]:
        yield BytesIO(self._bodies[int(content_hash)])

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            yield Path(folder) / "scratch"

    def put_json(self, key: str, document: Any) -> None:
        self._objects[key] = json.dumps(document).encode()

    def find_json(self, key: str) -> Any:
        return json.loads(self._objects[key]) if key in self._objects else None

    def get(self, key: str) -> bytes:
        return self._objects[key]

    def put_file(self, key: str, path: Path) -> None:
        self._objects[key] = path.read_bytes()

    def file(self, key: str) -> Path:
        path = self._folder / key.replace("/", "-")
        path.write_bytes(self._objects[key])
        return path


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


RUN = Run(id="0" * 26, kind="ingest", datasource="d", created_at="2026-01-01", created_by="test")


def index_of(bodies: list[bytes], media_type: str | None = None) -> FetchIndex:
    """What was fetched, if these are all pages."""
    receipts = [
        PageReceipt(
            number=number,
            ok=True,
            url="",
            hash=str(number - 1),
            bytes=len(body),
            media_type=media_type,
            fetched_at=f"2026-01-01T00:00:{number:02d}Z",
        )
        for number, body in enumerate(bodies, start=1)
    ]
    return FetchIndex(datasource="d", run=RUN.id, attempt=1, fetched_at="", pages=receipts, completeness="complete")


def read(bodies: list[bytes], source: Datasource, *, by_engine: bool, threads: int = 2, **caps: Any) -> Read | None:
    """Read pages one way; none where the engine leaves them to the other way. `caps` are further settings."""
    index = index_of(bodies, "application/x-ndjson" if source.kind == "sql" else None)
    settings = Settings(duckdb_threads=threads, **caps)
    limits = Limits.of(settings)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        lake: Any = PageLake(bodies, Path(folder))
        records: Records | None
        connection = stack.enter_context(engine(settings, Path(folder)) if by_engine else ENGINE.cursor())
        if by_engine:
            pages = Pages(RUN, source, index, lake, limits, [])
            records = read_columns(pages, connection, Path(folder), lambda _: None)
        else:
            reader = RecordReader(Path(folder) / "rows.jsonl", lambda _: None, [])
            records = reader.read(RUN, source, index, lake, limits)
        if records is None:
            return None
        rows = connection.execute(f"SELECT * FROM ({records.query})").fetchall()
        return Read(records.columns, rows, records.warnings, records.count, records.names_columns)


def read_whole(bodies: list[bytes], source: Datasource) -> Read:
    """Read pages in whichever way fits."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        lake: Any = PageLake(bodies, Path(folder))
        reading = PageReading(lake, Settings(), [], lambda _: None)
        scratch = stack.enter_context(lake.scratch())
        records, connection = reading.read(RUN, source, index_of(bodies), stack, scratch, {})
        rows = connection.execute(f"SELECT * FROM ({records.query})").fetchall()
        return Read(records.columns, rows, records.warnings, records.count, records.names_columns)


def read_in_parts(bodies: list[bytes], source: Datasource, ends: list[int]) -> Read | None:
    """Read pages in parts; none where they must be read together.

    Args:
        ends: behind how many pages each part ends.
    """
    index = index_of(bodies)
    parts = [index.pages[begin:end] for begin, end in itertools.pairwise([0, *ends])]
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder:
        lake: Any = PageLake(bodies, Path(folder))
        reading = PageReading(lake, settings, [], lambda _: None)
        whole = ParallelReading(
            RUN, source, index, reading, lake, "work", parts, adds=False, find_text_columns=lambda columns: {}
        )
        following: tuple[str, list[int]] | None = None
        try:
            while following := whole.next_stage(following[0] if following else None):
                for number in reversed(following[1]):
                    whole.work(following[0], number)
        except NeedsSingleReaderError:
            return None
        records = whole.records()
        rows: list[tuple[Any, ...]] = []
        for part in records.parts:
            found = ENGINE.cursor().execute(f"FROM '{lake.file(part.key)}'")
            assert [name for name, *_ in found.description or []][:-3] == [one.name for one in records.columns]
            rows += found.fetchall()
        return Read(records.columns, rows, records.warnings, records.count, records.names_columns)
