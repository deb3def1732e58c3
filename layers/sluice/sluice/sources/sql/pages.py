"""Raw pages of a SQL result: JSON Lines, with the column types of each page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from itertools import repeat

import orjson

from sluice.domain.page_columns import PageColumn
from sluice.domain.schema import common_type
from sluice.errors import DataTooLarge
from sluice.sources.sql.base import Result, Row, ServerColumn, require_names

# The first batch is small, since the size of a row is not known yet.
_FIRST_ROWS = 10
_BATCH_BYTES = 2_000_000


@dataclass(frozen=True)
class SqlPage:
    """One raw page.

    Args:
        number: the page's number, from 1.
        body: JSON Lines, one object for each row; empty if the statement selects no rows.
        rows: the number of rows.
        columns: the columns' types on this page, by name.
    """

    number: int
    body: bytes
    rows: int
    columns: dict[str, PageColumn]


async def pages_of(
    result: Result, fetch_rows: int, page_bytes: int, max_page_bytes: int
) -> AsyncGenerator[SqlPage, None]:
    """Divide the rows of a result into pages.

    The server sends the next rows while a page is made. At most two batches of rows of about 2 MB and one page are
    in memory.

    Args:
        result: a result that was started.
        fetch_rows: the most rows of a page.
        page_bytes: the size in bytes at which a page ends.
        max_page_bytes: the most bytes of a page.

    Yields:
        The pages; at least one, which has the columns even if there are no rows.

    Raises:
        SourceRefused: two columns have the same name, or the statement failed.
        SourceUnreachable: the connection broke.
        DataTooLarge: one batch of rows has more than `max_page_bytes` bytes.
    """
    require_names([column.name for column in result.columns])
    page, batch_rows = _Page(1, result.columns), min(_FIRST_ROWS, fetch_rows)
    next_rows = asyncio.ensure_future(_rows(result, batch_rows))
    try:
        while rows := await next_rows:
            room = fetch_rows - page.rows - len(rows)
            next_rows = asyncio.ensure_future(_rows(result, min(batch_rows, room or fetch_rows)))
            await asyncio.sleep(0)  # lets the task send its request before these rows are converted
            batch_rows = _next_batch_rows(batch_rows, len(rows), page.add(rows))
            if page.size > max_page_bytes:
                raise DataTooLarge(f"A page has more than {max_page_bytes} bytes; set fetch_rows to a smaller number.")
            if not room or page.size >= page_bytes:
                yield page.finish()
                page = _Page(page.number + 1, result.columns)
        if page.rows or page.number == 1:
            yield page.finish()
    finally:
        next_rows.cancel()
        await asyncio.gather(next_rows, return_exceptions=True)


def _next_batch_rows(batch_rows: int, rows: int, size: int) -> int:
    """Return the number of rows of the next batch: about 2 MB, and at most twice as many as in the last batch.

    Args:
        batch_rows: the number of rows that the last batch asked for.
        rows: the number of rows that it had.
        size: the bytes that these rows have as JSON Lines.
    """
    return max(1, min(2 * batch_rows, rows * _BATCH_BYTES // size))


async def _rows(result: Result, max_rows: int) -> Sequence[Row]:
    return await result.rows(max_rows)


class _Page:
    """A page that grows by batches of rows."""

    def __init__(self, number: int, columns: list[ServerColumn]) -> None:
        self.number = number
        self.rows = 0
        self.size = 0
        self._columns = columns
        self._names = [column.name for column in columns]
        self._types: list[str | None] = [None] * len(columns)
        self._parts: list[bytes] = []

    def add(self, rows: Sequence[Row]) -> int:
        """Add rows; return the number of bytes that they have as JSON Lines."""
        converted: list[Sequence[object]] = []
        columns = zip(*rows, strict=True)
        for index, (column, values) in enumerate(zip(self._columns, columns, strict=True)):
            texts, column_type = column.convert(values)
            converted.append(texts)
            known = self._types[index]
            self._types[index] = common_type([known, column_type]) if known and column_type else known or column_type
        names = self._names
        records = [dict(zip(names, row, strict=True)) for row in zip(*converted, strict=True)]
        body = b"".join(map(orjson.dumps, records, repeat(None), repeat(orjson.OPT_APPEND_NEWLINE)))
        self._parts.append(body)
        self.rows += len(rows)
        self.size += len(body)
        return len(body)

    def finish(self) -> SqlPage:
        """Return the page."""
        columns = {
            column.name: PageColumn(server_type=column.server_type, type=self._types[index])
            for index, column in enumerate(self._columns)
        }
        return SqlPage(self.number, b"".join(self._parts), self.rows, columns)
