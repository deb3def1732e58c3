"""Chooses the reader for a run's pages, and gives up where the engine would read something differently."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from aws_lambda_powertools import Logger

from sluice.domain.file_format import Format
from sluice.domain.run import PageReceipt
from sluice.errors import SluiceError, UnreadableData
from sluice.extract.columnar.csv_pages import CsvReader
from sluice.extract.columnar.json_pages import JsonReader
from sluice.extract.columnar.pages import NotColumnar, Pages, Reader
from sluice.extract.columnar.parquet_pages import ParquetReader
from sluice.extract.columnar.watch import watched
from sluice.extract.records import Records
from sluice.formats.detect import detect_format
from sluice.formats.packed import open_unpacked

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

logger = Logger()
_PEEK = 64 << 10
# How many pages are downloaded concurrently.
_AHEAD = 4
_READERS: dict[Format, type[Reader]] = {
    "json": JsonReader,
    "jsonl": JsonReader,
    "csv": CsvReader,
    "parquet": ParquetReader,
}


def read_columns(
    pages: Pages, connection: DuckDBPyConnection, folder: Path, tick: Callable[[int], None]
) -> Records | None:
    """Read all pages by column.

    Args:
        pages: the pages.
        connection: the engine, which gets the tables that the records' query reads. If the result is None, it must not
            be used any more.
        folder: a folder for files, which must exist until the query has run.
        tick: called now and then with the number of records; it may stop the work by raising.

    Returns:
        The records; None if the pages must be read by record, which also explains what is wrong with them.
    """
    import duckdb

    try:
        with watched(connection, tick) as watch:
            reader: Reader | None = None
            with open_in_order(pages) as opened:
                for receipt, content in opened:
                    watch.check()
                    if reader is None:
                        reader = _READERS[_form(pages, receipt, content)](pages, connection, folder)
                    reader.add_page(receipt, content)
            return reader.records() if reader is not None else None
    # UnreadableData too: reading by record gives the same error with the page and line.
    except (NotColumnar, UnreadableData, duckdb.Error) as reason:
        watch.check()
        logger.info(f"Reading the pages by record: {str(reason) or 'the engine would read something differently'}.")
    except SluiceError:
        raise
    except Exception:
        # A failure of the engine must not fail the run: reading by record still works, or explains what is wrong.
        watch.check()
        logger.exception("Reading the pages by record: reading them by column failed.")
    _remove_files(folder)
    return None


def _remove_files(folder: Path) -> None:
    """Remove copies of pages that are no longer needed."""
    for path in [*folder.glob("*.json"), *folder.glob("page-*")]:
        path.unlink()


@contextmanager
def open_in_order(pages: Pages) -> Iterator[Iterator[tuple[PageReceipt, IO[bytes]]]]:
    """Open the pages in order; the next ones are downloaded while one is read."""
    with ThreadPoolExecutor(_AHEAD) as pool, closing(_in_turn(pages, pool)) as opened:
        yield opened


def _in_turn(pages: Pages, pool: ThreadPoolExecutor) -> Generator[tuple[PageReceipt, IO[bytes]], None, None]:
    queue: deque[tuple[PageReceipt, Future[tuple[ExitStack, IO[bytes]]]]] = deque()
    remaining = iter(pages.index.pages)
    try:
        while True:
            for receipt in islice(remaining, _AHEAD - len(queue)):
                queue.append((receipt, pool.submit(_open, pages, receipt)))
            if not queue:
                return
            receipt, future = queue.popleft()
            stack, content = future.result()
            with stack:
                yield receipt, content
    finally:
        # Downloads that nobody will read must be closed, or their temporary files stay.
        for _, future in queue:
            if future.exception() is None:
                future.result()[0].close()


def _open(pages: Pages, receipt: PageReceipt) -> tuple[ExitStack, IO[bytes]]:
    with ExitStack() as stack:
        content = stack.enter_context(pages.lake.raw(receipt.hash or ""))
        return stack.pop_all(), content


def _form(pages: Pages, receipt: PageReceipt, content: IO[bytes]) -> Format:
    """The format of a page.

    Raises:
        NotColumnar: the engine does not read this format, or would take tombstones for records.
    """
    if receipt.erased:
        raise NotColumnar
    with open_unpacked(content, receipt.filename, pages.limits) as (plain, name):
        form = detect_format(pages.datasource.format, receipt.media_type, name, plain.read(_PEEK))
    content.seek(0)
    if form not in _READERS:
        raise NotColumnar
    return form
