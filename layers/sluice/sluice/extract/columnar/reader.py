"""Chooses who reads a run's pages by the engine, and gives up where it would read them otherwise."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.domain.file_format import Format
from sluice.domain.run import PageReceipt
from sluice.errors import UnreadableData
from sluice.extract.columnar.csv_pages import CsvReader
from sluice.extract.columnar.json_pages import JsonReader
from sluice.extract.columnar.pages import Otherwise, Pages, Reader
from sluice.extract.columnar.parquet_pages import ParquetReader
from sluice.extract.columnar.watch import watched
from sluice.extract.records import Records
from sluice.formats.detect import detect
from sluice.formats.packed import unpacked

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

logger = logging.getLogger(__name__)
_PEEK = 64 << 10
_READERS: dict[Format, type[Reader]] = {
    "json": JsonReader,
    "jsonl": JsonReader,
    "csv": CsvReader,
    "parquet": ParquetReader,
}


def read_columns(
    pages: Pages, connection: DuckDBPyConnection, folder: Path, tick: Callable[[int], None]
) -> Records | None:
    """The records of all pages.

    Args:
        connection: where the tables are made that the records' query reads.
        folder: where files may be written; they must stay until the query was run.
        tick: is told how many records were read, now and then; it may end the work by raising.

    Returns:
        The records; none where the pages must be read record by record, also to say what is wrong with them.
    """
    import duckdb

    try:
        with watched(connection, tick) as watch:
            reader = _reader(pages, connection, folder)
            if reader is None:
                return None
            for receipt in pages.index.pages:
                watch.check()
                reader.take(receipt)
            return reader.records()
    except (Otherwise, UnreadableData, duckdb.Error) as reason:
        watch.check()
        logger.debug("read record by record: %r", reason)
        return None


def _reader(pages: Pages, connection: DuckDBPyConnection, folder: Path) -> Reader | None:
    if not pages.index.pages:
        return None
    made = _READERS.get(_form(pages, pages.index.pages[0]))
    return made(pages, connection, folder) if made is not None else None


def _form(pages: Pages, receipt: PageReceipt) -> Format:
    with (
        pages.lake.raw(receipt.hash or "") as content,
        unpacked(content, receipt.filename, pages.limits) as (plain, name),
    ):
        return detect(pages.datasource.format, receipt.media_type, name, plain.read(_PEEK))
