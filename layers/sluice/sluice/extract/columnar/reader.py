"""Chooses who reads a run's pages by the engine, and gives up where it would read them otherwise."""

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
# So many pages are brought here at a time.
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
    """The records of all pages.

    Args:
        connection: where the tables are made that the records' query reads; of no use afterwards where there are none.
        folder: where files may be written; they must stay until the query was run.
        tick: is told how many records were read, now and then; it may end the work by raising.

    Returns:
        The records; none where the pages must be read record by record, also to say what is wrong with them.
    """
    import duckdb

    try:
        with watched(connection, tick) as watch:
            reader: Reader | None = None
            with ordered(pages) as opened:
                for receipt, content in opened:
                    watch.check()
                    if reader is None:
                        reader = _READERS[_form(pages, receipt, content)](pages, connection, folder)
                    reader.take(receipt, content)
            return reader.records() if reader is not None else None
    except (NotColumnar, UnreadableData, duckdb.Error) as reason:
        watch.check()
        logger.info(f"The pages are read record by record: {str(reason) or 'the engine would read them otherwise'}.")
    except SluiceError:
        raise
    except Exception:
        # Whatever it is, the pages can be read without the engine, which says what is wrong with them.
        watch.check()
        logger.exception("The pages are read record by record: reading them by the engine failed.")
    _clean(folder)
    return None


def _clean(folder: Path) -> None:
    """Give back what was made in vain: copies of pages."""
    for path in [*folder.glob("*.json"), *folder.glob("page-*")]:
        path.unlink()


@contextmanager
def ordered(pages: Pages) -> Iterator[Iterator[tuple[PageReceipt, IO[bytes]]]]:
    """The pages in their order with their content, the next ones on their way while one is read."""
    with ThreadPoolExecutor(_AHEAD) as pool, closing(_in_turn(pages, pool)) as opened:
        yield opened


def _in_turn(pages: Pages, pool: ThreadPoolExecutor) -> Generator[tuple[PageReceipt, IO[bytes]], None, None]:
    coming: deque[tuple[PageReceipt, Future[tuple[ExitStack, IO[bytes]]]]] = deque()
    left = iter(pages.index.pages)
    try:
        while True:
            for receipt in islice(left, _AHEAD - len(coming)):
                coming.append((receipt, pool.submit(_opened, pages, receipt)))
            if not coming:
                return
            receipt, future = coming.popleft()
            stack, content = future.result()
            with stack:
                yield receipt, content
    finally:
        for _, future in coming:
            if future.exception() is None:
                future.result()[0].close()


def _opened(pages: Pages, receipt: PageReceipt) -> tuple[ExitStack, IO[bytes]]:
    with ExitStack() as stack:
        content = stack.enter_context(pages.lake.raw(receipt.hash or ""))
        return stack.pop_all(), content


def _form(pages: Pages, receipt: PageReceipt, content: IO[bytes]) -> Format:
    """The format of a page.

    Raises:
        NotColumnar: the engine does not read it.
    """
    with open_unpacked(content, receipt.filename, pages.limits) as (plain, name):
        form = detect_format(pages.datasource.format, receipt.media_type, name, plain.read(_PEEK))
    content.seek(0)
    if form not in _READERS:
        raise NotColumnar
    return form
